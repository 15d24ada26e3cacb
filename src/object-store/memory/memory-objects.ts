/** What a store in memory holds, and what it says of it. */
import type { ObjectInfo } from "../contract.ts";

/** An object as it stands in memory. */
export interface MemoryObject {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** `null` for an object that a test laid there as another writer would, and for one that was made of parts. */
  readonly sha256Hex: string | null;
}

/** An upload that was neither completed nor aborted. */
export interface MemoryUpload {
  readonly key: string;
  readonly contentType: string;
  /** By number; the ETag is another one for every part that was sent. */
  readonly parts: Map<number, { readonly bytes: Uint8Array; readonly etag: string }>;
}

/** All that a store holds. */
export interface MemoryState {
  readonly objects: Map<string, MemoryObject>;
  /** By id. */
  readonly uploads: Map<string, MemoryUpload>;
  /** Names each object once, those too that a test laid there: another object under a key is another version. */
  readonly etagOf: (object: MemoryObject) => string;
}

/** Opens an empty state. */
export function openMemoryState(): MemoryState {
  const etags = new WeakMap<MemoryObject, string>();
  const etagOf = (object: MemoryObject): string => {
    const etag = etags.get(object) ?? crypto.randomUUID();
    etags.set(object, etag);
    return etag;
  };
  return { objects: new Map(), uploads: new Map(), etagOf };
}

/** Describes an object; `null` when there is none. */
export function headMemory({ objects, etagOf }: MemoryState, key: string): ObjectInfo | null {
  const object = objects.get(key);
  if (object === undefined) return null;
  return { key, length: object.bytes.length, etag: etagOf(object), sha256Hex: object.sha256Hex };
}
