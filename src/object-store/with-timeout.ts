/**
 * Bounds every call in time: a store that does not answer is `store_unavailable`, not a wait without end (reliability
 * F-09). A put may take as long as it likes while its source is being read: what is bounded is a pause. A call that was
 * given up may still take effect, as after any failure; a put's source is not read any further, and its signal fires.
 */
import { FirnError } from "../errors.ts";
import { STORE_CALL_TIMEOUT, STORE_PUT_TIMEOUT } from "../limits.ts";
import { watchStalls, type StallWatch } from "../stall-watch.ts";
import type { Millis } from "../units.ts";
import type { ObjectStore, PutOutcome, PutSource, StoreCall } from "./contract.ts";

/** How long a call may take. */
export interface Timeouts {
  /** From the end of a put's source to the answer, while the store writes; all of a part, and of a completion. */
  readonly put: Millis;
  /** Any other call; for `get`, until the stream is there. In a put, the pause until its source moves on. */
  readonly call: Millis;
}

/** What holds where nobody says otherwise. */
export const DEFAULT_TIMEOUTS: Timeouts = { put: STORE_PUT_TIMEOUT, call: STORE_CALL_TIMEOUT };

/** Wraps a store. */
export function withTimeout(store: ObjectStore, timeouts: Timeouts = DEFAULT_TIMEOUTS): ObjectStore {
  const { put, call } = timeouts;
  return {
    identity: store.identity,
    traits: store.traits,
    put: (key, source) => putUnlessStalled(store, { key, source }, timeouts),
    get: (key, options) => {
      const asked = store.get(key, options);
      return bound(asked, { call: "get", timeout: call, onTimeout: () => cancelLater(asked) });
    },
    head: (key) => bound(store.head(key), { call: "head", timeout: call }),
    list: (request) => bound(store.list(request), { call: "list", timeout: call }),
    delete: (keys, options) => bound(store.delete(keys, options), { call: "delete", timeout: call }),
    createMultipart: (key, contentType) =>
      bound(store.createMultipart(key, contentType), { call: "createMultipart", timeout: call }),
    putPart: (upload, number, bytes) => bound(store.putPart(upload, number, bytes), { call: "putPart", timeout: put }),
    completeMultipart: (upload, parts, sha256Hex) =>
      bound(store.completeMultipart(upload, parts, sha256Hex), { call: "completeMultipart", timeout: put }),
    abortMultipart: (upload) => bound(store.abortMultipart(upload), { call: "abortMultipart", timeout: call }),
  };
}

interface Bound {
  readonly call: StoreCall;
  readonly timeout: Millis;
  readonly onTimeout?: () => void;
}

async function bound<T>(asked: Promise<T>, { call, timeout, onTimeout }: Bound): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    onTimeout?.();
    late.reject(unanswered(call, `it did not answer within ${timeout} ms`));
  }, timeout);
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function putUnlessStalled(
  store: ObjectStore,
  { key, source }: { readonly key: string; readonly source: PutSource },
  timeouts: Timeouts,
): Promise<PutOutcome> {
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const watch = watchStalls(timeouts.call, (limit) => {
    const error = unanswered("put", `nothing moved for ${limit} ms`);
    controller.abort(error);
    late.reject(error);
  });
  watch.wait();
  try {
    return await Promise.race([store.put(key, watched(source, { watch, controller, timeouts })), late.promise]);
  } finally {
    watch.end();
  }
}

interface Watching {
  readonly watch: StallWatch;
  readonly controller: AbortController;
  readonly timeouts: Timeouts;
}

/** The same source, which tells the watch of every step, and throws once its put was given up. */
function watched(source: PutSource, { watch, controller, timeouts }: Watching): PutSource {
  const signal = source.signal === undefined ? controller.signal : AbortSignal.any([source.signal, controller.signal]);
  return {
    ...source,
    signal,
    open: async function* () {
      watch.wait();
      for await (const piece of source.open()) {
        signal.throwIfAborted();
        watch.wait();
        yield piece;
        watch.wait();
      }
      watch.wait(timeouts.put);
    },
  };
}

function unanswered(call: StoreCall, found: string): FirnError {
  return new FirnError("store_unavailable", `Cannot ${call} in the store: ${found}`);
}

/** A stream that arrives after its call was given up would hold a connection until somebody cancels it. */
function cancelLater(asked: Promise<ReadableStream<Uint8Array>>): void {
  void asked.then((stream) => stream.cancel()).catch(() => undefined);
}
