import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { aroundCalls } from "../../src/object-store/around-calls.ts";
import type { ObjectStore, PutSource, StoreCall } from "../../src/object-store/contract.ts";
import { openMemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { withTimeout } from "../../src/object-store/with-timeout.ts";
import { millis } from "../../src/units.ts";
import { describeObjectStore } from "../conformance/object-store.ts";
import { sourceOf } from "../conformance/put-source.ts";
import { callsOf, STORE_CALLS } from "./store-calls.ts";

describeObjectStore("withTimeout()", () => withTimeout(openMemoryStore()));

const LIMITS = { put: millis(4000), call: millis(1000) };
/** A stall is noticed at most a quarter of the shorter limit late. */
const CALL_STALL = 1250;
const PUT_STALL = 4250;

/** A store that answers when the test says so, and then with the memory store's answer. */
function openSlowStore(): { readonly store: ObjectStore; readonly answer: () => void } {
  const gate = Promise.withResolvers<void>();
  const store = aroundCalls(openMemoryStore(), async (_call, ask) => {
    await gate.promise;
    return ask();
  });
  return { store, answer: () => gate.resolve() };
}

/** A store that takes a put's source piece by piece, as the test says, and answers when it says so. */
function openSteppedStore(): {
  readonly store: ObjectStore;
  readonly step: () => Promise<boolean>;
  /** The source that the store was given. */
  readonly source: () => PutSource | null;
} {
  let iterator: AsyncIterator<Uint8Array> | null = null;
  let given: PutSource | null = null;
  const put = (_key: string, source: PutSource): Promise<never> => {
    iterator = source.open()[Symbol.asyncIterator]();
    given = source;
    return new Promise(() => undefined);
  };
  return {
    store: { ...openMemoryStore(), put },
    step: async () => (await iterator?.next())?.done === true,
    source: () => given,
  };
}

describe("withTimeout()", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each<StoreCall>(STORE_CALLS)("gives up %s()", async (call) => {
    const store = withTimeout(openSlowStore().store, LIMITS);
    const asked = callsOf(store, await sourceOf(new Uint8Array(10)))[call]();
    const limit = call === "putPart" || call === "completeMultipart" ? LIMITS.put : LIMITS.call;
    const outcome = expect(asked).rejects.toMatchObject({
      kind: "store_unavailable",
      message: expect.stringMatching(new RegExp(`^Cannot ${call} in the store: .* ${limit} ms$`)),
    });

    await vi.advanceTimersByTimeAsync(call === "put" ? CALL_STALL : limit);

    await outcome;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets a put take any time while its source moves", async () => {
    const stepped = openSteppedStore();
    const source = await sourceOf(new Uint8Array(1_000_000));
    let failure: unknown = null;
    withTimeout(stepped.store, LIMITS)
      .put("key", source)
      .catch((error: unknown) => (failure = error));

    for (let pieces = 0; pieces < 20; pieces++) {
      expect(await stepped.step()).toBe(false);
      await vi.advanceTimersByTimeAsync(900);
    }
    expect(await stepped.step()).toBe(true);
    await vi.advanceTimersByTimeAsync(3900);
    expect(failure).toBeNull();
    await vi.advanceTimersByTimeAsync(PUT_STALL - 3900);

    expect(failure).toMatchObject({ kind: "store_unavailable", message: expect.stringContaining("4000 ms") });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives up a put that stops reading its source, and tells the store so", async () => {
    const stepped = openSteppedStore();
    const source = await sourceOf(new Uint8Array(1_000_000));
    const asked = withTimeout(stepped.store, LIMITS).put("key", source);
    const outcome = expect(asked).rejects.toMatchObject({ kind: "store_unavailable" });
    await stepped.step();

    await vi.advanceTimersByTimeAsync(CALL_STALL);

    await outcome;
    expect(stepped.source()?.signal?.reason).toMatchObject({ kind: "store_unavailable" });
    await expect(stepped.step()).rejects.toMatchObject({ kind: "store_unavailable" });
    expect(source.state.closes).toBe(1);
  });

  it("reads no more of a source whose put was given up, and stores nothing then", async () => {
    const slow = openSlowStore();
    const source = await sourceOf(new Uint8Array(200_000));
    const asked = withTimeout(slow.store, LIMITS).put("key", source);
    const outcome = expect(asked).rejects.toMatchObject({ kind: "store_unavailable" });
    await vi.advanceTimersByTimeAsync(CALL_STALL);
    await outcome;

    slow.answer();
    await vi.advanceTimersByTimeAsync(1);

    expect(source.state).toMatchObject({ opens: 1, closes: 1 });
    expect(await slow.store.head("key")).toBeNull();
  });

  it("passes on the MD5 and the signal of a source", async () => {
    const stepped = openSteppedStore();
    const controller = new AbortController();
    const md5 = new Uint8Array(16).fill(5);
    const source = { ...(await sourceOf(new Uint8Array(10))), md5, signal: controller.signal };
    withTimeout(stepped.store, LIMITS)
      .put("key", source)
      .catch(() => undefined);

    controller.abort(new Error("nobody waits"));

    expect(stepped.source()).toMatchObject({ length: 10, md5, sha256: source.sha256 });
    expect(stepped.source()?.signal?.reason).toMatchObject({ message: "nobody waits" });
  });

  it("leaves no timer behind an answer", async () => {
    const memory = openMemoryStore();
    const store = withTimeout(memory, LIMITS);

    await store.put("key", await sourceOf(new Uint8Array(100_000)));
    await expect(store.put("key", await sourceOf(new Uint8Array(1), { length: 2 }))).rejects.toThrow(RangeError);
    await store.head("key");
    await expect(store.get("missing")).rejects.toMatchObject({ kind: "object_not_found" });

    expect(vi.getTimerCount()).toBe(0);
  });

  it("cancels a stream that arrives too late", async () => {
    const late = Promise.withResolvers<ReadableStream<Uint8Array>>();
    const cancelled = Promise.withResolvers<string>();
    const store = withTimeout({ ...openMemoryStore(), get: () => late.promise }, LIMITS);
    const outcome = expect(store.get("key")).rejects.toMatchObject({ kind: "store_unavailable" });
    await vi.advanceTimersByTimeAsync(LIMITS.call);
    await outcome;

    late.resolve(new ReadableStream({ cancel: () => cancelled.resolve("cancelled") }));

    expect(await cancelled.promise).toBe("cancelled");
  });

  it("keeps the identity and the traits of its store", () => {
    const store = { ...openMemoryStore("x"), traits: { createOnly: "checked", sendsMd5: true } as const };

    expect(withTimeout(store)).toMatchObject({ identity: "memory:x", traits: store.traits });
  });
});
