/**
 * Makes a call again that failed for a passing reason, `store_unavailable`, and no other: every call of the contract
 * may be repeated. Waits with full jitter, so that those whom one fault hit do not come back together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
import { FirnError } from "../errors.ts";
import { STORE_RETRY_AFTER_MAX, STORE_RETRY_ATTEMPTS, STORE_RETRY_WAIT_MAX, STORE_RETRY_WAIT_MIN } from "../limits.ts";
import { millis, type Millis } from "../units.ts";
import { aroundCalls } from "./around-calls.ts";
import type { ObjectStore, StoreCall } from "./contract.ts";

/** How often a call is made, the first time included; 1 is never again. */
export type RetryPolicy = Readonly<Record<StoreCall, number>>;

/** Time and chance, as they are handed in. */
export interface RetryDeps {
  readonly sleep: (duration: Millis) => Promise<void>;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/**
 * Leaves those alone that make objects: who flushes has a back-off of its own without end, and knows what else waits.
 * A `get` that gave its stream has succeeded, whatever becomes of the stream.
 */
export const RETRY_DEFAULTS: RetryPolicy = {
  put: 1,
  get: STORE_RETRY_ATTEMPTS,
  head: STORE_RETRY_ATTEMPTS,
  list: STORE_RETRY_ATTEMPTS,
  delete: STORE_RETRY_ATTEMPTS,
  createMultipart: STORE_RETRY_ATTEMPTS,
  putPart: STORE_RETRY_ATTEMPTS,
  completeMultipart: 1,
  abortMultipart: STORE_RETRY_ATTEMPTS,
};

/** Wraps a store. */
export function withRetry(store: ObjectStore, deps: RetryDeps, policy: RetryPolicy = RETRY_DEFAULTS): ObjectStore {
  return aroundCalls(store, async (call, ask) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (attempt >= policy[call] || !isPassing(error)) throw error;
        await deps.sleep(toWait(attempt, error, deps.random()));
      }
    }
  });
}

function isPassing(error: unknown): error is FirnError {
  return error instanceof FirnError && error.kind === "store_unavailable";
}

/** Anything up to a bound that doubles, and no less than the store asked for, unless that is too long to wait here. */
function toWait(attempt: number, { retryAfterSeconds = 0 }: FirnError, random: number): Millis {
  const longest = Math.min(STORE_RETRY_WAIT_MAX, STORE_RETRY_WAIT_MIN * 2 ** (attempt - 1));
  const asked = Math.min(STORE_RETRY_AFTER_MAX, retryAfterSeconds * 1000);
  return millis(Math.max(asked, Math.floor(random * longest)));
}
