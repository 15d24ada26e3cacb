/**
 * The crash-point sweep of reliability 5.2 and the fault sweep of 5.3 over append, seal, PUT, proof and forget: every
 * outside effect is numbered, and for each one the shard dies there, or fails there and lives on.
 */
import { describe, expect, it } from "vitest";
import { drain, onAlarm } from "../../src/buffer/flush.ts";
import { PROTOBUF, SAMPLES, type Sample } from "./samples.ts";
import { storedBytes, withShard, type ShardKit } from "./shard-kit.ts";

const MEMBERS = [1, 2, 3, 4, 5];

/** Makes every outside effect ask `decide`, which gets its number and name. */
function instrument(kit: ShardKit, decide: (call: number, point: string) => void): void {
  let calls = 0;
  const hit = (point: string): void => decide((calls += 1), point);
  kit.gate = hit;
  kit.store.onPut = () => hit("put.before");
  kit.store.afterPut = () => hit("put.after");
}

/** Two requests in one group, one more, a flush, two more and a flush; notes the numbers that were acknowledged. */
async function runScenario(kit: ShardKit, sample: Sample, acknowledged: Set<number>): Promise<void> {
  const members = await Promise.all([0, ...MEMBERS].map((number) => sample.make(number)));
  const send = async (number: number): Promise<void> => {
    const { kind } = await kit.append(members[number] ?? new Uint8Array(0), sample.head);
    if (kind !== "unavailable") acknowledged.add(number);
  };
  await Promise.allSettled([send(1), send(2)]);
  await Promise.allSettled([send(5)]);
  await onAlarm(await kit.live());
  kit.now += 60_000;
  await onAlarm(await kit.live());
  await Promise.allSettled([send(3), send(4)]);
  kit.now += 60_000;
  await onAlarm(await kit.live());
}

interface Ran {
  readonly acknowledged: ReadonlySet<number>;
  readonly label: string;
}

/** The clients retry what was not acknowledged, the shard drains, and everything stands in the store once. */
async function recoverAndCheck(kit: ShardKit, sample: Sample, { acknowledged, label }: Ran): Promise<void> {
  kit.gate = () => undefined;
  kit.store.onPut = () => undefined;
  kit.store.afterPut = () => undefined;
  await kit.restart();
  for (const number of MEMBERS) {
    const { kind } = await kit.append(await sample.make(number), sample.head);
    if (acknowledged.has(number)) expect(kind, `${label}: retry of ${number}`).toBe("copy");
  }
  kit.now += 3_600_000;
  await drain(kit.shard, "all");
  const numbers = await sample.numbersOf(storedBytes(kit.store));
  expect(
    numbers.toSorted((a, b) => a - b),
    label,
  ).toEqual(MEMBERS);
  expect(kit.shard.batches.size, label).toBe(0);
}

async function countCalls(sample: Sample): Promise<{ readonly count: number; readonly points: ReadonlySet<string> }> {
  const points = new Set<string>();
  let count = 0;
  await withShard(async (kit) => {
    instrument(kit, (call, point) => {
      count = call;
      points.add(point);
    });
    await runScenario(kit, sample, new Set());
  });
  return { count, points };
}

describe("a shard", () => {
  it("meets every kind of outside effect in the scenario", async () => {
    const { count, points } = await countCalls(PROTOBUF);

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

  it.each(SAMPLES)(
    "loses and doubles nothing of $name when it dies at any effect",
    { timeout: 60_000 },
    async (sample) => {
      const { count } = await countCalls(sample);
      for (let death = 1; death <= count; death += 1) {
        await withShard(async (kit) => {
          const acknowledged = new Set<number>();
          let fired = "";
          instrument(kit, (call, point) => {
            if (call === death) fired = point;
            // Once dead, nothing of the old instance has an effect any more.
            if (call >= death) throw new Error("killed");
          });
          await runScenario(kit, sample, acknowledged);

          expect(fired, `call ${death}`).not.toBe("");
          await recoverAndCheck(kit, sample, { acknowledged, label: `killed at call ${death}, ${fired}` });
        });
      }
    },
  );

  it.each(SAMPLES)(
    "loses and doubles nothing of $name when any single effect fails",
    { timeout: 60_000 },
    async (sample) => {
      const { count } = await countCalls(sample);
      for (let fault = 1; fault <= count; fault += 1) {
        await withShard(async (kit) => {
          const acknowledged = new Set<number>();
          let fired = "";
          instrument(kit, (call, point) => {
            if (call !== fault) return;
            fired = point;
            throw new Error("fault");
          });
          await runScenario(kit, sample, acknowledged);

          expect(fired, `call ${fault}`).not.toBe("");
          for (let run = 0; run < 4; run += 1) {
            kit.now += 120_000;
            await onAlarm(await kit.live());
          }
          const stored = await sample.numbersOf(storedBytes(kit.store));
          expect(stored, `fault at call ${fault}, ${fired}`).toHaveLength(new Set(stored).size);
          for (const number of acknowledged) expect(stored, `fault at call ${fault}, ${fired}`).toContain(number);
          await recoverAndCheck(kit, sample, { acknowledged, label: `fault at call ${fault}, ${fired}` });
        });
      }
    },
  );
});
