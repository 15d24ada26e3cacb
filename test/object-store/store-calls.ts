/** Every call of a store by its name, for tests of wrappers. */
import type { ObjectStore, PutSource, StoreCall } from "../../src/object-store/contract.ts";

const UPLOAD = { key: "key", uploadId: "none" };

/** Names of all calls. */
export const STORE_CALLS: readonly StoreCall[] = [
  "put",
  "get",
  "head",
  "list",
  "delete",
  "createMultipart",
  "putPart",
  "completeMultipart",
  "abortMultipart",
];

/** Makes any call of a store; the uploads that are named do not exist. */
export function callsOf(store: ObjectStore, source: PutSource): Readonly<Record<StoreCall, () => Promise<unknown>>> {
  return {
    put: () => store.put("key", source),
    get: () => store.get("key"),
    head: () => store.head("key"),
    list: () => store.list({ prefix: "" }),
    delete: () => store.delete(["key"]),
    createMultipart: () => store.createMultipart("key", "text/plain"),
    putPart: () => store.putPart(UPLOAD, 1, new Uint8Array(1)),
    completeMultipart: () => store.completeMultipart(UPLOAD, [{ number: 1, etag: "x", length: 1 }]),
    abortMultipart: () => store.abortMultipart(UPLOAD),
  };
}
