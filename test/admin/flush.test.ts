import { describe, expect, it } from "vitest";
import { flushShards } from "../../src/admin/flush.ts";
import type { FlushReport } from "../../src/buffer/contract.ts";
import { SIGNALS } from "../../src/signal.ts";
import { EMPTY_FLUSH, makeShards, openFakeShards, openLostDirectory } from "./fake-shards.ts";

const DONE: FlushReport = { ...EMPTY_FLUSH, sealedBatches: 1, storedObjects: 2, storedBytes: 300, remainingBatches: 1 };

describe("flushShards()", () => {
  it("adds up what the shards did", async () => {
    const access = openFakeShards({ shards: makeShards(4), answer: () => ({ flush: async () => DONE }) });

    expect(await flushShards(access, "acme", null)).toEqual({
      complete: true,
      sealed_batches: 4,
      stored_objects: 8,
      stored_bytes: 1200,
      remaining_batches: 4,
      errors: [],
    });
  });

  it.each(SIGNALS)("asks only the shards of %s when they are wanted", async (signal) => {
    const shards = SIGNALS.flatMap((each, index) => makeShards(index + 1, each));
    const access = openFakeShards({ shards, answer: () => ({ flush: async () => DONE }) });

    const sealed = SIGNALS.indexOf(signal) + 1;
    expect(await flushShards(access, "acme", signal)).toMatchObject({ complete: true, sealed_batches: sealed });
  });

  it("is not complete when a shard can't be asked, and flushes the others", async () => {
    const access = openFakeShards({
      shards: makeShards(3),
      answer: ({ shard }) => (shard === 0 ? {} : { flush: async () => DONE }),
    });

    expect(await flushShards(access, "acme", null)).toMatchObject({
      complete: false,
      sealed_batches: 2,
      errors: [{ signal: "logs", shard: 0, message: "Network connection lost." }],
    });
  });

  it.each([
    ["store down", "store down"],
    [null, "3 batches are not stored"],
  ])("is not complete when a batch is left over, with the error %j", async (lastError, message) => {
    const report: FlushReport = { ...DONE, failedBatches: 3, remainingBatches: 3, lastError };
    const access = openFakeShards({ shards: makeShards(1), answer: () => ({ flush: async () => report }) });

    expect(await flushShards(access, "acme", null)).toMatchObject({ complete: false, errors: [{ message }] });
  });

  it("fails as unavailable when the Directory can't be reached", async () => {
    await expect(flushShards(openLostDirectory(), "acme", null)).rejects.toMatchObject({ kind: "unavailable" });
  });
});
