import { describe, expect, it } from "vitest";
import { wakeCompactors } from "../../src/admin/compaction-cron.ts";
import type { WorkOrder } from "../../src/compaction/contract.ts";
import { SHARD_FAN_OUT } from "../../src/limits.ts";
import { SIGNALS } from "../../src/signal.ts";
import { millis } from "../../src/units.ts";
import { makeShards, openFakeShards } from "./fake-shards.ts";

const NOW = millis(Date.UTC(2026, 4, 2, 14, 7));

describe("wakeCompactors()", () => {
  it("wakes one Compactor a tenant and signal of items, as of the time of the event", async () => {
    const woken: [string, WorkOrder][] = [];
    const shards = [
      ...SIGNALS.flatMap((signal) => makeShards(2, signal)),
      { tenant: "", signal: "logs", shard: 0 } as const,
    ];
    const access = openFakeShards({
      shards,
      compact: ({ tenant, signal }) => ({
        queueOrder: async (_identity, order) => {
          woken.push([`${tenant}/${signal}`, order]);
        },
      }),
    });

    await wakeCompactors(access, NOW);

    const order = { kind: "recent", now: NOW };
    expect(woken).toEqual([
      ["acme/traces", order],
      ["acme/metrics", order],
      ["acme/logs", order],
      ["/logs", order],
    ]);
  });

  it("looks at the older hours at the beginning of a month", async () => {
    const kinds: string[] = [];
    const access = openFakeShards({
      shards: makeShards(1),
      compact: () => ({ queueOrder: async (_identity, { kind }) => void kinds.push(kind) }),
    });

    await wakeCompactors(access, millis(Date.UTC(2026, 5, 1, 1, 7)));
    await wakeCompactors(access, millis(Date.UTC(2026, 5, 1, 0, 7)));

    expect(kinds).toEqual(["recent", "recent", "older"]);
  });

  it("asks a few at once, and all of them whoever fails", async () => {
    const shards = Array.from(
      { length: 20 },
      (_, index) => ({ tenant: `t${index}`, signal: "logs", shard: 0 }) as const,
    );
    let [running, most, asked] = [0, 0, 0];
    const access = openFakeShards({
      shards,
      pageSize: 7,
      compact: () => ({
        queueOrder: async () => {
          asked += 1;
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => {
            setTimeout(resolve, 1);
          });
          running -= 1;
          if (asked % 2 === 0) throw new Error("Network connection lost.");
        },
      }),
    });

    await wakeCompactors(access, NOW);

    expect(asked).toBe(20);
    expect(most).toBe(SHARD_FAN_OUT);
  });
});
