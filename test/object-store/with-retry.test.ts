import { describe, expect, it } from "vitest";
import { FirnError, type ErrorKind } from "../../src/errors.ts";
import type { StoreCall } from "../../src/object-store/contract.ts";
import { withFaults, type Fault, type FaultyStore } from "../../src/object-store/memory/faults.ts";
import { openMemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { RETRY_DEFAULTS, withRetry, type RetryDeps } from "../../src/object-store/with-retry.ts";
import { describeObjectStore } from "../conformance/object-store.ts";
import { read, sourceOf } from "../conformance/put-source.ts";
import { callsOf, STORE_CALLS } from "./store-calls.ts";

describeObjectStore("withRetry()", () => withRetry(openMemoryStore(), toDeps()));

function toDeps(waits: number[] = [], random = 0.5): RetryDeps {
  return {
    sleep: async (duration) => {
      waits.push(duration);
    },
    random: () => random,
  };
}

/** A store whose calls of one name all fail. */
function failing(call: StoreCall, error?: Error): FaultyStore {
  const faults = Array.from({ length: 9 }, (_, index): Fault => {
    const fault = { call, nth: index + 1, moment: "before" } as const;
    return error === undefined ? fault : { ...fault, error };
  });
  return withFaults(openMemoryStore(), faults);
}

describe("withRetry()", () => {
  it.each(STORE_CALLS)("makes %s() as often as its policy says", async (call) => {
    const store = failing(call);
    const waits: number[] = [];

    const asked = callsOf(withRetry(store, toDeps(waits)), await sourceOf(new Uint8Array(1)))[call]();

    const attempts = call === "put" || call === "completeMultipart" ? 1 : 3;
    await expect(asked).rejects.toMatchObject({ kind: "store_unavailable" });
    expect(store.fired).toHaveLength(attempts);
    expect(waits).toEqual([100, 200].slice(0, attempts - 1));
  });

  it.each<ErrorKind>(["store_refused", "object_not_found", "object_changed", "object_frozen"])(
    "does not repeat a call that failed with %s",
    async (kind) => {
      const error = new FirnError(kind, "Cannot get");
      const store = failing("get", error);

      await expect(withRetry(store, toDeps()).get("key")).rejects.toBe(error);

      expect(store.fired).toHaveLength(1);
    },
  );

  it("does not repeat a caller's mistake", async () => {
    const error = new RangeError("Cannot delete 1001 objects");
    const store = failing("delete", error);

    await expect(withRetry(store, toDeps()).delete([])).rejects.toBe(error);

    expect(store.fired).toHaveLength(1);
  });

  it("answers with what a later attempt gave", async () => {
    const memory = openMemoryStore();
    const source = await sourceOf(new Uint8Array(3));
    const store = withFaults(memory, [
      { call: "put", nth: 1, moment: "before" },
      { call: "put", nth: 2, moment: "after" },
    ]);

    const outcome = await withRetry(store, toDeps(), { ...RETRY_DEFAULTS, put: 3 }).put("key", source);

    expect(outcome).toMatchObject({ kind: "exists", info: { sha256Hex: source.sha256.toHex() } });
    expect(source.state).toMatchObject({ opens: 2, closes: 2 });
    expect(await read(await memory.get("key"))).toEqual(new Uint8Array(3));
  });

  it.each([
    { retryAfterSeconds: 2, random: 0.99, wait: 2000 },
    { retryAfterSeconds: 3600, random: 0, wait: 10_000 },
    { retryAfterSeconds: 0, random: 0.99, wait: 198 },
  ])("waits $wait ms when the store asks for $retryAfterSeconds s", async ({ retryAfterSeconds, random, wait }) => {
    const waits: number[] = [];
    const store = failing("head", new FirnError("store_unavailable", "Cannot head: slow down", { retryAfterSeconds }));

    await expect(withRetry(store, toDeps(waits, random)).head("key")).rejects.toThrow("slow down");

    expect(waits[0]).toBe(wait);
  });

  it("waits no longer than its bound, however often it tries", async () => {
    const waits: number[] = [];
    const store = failing("head");

    const asked = withRetry(store, toDeps(waits, 0.999), { ...RETRY_DEFAULTS, head: 9 }).head("key");

    await expect(asked).rejects.toMatchObject({ kind: "store_unavailable" });
    expect(Math.max(...waits)).toBe(4995);
    expect(waits).toHaveLength(8);
  });
});
