import { describe, expect, it } from "vitest";
import { FirnError } from "../../../src/errors.ts";
import type { ObjectStore } from "../../../src/object-store/contract.ts";
import { withFaults } from "../../../src/object-store/memory/faults.ts";
import { openMemoryStore } from "../../../src/object-store/memory/memory-store.ts";
import { openGullible, probe, shared } from "./stores.ts";

describe("planSteps()", () => {
  it("finds a store that overwrites", async () => {
    const memory = openMemoryStore();
    const store: ObjectStore = {
      ...memory,
      put: async (key, source) => {
        memory.objects.delete(key);
        return memory.put(key, source);
      },
    };

    const { by } = await probe(shared(store));

    expect(by("write", "create_only")).toMatchObject({ outcome: "failed", kind: "misbehaved", permissions: [] });
  });

  it("finds a store that enforces no digest", async () => {
    const { by } = await probe(shared(openGullible()));

    expect(by("write", "digest")).toMatchObject({
      outcome: "failed",
      kind: "misbehaved",
      message: "bytes were taken under a digest that is not theirs",
    });
  });

  it("finds a store that keeps what it refused", async () => {
    const memory = openMemoryStore();
    const store: ObjectStore = {
      ...openGullible(memory),
      put: async (key, source) => {
        const taken = await openGullible(memory).put(key, source);
        // The same promise broken differently: the object is kept, and the writer is told otherwise.
        return taken.kind === "exists" ? taken : memory.put(`${key}-elsewhere`, source).then(() => taken);
      },
    };

    const { by } = await probe(shared(store));

    expect(by("write", "digest")).toMatchObject({ outcome: "failed", kind: "misbehaved" });
  });

  it("takes no broken connection for a refused digest", async () => {
    const down = new FirnError("store_unavailable", "Cannot reach the store");
    const store = withFaults(openMemoryStore(), [
      { call: "put", nth: 3, moment: "before", error: down },
      { call: "put", nth: 4, moment: "before", error: down },
    ]);

    const { by } = await probe(shared(store));

    expect(store.fired).toHaveLength(2);
    expect(by("write", "digest")).toMatchObject({ outcome: "failed", kind: "store_unavailable" });
  });

  it("finds a store that gives other bytes, and one that lists late", async () => {
    const memory = openMemoryStore();
    const store: ObjectStore = {
      ...memory,
      get: (key) => memory.get(key, {}),
      list: async () => ({ objects: [] }),
    };

    const { by } = await probe(shared(store));

    expect(by("read", "get")).toMatchObject({ outcome: "ok" });
    expect(by("read", "range")).toMatchObject({ outcome: "failed", kind: "misbehaved" });
    expect(by("read", "list")).toMatchObject({ outcome: "failed", kind: "misbehaved" });
  });
});
