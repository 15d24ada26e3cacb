/**
 * Bounds every call in time: a store that does not answer is `store_unavailable`, not a wait without end (reliability
 * F-09). A call that was given up may still take effect, as after any failure; a put's source is not read any further.
 */
import { FirnError } from "../errors.ts";
import { STORE_CALL_TIMEOUT, STORE_PUT_TIMEOUT } from "../limits.ts";
import type { Millis } from "../units.ts";
import type { ObjectStore, PutSource, StoreCall } from "./contract.ts";

/** How long a call may take. */
export interface Timeouts {
  readonly put: Millis;
  /** Any other call; for `get`, until the stream is there, not until it was read. */
  readonly call: Millis;
}

const DEFAULTS: Timeouts = { put: STORE_PUT_TIMEOUT, call: STORE_CALL_TIMEOUT };

/** Wraps a store. */
export function withTimeout(store: ObjectStore, timeouts: Timeouts = DEFAULTS): ObjectStore {
  const { put, call } = timeouts;
  return {
    identity: store.identity,
    put: (key, source) => {
      const controller = new AbortController();
      const asked = store.put(key, stopWhen(source, controller.signal));
      return bound(asked, { call: "put", timeout: put, onTimeout: (error) => controller.abort(error) });
    },
    get: (key) => {
      const asked = store.get(key);
      return bound(asked, { call: "get", timeout: call, onTimeout: () => cancelLater(asked) });
    },
    head: (key) => bound(store.head(key), { call: "head", timeout: call }),
    list: (request) => bound(store.list(request), { call: "list", timeout: call }),
    delete: (keys) => bound(store.delete(keys), { call: "delete", timeout: call }),
  };
}

interface Bound {
  readonly call: StoreCall;
  readonly timeout: Millis;
  readonly onTimeout?: (error: FirnError) => void;
}

async function bound<T>(asked: Promise<T>, { call, timeout, onTimeout }: Bound): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `Cannot ${call} in the store: it did not answer within ${timeout} ms`;
    const error = new FirnError("store_unavailable", message);
    onTimeout?.(error);
    late.reject(error);
  }, timeout);
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same source, which throws once its put was given up. */
function stopWhen(source: PutSource, signal: AbortSignal): PutSource {
  return {
    length: source.length,
    sha256: source.sha256,
    contentType: source.contentType,
    open: async function* () {
      for await (const piece of source.open()) {
        signal.throwIfAborted();
        yield piece;
      }
    },
  };
}

/** A stream that arrives after its call was given up would hold a connection until somebody cancels it. */
function cancelLater(asked: Promise<ReadableStream<Uint8Array>>): void {
  asked.then(
    (stream) => stream.cancel(),
    () => undefined,
  );
}
