/** Tells of every call before it is made, so that an invocation can end itself before the platform's limit. */
import { aroundCalls } from "./around-calls.ts";
import type { ObjectStore, StoreCall } from "./contract.ts";

/** Wraps a store. @param onCall is told the name of each call; what it throws keeps the call from being made. */
export function withCallCounter(store: ObjectStore, onCall: (call: StoreCall) => void): ObjectStore {
  return aroundCalls(store, async (call, ask) => {
    onCall(call);
    return ask();
  });
}
