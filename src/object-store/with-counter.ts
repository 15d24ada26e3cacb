/** Tells of every call before it is made, so that an invocation can end itself before the platform's limit. */
import type { ObjectStore, StoreCall } from "./contract.ts";

/** Wraps a store. @param onCall is told the name of each call; what it throws keeps the call from being made. */
export function withCallCounter(store: ObjectStore, onCall: (call: StoreCall) => void): ObjectStore {
  const count = async <T>(call: StoreCall, ask: () => Promise<T>): Promise<T> => {
    onCall(call);
    return ask();
  };
  return {
    identity: store.identity,
    put: (key, source) => count("put", () => store.put(key, source)),
    get: (key) => count("get", () => store.get(key)),
    head: (key) => count("head", () => store.head(key)),
    list: (request) => count("list", () => store.list(request)),
    delete: (keys) => count("delete", () => store.delete(keys)),
  };
}
