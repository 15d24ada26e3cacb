/**
 * A store in memory, for tests: the whole contract, no latency and nothing that outlives it. Faults are `faults.ts`'s.
 */
import { FirnError } from "../../errors.ts";
import { LIST_PAGE_KEYS } from "../../limits.ts";
import { assertDeletable, assertListLimit, readExactly } from "../bounds.ts";
import type { ListPage, ListRequest, ObjectInfo, ObjectStore, PutOutcome, PutSource } from "../contract.ts";

/** An object as it stands in memory. */
export interface MemoryObject {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** `null` for an object that a test laid there as another writer would. */
  readonly sha256Hex: string | null;
}

/** The store and, for tests to look at and change, what it holds. */
export interface MemoryStore extends ObjectStore {
  readonly objects: Map<string, MemoryObject>;
}

/** Opens an empty store. */
export function openMemoryStore(name = "test"): MemoryStore {
  const objects = new Map<string, MemoryObject>();
  return {
    objects,
    identity: `memory:${name}`,
    put: (key, source) => put(objects, key, source),
    get: async (key) => {
      const object = objects.get(key);
      if (object === undefined)
        throw new FirnError("object_not_found", `Cannot get object "${key}": it does not exist`);
      return streamOf(object.bytes);
    },
    head: async (key) => {
      const object = objects.get(key);
      return object === undefined ? null : toInfo(key, object);
    },
    list: async (request) => list(objects, request),
    delete: async (keys) => {
      assertDeletable(keys);
      for (const key of keys) objects.delete(key);
    },
  };
}

async function put(objects: Map<string, MemoryObject>, key: string, source: PutSource): Promise<PutOutcome> {
  const bytes = new Uint8Array(source.length);
  let at = 0;
  for await (const piece of readExactly(source)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const sha256Hex = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  // From here on nothing awaits: the check and the write are one step.
  const standing = objects.get(key);
  if (standing !== undefined) return { kind: "exists", info: toInfo(key, standing) };
  if (sha256Hex !== source.sha256.toHex()) {
    throw new FirnError("store_unavailable", `Cannot put object "${key}": the bytes that arrived have another digest`);
  }
  const object = { bytes, contentType: source.contentType, sha256Hex };
  objects.set(key, object);
  return { kind: "stored", info: toInfo(key, object) };
}

function list(objects: ReadonlyMap<string, MemoryObject>, request: ListRequest): ListPage {
  const { prefix, cursor, startAfter, limit = LIST_PAGE_KEYS } = request;
  assertListLimit(limit);
  const after = cursor ?? startAfter;
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0))
    .toSorted(compareUtf8);
  const page = keys.slice(0, limit);
  const infos = page.map((key) => ({ key, length: objects.get(key)?.bytes.length ?? 0, sha256Hex: null }));
  const last = page.at(-1);
  return keys.length > limit && last !== undefined ? { objects: infos, cursor: last } : { objects: infos };
}

/** Order of the UTF-8 bytes, which is that of code points and not that of JavaScript's UTF-16 units. */
function compareUtf8(one: string, two: string): number {
  const encoder = new TextEncoder();
  const left = encoder.encode(one);
  const right = encoder.encode(two);
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** A stream of bytes in pieces, as real stores give; the object may be deleted while it is read. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  const pieceBytes = 16_384;
  return new ReadableStream({
    type: "bytes",
    pull: (controller) => {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at + pieceBytes));
      at += pieceBytes;
      if (at < bytes.length) return;
      controller.close();
      // A reader that brought its buffer is answered only by this.
      controller.byobRequest?.respond(0);
    },
  });
}

function toInfo(key: string, object: MemoryObject): ObjectInfo {
  return { key, length: object.bytes.length, sha256Hex: object.sha256Hex };
}
