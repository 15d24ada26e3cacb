/**
 * A store whose objects may be generated while they are read, that counts what it is asked and what it gave, and that
 * fails where a test says so. Only what a reader needs; the real stores have their own tests.
 */
import { FirnError } from "../../src/errors.ts";
import type { ObjectStore } from "../../src/object-store/contract.ts";
import { compareKeys } from "../../src/reader/key-order.ts";

export interface SyntheticObject {
  readonly length: number;
  readonly open: () => Iterator<Uint8Array> | AsyncIterator<Uint8Array>;
}

export interface SyntheticStore extends ObjectStore {
  readonly objects: Map<string, SyntheticObject>;
  /** `list <prefix> [after <key>]` and `get <key> [<offset>+<length>]`, in order. */
  readonly calls: string[];
  readonly bytesGiven: () => number;
  readonly openBodies: () => number;
  readonly maxOpenBodies: () => number;
  /** Runs before each call; may throw, or change the objects. */
  before: (call: string) => void;
  pageKeys: number;
}

export function bytesObject(bytes: Uint8Array, pieceBytes = 1000): SyntheticObject {
  return {
    length: bytes.length,
    *open() {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
    },
  };
}

function cut(object: SyntheticObject, range: { readonly offset: number; readonly length?: number }): SyntheticObject {
  const end = Math.min(object.length, range.offset + (range.length ?? object.length));
  return {
    length: end - range.offset,
    async *open() {
      let at = 0;
      const pieces = object.open();
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
        const piece = next.value.subarray(Math.max(0, range.offset - at), Math.max(0, end - at));
        at += next.value.length;
        if (piece.length > 0) yield piece;
        if (at >= end) return;
      }
    },
  };
}

const refuse = (): never => {
  throw new Error("not a reader's call");
};

export function openSyntheticStore(objects: Readonly<Record<string, Uint8Array>> = {}): SyntheticStore {
  const counters = { given: 0, open: 0, maxOpen: 0 };

  function toBody(object: SyntheticObject): ReadableStream<Uint8Array> {
    const pieces = object.open();
    counters.open++;
    counters.maxOpen = Math.max(counters.maxOpen, counters.open);
    let isOpen = true;
    const close = (): void => {
      if (isOpen) counters.open--;
      isOpen = false;
    };
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            const next = await pieces.next();
            if (next.done === true) {
              close();
              controller.close();
              return;
            }
            counters.given += next.value.length;
            controller.enqueue(next.value);
          } catch (error) {
            close();
            throw error;
          }
        },
        cancel: close,
      },
      { highWaterMark: 0 },
    );
  }

  const store: SyntheticStore = {
    identity: "synthetic:test",
    traits: { createOnly: "atomic", sendsMd5: false },
    objects: new Map(Object.entries(objects).map(([key, bytes]) => [key, bytesObject(bytes)])),
    calls: [],
    bytesGiven: () => counters.given,
    openBodies: () => counters.open,
    maxOpenBodies: () => counters.maxOpen,
    before: () => undefined,
    pageKeys: 1000,
    put: refuse,
    head: refuse,
    delete: refuse,
    createMultipart: refuse,
    putPart: refuse,
    completeMultipart: refuse,
    abortMultipart: refuse,
    async get(key, { range } = {}) {
      await Promise.resolve();
      const call = `get ${key}${range === undefined ? "" : ` ${range.offset}+${range.length ?? ""}`}`;
      store.calls.push(call);
      store.before(call);
      const object = store.objects.get(key);
      if (object === undefined) throw new FirnError("object_not_found", "Cannot get: no such object");
      return toBody(range === undefined ? object : cut(object, range));
    },
    async list({ prefix, startAfter, cursor, limit = 1000 }) {
      await Promise.resolve();
      const call = `list ${prefix}${startAfter === undefined ? "" : ` after ${startAfter}`}`;
      store.calls.push(call);
      store.before(call);
      const after = cursor ?? startAfter ?? "";
      const keys = [...store.objects.keys()]
        .filter((key) => key.startsWith(prefix) && compareKeys(key, after) > 0)
        .toSorted(compareKeys);
      const page = keys.slice(0, Math.min(limit, store.pageKeys));
      return {
        objects: page.map((key) => ({
          key,
          length: store.objects.get(key)?.length ?? 0,
          etag: null,
          sha256Hex: null,
        })),
        ...(keys.length > page.length ? { cursor: page.at(-1) ?? "" } : {}),
      };
    },
  };
  return store;
}
