import { describe, expect, it } from "vitest";
import { FirnError } from "../../../src/errors.ts";
import { withFaults } from "../../../src/object-store/memory/faults.ts";
import { openMemoryStore } from "../../../src/object-store/memory/memory-store.ts";
import { describeObjectStore } from "../../conformance/object-store.ts";
import { sourceOf } from "../../conformance/put-source.ts";
import { callsOf, STORE_CALLS } from "../store-calls.ts";

describeObjectStore("withFaults() without faults", () => withFaults(openMemoryStore(), []));

const BYTES = new Uint8Array([1, 2, 3]);

describe("withFaults()", () => {
  it("fails before the effect", async () => {
    const store = withFaults(openMemoryStore(), [{ call: "put", nth: 1, moment: "before" }]);

    await expect(store.put("key", await sourceOf(BYTES))).rejects.toMatchObject({ kind: "store_unavailable" });
    expect(await store.head("key")).toBeNull();
    expect(await store.put("key", await sourceOf(BYTES))).toMatchObject({ kind: "stored" });
  });

  it("fails after the effect, at the call that was named", async () => {
    const error = new FirnError("store_refused", "Cannot reach the store: no such bucket");
    const store = withFaults(openMemoryStore(), [{ call: "put", nth: 2, moment: "after", error }]);

    await store.put("one", await sourceOf(BYTES));
    await expect(store.put("two", await sourceOf(BYTES))).rejects.toBe(error);

    expect(await store.put("two", await sourceOf(BYTES))).toMatchObject({ kind: "exists" });
  });

  it("fails any call", async () => {
    const source = await sourceOf(BYTES);
    const faults = STORE_CALLS.map((call) => ({ call, nth: 1, moment: "before" }) as const);
    const store = withFaults(openMemoryStore(), faults);

    for (const ask of Object.values(callsOf(store, source))) {
      await expect(ask()).rejects.toMatchObject({ kind: "store_unavailable" });
    }

    expect(store.fired).toEqual(faults);
  });

  it("proves that a fault fired", async () => {
    const faults = [
      { call: "delete", nth: 1, moment: "before" },
      { call: "list", nth: 7, moment: "before" },
    ] as const;
    const store = withFaults(openMemoryStore(), faults);

    await expect(store.delete(["key"])).rejects.toThrow("delete 1 fails before its effect, as planned");

    expect(store.fired).toEqual([faults[0]]);
  });
});
