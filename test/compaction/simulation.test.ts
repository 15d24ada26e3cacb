/**
 * Seeded schedules (reliability 5.6) on real SQLite with real compression, a few of them; thousands of finer ones are
 * in `test/node/compaction/`. Two Compactors on one bucket, each with its own storage and clock, a writer that adds
 * objects to hours that are closed, a reader in the middle, store calls that fail before or after their effect,
 * deaths, lost storage. At all times a reader gives exactly what was put; in the end nothing else is left.
 */
import { describe, expect, it } from "vitest";
import { createRandomShare, type RandomShare } from "../../scripts/fuzz/random.ts";
import { reportLate } from "../../src/compaction/late.ts";
import { openMerger } from "../../src/compaction/merge.ts";
import { FirnError } from "../../src/errors.ts";
import { aroundCalls } from "../../src/object-store/around-calls.ts";
import { HOUR, millis, MINUTE } from "../../src/units.ts";
import { HOUR_FORMAT, MINUTE_FORMAT } from "../reader/archive-sample.ts";
import { checkClean, GZIP, HOUR_14, JSON_GZIP, openBucket, readNames, type Bucket } from "./bucket.ts";
import { openKit, withStorage, type CompactorKit } from "./compactor-kit.ts";
import { openPlainMerger } from "./plain-merger.ts";

/** The same ones each time, then as many others as there is time for; a failure names its seed. */
const FIXED_SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const TIME_MILLIS = 4_000;
const STEPS = 14;

interface World {
  readonly random: RandomShare;
  readonly bucket: Bucket;
  readonly kits: readonly CompactorKit[];
  /** Rate of failing calls. */
  faults: number;
  nextItem: number;
}

function pick<T>(random: RandomShare, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

/** Calls of the two Compactors interleave at each store call, as chance wills. */
async function disturb(world: World): Promise<void> {
  for (let turns = Math.floor(world.random() * 12); turns > 0; turns -= 1) await Promise.resolve();
  if (world.random() < world.faults) throw new FirnError("store_unavailable", "Cannot reach the store, as planned");
}

function put(world: World): number {
  const { random, bucket } = world;
  const hour = millis(HOUR_14 - Math.floor(random() * 2) * HOUR);
  const items = Array.from({ length: Math.floor(random() * 3) }, () => `item-${(world.nextItem += 1)}`);
  bucket.put(Math.floor(random() * 60), items, { hour, form: pick(random, [GZIP, GZIP, JSON_GZIP]) });
  return hour;
}

async function readAndCheck(world: World, label: string): Promise<void> {
  const before = [...world.bucket.names];
  const found = await readNames(world.bucket);
  const missing = before.filter((name) => !found.includes(name));
  expect(missing, `${label}: lost`).toEqual([]);
  expect(found.length, `${label}: doubled`).toBe(new Set(found).size);
}

async function step(world: World, label: string): Promise<void> {
  const { random, kits } = world;
  const kit = pick(random, kits);
  const chance = random();
  if (chance < 0.2) put(world);
  else if (chance < 0.3) await Promise.allSettled([reportLate(await kit.live(), put(world))]);
  else if (chance < 0.4) kit.now += Math.floor(random() * 90) * MINUTE;
  else if (chance < 0.5) await kit.restart();
  else if (chance < 0.53) await kit.loseStorage();
  else if (chance < 0.65) await Promise.allSettled([kit.settle(3)]);
  else if (chance < 0.9) {
    const works = await Promise.allSettled([...kits.map((each) => each.work()), readAndCheck(world, label)]);
    const [read] = works.slice(-1);
    if (read?.status === "rejected") throw read.reason;
  } else await killIn(kit, random);
  await readAndCheck(world, label);
}

/** The Compactor dies at some effect. */
async function killIn(kit: CompactorKit, random: RandomShare): Promise<void> {
  let left = Math.floor(random() * 60);
  kit.gate = () => {
    left -= 1;
    if (left < 0) throw new Error("killed");
  };
  await Promise.allSettled([kit.work()]);
  kit.gate = () => undefined;
  await kit.restart();
}

async function runSchedule(storage: DurableObjectStorage, seed: number): Promise<void> {
  const random = createRandomShare(seed);
  const bucket = openBucket({ format: pick(random, [MINUTE_FORMAT, MINUTE_FORMAT, HOUR_FORMAT]) });
  const kits = [await openKit(bucket, storage, "one_"), await openKit(bucket, storage, "two_")];
  const world: World = { random, bucket, kits, faults: pick(random, [0, 0.02, 0.1]), nextItem: 0 };
  for (const kit of kits) {
    kit.isSyncing = false;
    kit.openMerger = pick(random, [openMerger, openPlainMerger]);
    kit.settings.compression = pick(random, ["gzip", "zstd"]);
    kit.bounds.stepRawBytes = pick(random, [1, 100, 1e9]);
    kit.bounds.runMaxSources = pick(random, [2, 5, 2000]);
    kit.settings.targetBytes = pick(random, [60, 200, 1e9]) as typeof kit.settings.targetBytes;
    kit.wrap = (store) =>
      aroundCalls(store, async (_call, ask) => {
        await disturb(world);
        const answer = await ask();
        await disturb(world);
        return answer;
      });
    await kit.loseStorage();
  }
  for (let number = 0; number < 5; number += 1) put(world);
  for (let number = 0; number < STEPS; number += 1) await step(world, `seed ${seed}, step ${number}`);
  await settleAndCheck(world, seed);
}

/** The faults stop, and all comes to rest. */
async function settleAndCheck(world: World, seed: number): Promise<void> {
  world.faults = 0;
  for (let round = 0; round < 4; round += 1) {
    for (const kit of world.kits) {
      kit.now = Math.max(...world.kits.map(({ now }) => now)) + HOUR;
      await kit.work();
      await kit.settle();
    }
  }
  await checkClean(world.bucket, `seed ${seed}, at the end`, { mayOrphan: true });
}

describe("two Compactors", () => {
  it("lose and double nothing, whatever comes", { timeout: 120_000 }, async () => {
    await withStorage(async (storage) => {
      const end = Date.now() + TIME_MILLIS;
      for (const seed of FIXED_SEEDS) await runSchedule(storage, seed);
      for (let seed = Date.now() % 2 ** 31; Date.now() < end; seed += 1) await runSchedule(storage, seed);
    });
  });
});
