/**
 * The crash-point and fault sweeps of reliability 5.2 and 5.3 over closing and the late path: whatever dies or fails
 * where, no seal falls below a promise that was told, and each object that is stored below one is reported.
 */
import { expect, it } from "vitest";
import { closeHour } from "../../src/buffer/closing.ts";
import { drain, onAlarm } from "../../src/buffer/flush.ts";
import { makeMember, withShard, type ShardKit } from "./shard-kit.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const END = Date.UTC(2026, 4, 1, 15);

interface Told {
  /** The highest end that a caller was promised, and what stood in the store by then. */
  end: number;
  readonly storedBefore: Set<string>;
  /** Sealed by then, as far as the store was asked. */
  readonly triedBefore: Set<string>;
}

function sealTime(key: string): number {
  return Number(key.split("/")[1]?.split("-")[0]);
}

async function close(kit: ShardKit, end: number, told: Told): Promise<void> {
  const outcome = await closeHour(await kit.live(), end).catch(() => null);
  if (outcome?.kind !== "promised" || told.end >= end) return;
  told.end = end;
  for (const key of kit.store.objects.keys()) told.storedBefore.add(key);
  for (const key of kit.store.puts) told.triedBefore.add(key);
}

/** A batch is sealed while the store is away, its hour is closed, it is stored; others come, and the next hour. */
async function runScenario(kit: ShardKit, told: Told): Promise<void> {
  let isAway = true;
  const hit = kit.store.onPut;
  kit.store.onPut = (key, source) => {
    void hit(key, source);
    if (isAway) throw new Error("away");
  };
  await kit.append(makeMember(1)).catch(() => undefined);
  kit.now += MINUTE;
  await onAlarm(await kit.live());
  await kit.append(makeMember(2)).catch(() => undefined);
  kit.now = END + 5 * MINUTE;
  await close(kit, END, told);
  isAway = false;
  await onAlarm(await kit.live());
  kit.now += MINUTE;
  await onAlarm(await kit.live());
  await kit.append(makeMember(3)).catch(() => undefined);
  kit.now = END + HOUR - 4 * MINUTE;
  await close(kit, END + HOUR, told);
  await onAlarm(await kit.live());
}

function instrument(kit: ShardKit, decide: (call: number, point: string) => void): void {
  let calls = 0;
  const hit = (point: string): void => decide((calls += 1), point);
  kit.gate = hit;
  kit.store.onPut = () => hit("put.before");
  kit.store.afterPut = () => hit("put.after");
}

async function recoverAndCheck(kit: ShardKit, told: Told, label: string): Promise<void> {
  kit.gate = () => undefined;
  kit.store.onPut = () => undefined;
  kit.store.afterPut = () => undefined;
  await kit.restart();
  for (const number of [1, 2, 3]) await kit.append(makeMember(number));
  for (let round = 0; round < 4; round += 1) {
    kit.now += 2 * MINUTE;
    await onAlarm(await kit.live());
  }
  await drain(await kit.live(), "all");
  for (const key of kit.store.objects.keys()) {
    const below = sealTime(key) < told.end;
    if (below) expect(told.triedBefore, `${label}: sealed below a promise`).toContain(key);
    const hour = sealTime(key) - (sealTime(key) % HOUR);
    if (below && !told.storedBefore.has(key)) expect(kit.reported, `${label}: ${key}`).toContain(hour);
  }
  expect(kit.shard.closing.lateHours.size, label).toBe(0);
  expect(kit.shard.batches.size, label).toBe(0);
}

function newTold(): Told {
  return { end: 0, storedBefore: new Set(), triedBefore: new Set() };
}

async function countCalls(): Promise<{ readonly count: number; readonly points: ReadonlySet<string> }> {
  const points = new Set<string>();
  let count = 0;
  await withShard(async (kit) => {
    kit.now = END - 10 * MINUTE;
    instrument(kit, (call, point) => {
      count = call;
      points.add(point);
    });
    const told = newTold();
    await runScenario(kit, told);
    expect(told.end).toBe(END + HOUR);
    expect(kit.reported).toContain(END - HOUR);
  });
  return { count, points };
}

it("the late path meets every kind of its outside effects in the scenario", async () => {
  const { points } = await countCalls();

  expect([...points]).toEqual(expect.arrayContaining(["report.before", "report.after", "put.after", "sync.after"]));
});

it.each(["dies", "fails"] as const)(
  "a shard keeps its promises and reports what is late when any effect %s",
  { timeout: 60_000 },
  async (what) => {
    const { count } = await countCalls();
    for (let fault = 1; fault <= count; fault += 1) {
      await withShard(async (kit) => {
        kit.now = END - 10 * MINUTE;
        const told = newTold();
        let fired = "";
        instrument(kit, (call, point) => {
          if (call === fault) fired = point;
          if (call === fault || (what === "dies" && call > fault)) throw new Error("killed");
        });
        await runScenario(kit, told);

        expect(fired, `call ${fault}`).not.toBe("");
        await recoverAndCheck(kit, told, `${what} at call ${fault}, ${fired}`);
      });
    }
  },
);
