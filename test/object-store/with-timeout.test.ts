import { describe, expect, it } from "vitest";
import type { ObjectStore, StoreCall } from "../../src/object-store/contract.ts";
import { openMemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { withTimeout } from "../../src/object-store/with-timeout.ts";
import { millis } from "../../src/units.ts";
import { describeObjectStore } from "../conformance/object-store.ts";
import { sourceOf } from "../conformance/put-source.ts";

describeObjectStore("withTimeout()", () => withTimeout(openMemoryStore()));

const SHORT = { put: millis(20), call: millis(10) };

/** A store that answers when the test says so, and then with the memory store's answer. */
function openSlowStore(): ObjectStore & { readonly answer: () => void } {
  const memory = openMemoryStore();
  const gate = Promise.withResolvers<void>();
  const slowly = async <T>(ask: () => Promise<T>): Promise<T> => {
    await gate.promise;
    return ask();
  };
  return {
    answer: () => gate.resolve(),
    identity: memory.identity,
    put: (key, source) => slowly(() => memory.put(key, source)),
    get: (key) => slowly(() => memory.get(key)),
    head: (key) => slowly(() => memory.head(key)),
    list: (request) => slowly(() => memory.list(request)),
    delete: (keys) => slowly(() => memory.delete(keys)),
  };
}

describe("withTimeout()", () => {
  it.each<StoreCall>(["put", "get", "head", "list", "delete"])("gives up %s()", async (call) => {
    const store = withTimeout(openSlowStore(), SHORT);
    const source = await sourceOf(new Uint8Array(10));
    const ask = {
      put: () => store.put("key", source),
      get: () => store.get("key"),
      head: () => store.head("key"),
      list: () => store.list({ prefix: "" }),
      delete: () => store.delete(["key"]),
    };

    await expect(ask[call]()).rejects.toMatchObject({
      kind: "store_unavailable",
      message: `Cannot ${call} in the store: it did not answer within ${call === "put" ? 20 : 10} ms`,
    });
  });

  it("reads no more of a source whose put was given up, and stores nothing then", async () => {
    const slow = openSlowStore();
    const store = withTimeout(slow, SHORT);
    const source = await sourceOf(new Uint8Array(200_000));

    await expect(store.put("key", source)).rejects.toMatchObject({ kind: "store_unavailable" });
    slow.answer();
    await scheduler.wait(1);

    expect(source.state).toMatchObject({ opens: 1, closes: 1 });
    expect(await slow.head("key")).toBeNull();
  });

  it("cancels a stream that arrives too late", async () => {
    const late = Promise.withResolvers<ReadableStream<Uint8Array>>();
    const cancelled = Promise.withResolvers<string>();
    const store = withTimeout({ ...openMemoryStore(), get: () => late.promise }, SHORT);

    await expect(store.get("key")).rejects.toMatchObject({ kind: "store_unavailable" });
    late.resolve(new ReadableStream({ cancel: () => cancelled.resolve("cancelled") }));

    expect(await cancelled.promise).toBe("cancelled");
  });

  it("keeps the identity of its store", () => {
    expect(withTimeout(openMemoryStore("x")).identity).toBe("memory:x");
  });
});
