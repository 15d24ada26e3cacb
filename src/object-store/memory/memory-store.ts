/**
 * A store in memory, for tests: the whole contract, no latency and nothing that outlives it. Faults are `faults.ts`'s.
 */
import { FirnError } from "../../errors.ts";
import { assertDeletable, readExactly } from "../bounds.ts";
import type { GetOptions, ObjectStore, PutOutcome, PutSource } from "../contract.ts";
import { answerUnsatisfiable, assertRange, objectChanged } from "../range.ts";
import { listMemory } from "./memory-listing.ts";
import { completeMemoryUpload, createMemoryUpload, putMemoryPart } from "./memory-multipart.ts";
import {
  headMemory,
  openMemoryState,
  type MemoryObject,
  type MemoryState,
  type MemoryUpload,
} from "./memory-objects.ts";

/** The store and, for tests to look at and change, what it holds. */
export interface MemoryStore extends ObjectStore {
  readonly objects: Map<string, MemoryObject>;
  /** Uploads under way, by id. */
  readonly uploads: Map<string, MemoryUpload>;
}

/** Opens an empty store. */
export function openMemoryStore(name = "test"): MemoryStore {
  const state = openMemoryState();
  return {
    objects: state.objects,
    uploads: state.uploads,
    identity: `memory:${name}`,
    traits: { createOnly: "atomic", sendsMd5: false },
    put: (key, source) => put(state, key, source),
    get: async (key, options) => get(state, key, options),
    head: async (key) => headMemory(state, key),
    list: async (request) => listMemory(state, request),
    delete: async (keys, { ifMatch } = {}) => {
      assertDeletable(keys, ifMatch === undefined ? {} : { ifMatch });
      for (const key of keys) {
        const etag = headMemory(state, key)?.etag;
        if (ifMatch !== undefined && etag !== undefined && etag !== ifMatch)
          throw objectChanged(key, ifMatch, "delete");
      }
      for (const key of keys) state.objects.delete(key);
    },
    createMultipart: async (key, contentType) => createMemoryUpload(state, key, contentType),
    putPart: async (upload, number, bytes) => putMemoryPart(state, upload, number, bytes),
    completeMultipart: async (upload, parts) => completeMemoryUpload(state, upload, parts),
    abortMultipart: async ({ uploadId }) => {
      state.uploads.delete(uploadId);
    },
  };
}

async function put(state: MemoryState, key: string, source: PutSource): Promise<PutOutcome> {
  const bytes = new Uint8Array(source.length);
  let at = 0;
  for await (const piece of readExactly(source)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const sha256Hex = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  // From here on nothing awaits: the check and the write are one step.
  const standing = headMemory(state, key);
  if (standing !== null) return { kind: "exists", info: standing };
  source.signal?.throwIfAborted();
  if (sha256Hex !== source.sha256.toHex()) {
    throw new FirnError("store_unavailable", `Cannot put object "${key}": the bytes that arrived have another digest`);
  }
  const object = { bytes, contentType: source.contentType, sha256Hex };
  state.objects.set(key, object);
  return { kind: "stored", info: { key, length: bytes.length, etag: state.etagOf(object), sha256Hex } };
}

function get(state: MemoryState, key: string, { range, ifMatch }: GetOptions = {}): ReadableStream<Uint8Array> {
  assertRange(range);
  const object = state.objects.get(key);
  if (object === undefined) throw new FirnError("object_not_found", `Cannot get object "${key}": it does not exist`);
  if (ifMatch !== undefined && state.etagOf(object) !== ifMatch) throw objectChanged(key, ifMatch);
  if (range === undefined) return streamOf(object.bytes);
  const { offset, length = object.bytes.length } = range;
  if (offset >= object.bytes.length) return answerUnsatisfiable(key, { range }, headMemory(state, key));
  return streamOf(object.bytes.subarray(offset, offset + length));
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
