/**
 * The crash-point sweep of reliability 5.2 and the fault sweep of 5.3 over append, seal, PUT, proof and forget: every
 * outside effect is numbered, and for each one the shard dies there, or fails there and lives on.
 */
import { describe, expect, it } from "vitest";
import { drain, onAlarm } from "../../src/buffer/flush.ts";
import { makeMember, memberNumbers, storedBytes, withShard, type ShardKit } from "./shard-kit.ts";

const MEMBERS = [1, 2, 3, 4];

/** Makes every outside effect ask `decide`, which gets its number and name. */
function instrument(kit: ShardKit, decide: (call: number, point: string) => void): void {
  let calls = 0;
  const hit = (point: string): void => decide((calls += 1), point);
  kit.gate = hit;
  kit.store.onPut = () => hit("put.before");
  kit.store.afterPut = () => hit("put.after");
}

/** Two requests in one group, a flush, two more and a flush. @returns numbers that were acknowledged */
async function runScenario(kit: ShardKit, acknowledged: Set<number>): Promise<void> {
  const send = async (number: number): Promise<void> => {
    const { kind } = await kit.append(makeMember(number));
    if (kind !== "unavailable") acknowledged.add(number);
  };
  await Promise.allSettled([send(1), send(2)]);
  await onAlarm(await kit.live());
  kit.now += 60_000;
  await onAlarm(await kit.live());
  await Promise.allSettled([send(3), send(4)]);
  kit.now += 60_000;
  await onAlarm(await kit.live());
}

/** The clients retry what was not acknowledged, the shard drains, and everything stands in the store once. */
async function recoverAndCheck(kit: ShardKit, acknowledged: ReadonlySet<number>, label: string): Promise<void> {
  kit.gate = () => undefined;
  kit.store.onPut = () => undefined;
  kit.store.afterPut = () => undefined;
  await kit.restart();
  for (const number of MEMBERS) {
    const { kind } = await kit.append(makeMember(number));
    if (acknowledged.has(number)) expect(kind, `${label}: retry of ${number}`).toBe("copy");
  }
  kit.now += 3_600_000;
  await drain(kit.shard, "all");
  const numbers = memberNumbers(storedBytes(kit.store)).toSorted((a, b) => a - b);
  expect(numbers, label).toEqual(MEMBERS);
  expect(kit.shard.batches.size, label).toBe(0);
}

async function countCalls(): Promise<{ readonly count: number; readonly points: ReadonlySet<string> }> {
  const points = new Set<string>();
  let count = 0;
  await withShard(async (kit) => {
    instrument(kit, (call, point) => {
      count = call;
      points.add(point);
    });
    await runScenario(kit, new Set());
  });
  return { count, points };
}

describe("a shard", () => {
  it("meets every kind of outside effect in the scenario", async () => {
    const { count, points } = await countCalls();

    expect([...points].toSorted()).toEqual([
      "alarm.before",
      "put.after",
      "put.before",
      "register",
      "sync.after",
      "sync.before",
      "transaction.after",
      "transaction.before",
    ]);
    expect(count).toBeGreaterThan(30);
  });

  it("loses and doubles nothing when it dies at any effect", { timeout: 60_000 }, async () => {
    const { count } = await countCalls();
    for (let death = 1; death <= count; death += 1) {
      await withShard(async (kit) => {
        const acknowledged = new Set<number>();
        let fired = "";
        instrument(kit, (call, point) => {
          if (call === death) fired = point;
          // Once dead, nothing of the old instance has an effect any more.
          if (call >= death) throw new Error("killed");
        });
        await runScenario(kit, acknowledged);

        expect(fired, `call ${death}`).not.toBe("");
        await recoverAndCheck(kit, acknowledged, `killed at call ${death}, ${fired}`);
      });
    }
  });

  it("loses and doubles nothing when any single effect fails and it lives on", { timeout: 60_000 }, async () => {
    const { count } = await countCalls();
    for (let fault = 1; fault <= count; fault += 1) {
      await withShard(async (kit) => {
        const acknowledged = new Set<number>();
        let fired = "";
        instrument(kit, (call, point) => {
          if (call !== fault) return;
          fired = point;
          throw new Error("fault");
        });
        await runScenario(kit, acknowledged);

        expect(fired, `call ${fault}`).not.toBe("");
        for (let run = 0; run < 4; run += 1) {
          kit.now += 120_000;
          await onAlarm(await kit.live());
        }
        const stored = memberNumbers(storedBytes(kit.store)).toSorted((a, b) => a - b);
        expect(stored, `fault at call ${fault}, ${fired}`).toEqual([...new Set(stored)]);
        for (const number of acknowledged) expect(stored, `fault at call ${fault}, ${fired}`).toContain(number);
        await recoverAndCheck(kit, acknowledged, `fault at call ${fault}, ${fired}`);
      });
    }
  });
});
