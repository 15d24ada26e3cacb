/** The frame of the wrappers that treat every call of a store alike. */
import type { ObjectStore, StoreCall } from "./contract.ts";

/** Makes a call, or does not, or makes it again. @param ask makes the call, once each time */
export type Around = <T>(call: StoreCall, ask: () => Promise<T>) => Promise<T>;

/** Wraps a store so that each of its calls is made by a function that knows its name. */
export function aroundCalls(store: ObjectStore, around: Around): ObjectStore {
  return {
    identity: store.identity,
    traits: store.traits,
    put: (key, source) => around("put", () => store.put(key, source)),
    get: (key, options) => around("get", () => store.get(key, options)),
    head: (key) => around("head", () => store.head(key)),
    list: (request) => around("list", () => store.list(request)),
    delete: (keys, options) => around("delete", () => store.delete(keys, options)),
    createMultipart: (key, contentType) => around("createMultipart", () => store.createMultipart(key, contentType)),
    putPart: (upload, number, bytes) => around("putPart", () => store.putPart(upload, number, bytes)),
    completeMultipart: (upload, parts, sha256Hex) =>
      around("completeMultipart", () => store.completeMultipart(upload, parts, sha256Hex)),
    abortMultipart: (upload) => around("abortMultipart", () => store.abortMultipart(upload)),
  };
}
