import { describe, expect, it } from "vitest";
import { closeHour } from "../../src/admin/close-hour.ts";
import type { CloseOutcome, ShardBufferContract } from "../../src/buffer/contract.ts";
import { HOUR, millis } from "../../src/units.ts";
import { makeShards, openFakeShards, openLostDirectory } from "./fake-shards.ts";

const IDENTITY = { tenant: "acme", signal: "logs" } as const;
const FIRST = millis(Date.UTC(2026, 4, 1, 14));
const SOON = { hour: FIRST, now: FIRST + HOUR + 300_000 };
const KEPT: CloseOutcome = { kind: "promised", pendingBefore: false };

function openShards(...outcomes: (CloseOutcome | Error)[]): {
  access: ReturnType<typeof openFakeShards>;
  ends: number[];
} {
  const ends: number[] = [];
  const access = openFakeShards({
    shards: makeShards(outcomes.length),
    answer: ({ shard }): Partial<ShardBufferContract> => ({
      closeHour: async (end) => {
        ends.push(end);
        const outcome = outcomes[shard] ?? KEPT;
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
    }),
  });
  return { access, ends };
}

describe("closeHour()", () => {
  it("is closed when every shard has promised the hour's end", async () => {
    const { access, ends } = openShards(KEPT, KEPT);

    expect(await closeHour(access, IDENTITY, SOON)).toBe("closed");
    expect(ends).toEqual([FIRST + HOUR, FIRST + HOUR]);
  });

  it("is closed without shards", async () => {
    expect(await closeHour(openFakeShards({ shards: [] }), IDENTITY, SOON)).toBe("closed");
  });

  it.each<[string, CloseOutcome | Error]>([
    ["has a batch to store", { kind: "promised", pendingBefore: true }],
    ["refuses", { kind: "refused", reason: "ahead" }],
    ["cannot be reached", new Error("Network connection lost.")],
    ["is of an older release", new TypeError('The RPC receiver does not implement the method "closeHour".')],
  ])("is open while a shard %s, and asks the others all the same", async (_what, outcome) => {
    const { access, ends } = openShards(KEPT, outcome, KEPT);

    expect(await closeHour(access, IDENTITY, SOON)).toBe("open");
    expect(ends).toHaveLength(3);
  });

  it("is open while the Directory cannot be asked", async () => {
    expect(await closeHour(openLostDirectory(), IDENTITY, SOON)).toBe("open");
  });

  it("waits no longer than six hours", async () => {
    const { access } = openShards(new Error("Network connection lost."));

    expect(await closeHour(access, IDENTITY, { hour: FIRST, now: FIRST + 7 * HOUR - 1 })).toBe("open");
    expect(await closeHour(access, IDENTITY, { hour: FIRST, now: FIRST + 7 * HOUR })).toBe("closed");
  });
});
