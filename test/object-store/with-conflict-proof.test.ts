import { describe, expect, it } from "vitest";
import type { ObjectInfo, ObjectStore } from "../../src/object-store/contract.ts";
import { openMemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { withConflictProof } from "../../src/object-store/with-conflict-proof.ts";
import { describeObjectStore } from "../conformance/object-store.ts";
import { hexOf, patternOf, sourceOf } from "../conformance/put-source.ts";

describeObjectStore("withConflictProof()", () => withConflictProof(openMemoryStore()));

const BYTES = patternOf(100_000);
const OTHER = patternOf(50);

/** A store in which these bytes stand under "key", and which describes them otherwise. */
async function openLying(bytes: Uint8Array, lie: Partial<ObjectInfo>): Promise<ObjectStore> {
  const memory = openMemoryStore();
  await memory.put("key", await sourceOf(bytes));
  const put: ObjectStore["put"] = async (key, source) => {
    const outcome = await memory.put(key, source);
    return { ...outcome, info: { ...outcome.info, ...lie } };
  };
  return { ...memory, put };
}

describe("withConflictProof()", () => {
  it.each([
    ["no digest", { sha256Hex: null }],
    ["another digest", { sha256Hex: "0".repeat(64) }],
  ])("reads an object that is described with %s, and tells that it is the same", async (_what, lie) => {
    const store = withConflictProof(await openLying(BYTES, lie));

    const outcome = await store.put("key", await sourceOf(BYTES));

    expect(outcome).toMatchObject({
      kind: "exists",
      info: { length: BYTES.length, sha256Hex: await hexOf(BYTES) },
    });
  });

  it("tells the digest of another object that was read", async () => {
    const store = withConflictProof(await openLying(OTHER, { sha256Hex: null }));

    const outcome = await store.put("key", await sourceOf(BYTES));

    expect(outcome).toMatchObject({
      kind: "exists",
      info: { length: OTHER.length, sha256Hex: await hexOf(OTHER) },
    });
  });

  it.each([
    ["no ETag", { length: 0, sha256Hex: null, etag: null }, "without an ETag"],
    ["a length that it does not have", { length: 0, sha256Hex: null }, "it has 100000 bytes, and the store says 0"],
    ["the ETag of another one", { sha256Hex: null, etag: "other" }, "it is another one than the store described"],
  ])("makes no conflict of a description with %s", async (_what, lie, message) => {
    const store = withConflictProof(await openLying(BYTES, lie));

    await expect(store.put("key", await sourceOf(BYTES))).rejects.toMatchObject({
      kind: "store_unavailable",
      message: expect.stringContaining(message),
    });
  });

  it("reads nothing when the description is right, or the key was free", async () => {
    const memory = openMemoryStore();
    const store = withConflictProof({ ...memory, get: () => Promise.reject(new Error("not read")) });

    const outcomes = [await store.put("key", await sourceOf(BYTES)), await store.put("key", await sourceOf(BYTES))];

    expect(outcomes.map(({ kind }) => kind)).toEqual(["stored", "exists"]);
  });
});
