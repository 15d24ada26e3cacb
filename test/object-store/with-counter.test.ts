import { describe, expect, it } from "vitest";
import type { StoreCall } from "../../src/object-store/contract.ts";
import { openMemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { withCallCounter } from "../../src/object-store/with-counter.ts";
import { describeObjectStore } from "../conformance/object-store.ts";
import { sourceOf } from "../conformance/put-source.ts";

describeObjectStore("withCallCounter()", () => withCallCounter(openMemoryStore(), () => {}));

describe("withCallCounter()", () => {
  it("tells of every call, failed ones too", async () => {
    const calls: StoreCall[] = [];
    const store = withCallCounter(openMemoryStore(), (call) => calls.push(call));

    await store.put("key", await sourceOf(new Uint8Array(1)));
    await store.head("key");
    await (await store.get("key")).cancel();
    await expect(store.get("missing")).rejects.toThrow("missing");
    await store.list({ prefix: "" });
    await store.delete(["key"]);

    expect(calls).toEqual(["put", "head", "get", "get", "list", "delete"]);
  });

  it("makes no call when the budget is spent", async () => {
    const store = withCallCounter(openMemoryStore(), () => {
      throw new Error("budget spent");
    });

    await expect(store.head("key")).rejects.toThrow("budget spent");
  });
});
