/**
 * Seeded schedules of compaction (reliability 5.6), thousands in seconds: two Compactors, a reader and shards over one
 * bucket, in the order that a seed picks, with every fault of store, disk, clock and machine. A failure prints its seed
 * and a short list of events that fails likewise. `FIRN_SIM_SEED` runs one seed, `FIRN_SIM_RUNS` so many new ones.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeCompactorStorage } from "../../conformance/compactor-storage.ts";
import { chooseAgain, chooseBySeed, shorten } from "./simulation/choices.ts";
import { takePlatform } from "./simulation/platform.ts";
import { runSchedule } from "./simulation/schedule.ts";
import type { Flaw } from "./simulation/sim-store.ts";
import { openSqliteDisk } from "./simulation/sqlite-disk.ts";
import type { Stage } from "./simulation/world.ts";

/** The same ones each time, then as many others as there is time for, or as were asked for. */
const FIXED_RUNS = 500;
const TIME_MILLIS = 25_000;
const RUNS = Number(process.env["FIRN_SIM_RUNS"] ?? 0);
const ONLY_SEED = process.env["FIRN_SIM_SEED"];
const SHORTEN_TRIES = 300;
/** Schedules in which what is wrong with a store must show. */
const FLAW_RUNS = 300;
const TEST_TIMEOUT_MILLIS = 12 * 3_600_000;

const CALLS = ["list", "head", "get", "put", "createMultipart", "putPart", "completeMultipart", "delete"];
/** What must have happened in the fixed schedules, or nothing was proven. */
const COVERED = CALLS.flatMap((call) => [`${call}.before`, `${call}.after`, `died at ${call}`]).concat(
  ["transaction.before", "transaction.after", "sync", "alarm.before", "died at sync"],
  ["reset", "short page", "stale list", "partial list", "arrived late", "zombie", "disk lost", "skew", "jump"],
  ["work", "forced work", "alarm", "late report", "put again", "read to the end", "rewrite"],
);
const EVENTS = ["compact.published", "compact.overtaken", "compact.claimed_by_another", "compact.retry"];

describeCompactorStorage("the disk of the simulation", (body) =>
  body(openSqliteDisk().open({ assertAlive: () => undefined, effect: () => undefined, sync: async () => undefined })),
);

describe("two Compactors", () => {
  let stage: Stage;

  beforeAll(() => {
    stage = { platform: takePlatform(), disks: [openSqliteDisk(), openSqliteDisk()], counts: new Map(), flaw: null };
  });

  afterAll(() => stage.platform.restore());

  async function explain(seed: number): Promise<string> {
    const choices = chooseBySeed(seed);
    const first = await runSchedule(stage, choices);
    const retry = async (made: readonly number[]): Promise<{ hasFailed: boolean; length: number }> => {
      const again = chooseAgain(made);
      const { failure } = await runSchedule(stage, again);
      return { hasFailed: failure !== null, length: again.made.length };
    };
    const shortest = await shorten(choices.made, retry, SHORTEN_TRIES);
    const { failure, toTrace } = await runSchedule(stage, chooseAgain(shortest));
    return [`FIRN_SIM_SEED=${seed}: ${first.failure}`, `in short: ${failure}`, ...toTrace()].join("\n");
  }

  async function run(seed: number): Promise<void> {
    const { failure } = await runSchedule(stage, chooseBySeed(seed));
    if (failure !== null) expect.fail(await explain(seed));
  }

  async function isCaught(flaw: Flaw): Promise<boolean> {
    for (let seed = 0; seed < FLAW_RUNS; seed += 1) {
      const { failure } = await runSchedule({ ...stage, counts: new Map(), flaw }, chooseBySeed(seed));
      if (failure !== null) return true;
    }
    return false;
  }

  it("lose and double nothing, whatever comes", { timeout: TEST_TIMEOUT_MILLIS }, async () => {
    const end = Date.now() + TIME_MILLIS;
    if (ONLY_SEED !== undefined) {
      await run(Number(ONLY_SEED));
      return;
    }
    for (let seed = 0; seed < FIXED_RUNS; seed += 1) await run(seed);
    expect(COVERED.filter((what) => !stage.counts.has(what))).toEqual([]);
    expect(EVENTS.filter((event) => !stage.platform.events.has(event))).toEqual([]);
    const first = Date.now() % 2 ** 31;
    let count = 0;
    for (; RUNS > 0 ? count < RUNS : Date.now() < end; count += 1) await run(first + count);
    if (RUNS > 0) process.stdout.write(`${count} schedules from seed ${first} on: nothing lost, nothing doubled\n`);
  });

  it("take the same steps when they are given the same seed", async () => {
    for (const seed of [3, 141, 1_000_003]) {
      const traces = [];
      for (let time = 0; time < 2; time += 1) traces.push((await runSchedule(stage, chooseBySeed(seed))).toTrace());

      expect(traces[0]?.length).toBeGreaterThan(50);
      expect(traces[1]).toEqual(traces[0]);
    }
  });

  it.each(["overwrites", "hides pages"] as const)("are caught on a store that %s", async (flaw) => {
    expect(await isCaught(flaw)).toBe(true);
  });
});
