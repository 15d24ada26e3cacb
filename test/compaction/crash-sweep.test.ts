/**
 * The crash-point sweep of reliability 5.2 and the fault sweep of 5.3 over compaction: every store call, transaction
 * and alarm is numbered, before and after its effect, and for each one the Compactor dies there, or fails there and
 * lives on.
 */
import { describe, expect, it } from "vitest";
import { reportLate } from "../../src/compaction/late.ts";
import { openMerger } from "../../src/compaction/merge.ts";
import { FirnError } from "../../src/errors.ts";
import { HOUR } from "../../src/units.ts";
import { checkClean, HOUR_14, JSON_GZIP, openBucket, readNames, type Bucket } from "./bucket.ts";
import { withCompactor, type CompactorKit } from "./compactor-kit.ts";

const CONCURRENCY = 12;

/** Makes every outside effect ask `decide`, which gets its number and name. */
function instrument(kit: CompactorKit, decide: (call: number, point: string) => void): void {
  let calls = 0;
  kit.gate = (point) => decide((calls += 1), point);
}

function fill(bucket: Bucket): void {
  bucket.put(3, ["item-1", "item-2"]);
  bucket.put(40, ["item-3"]);
  bucket.put(41, ["item-4"], { form: JSON_GZIP });
}

/** An hour of two marshalers, a late object, and the end of the grace. Whatever fails, it goes on. */
async function runScenario(kit: CompactorKit): Promise<void> {
  const attempt = async (act: () => Promise<unknown>): Promise<void> => {
    await Promise.allSettled([act()]);
    if (kit.isAbandoned) await Promise.allSettled([kit.restart()]);
  };
  // With indexes beside the outputs.
  kit.openMerger = openMerger;
  await attempt(() => kit.work());
  kit.bucket.put(5, ["item-5"]);
  await attempt(async () => reportLate(await kit.live(), HOUR_14));
  await attempt(() => kit.settle(4));
  kit.now += 2 * HOUR;
  await attempt(() => kit.settle(6));
}

/** Everything is let go on, and afterwards nothing is lost, doubled or left behind. */
async function recoverAndCheck(kit: CompactorKit, label: string): Promise<void> {
  kit.gate = () => undefined;
  await kit.restart();
  expect(await readNames(kit.bucket), `${label}: before recovery`).toEqual(kit.bucket.names.toSorted());
  for (let round = 0; round < 3; round += 1) {
    kit.now += HOUR;
    await kit.work();
    await kit.settle();
  }
  await checkClean(kit.bucket, label);
}

async function countCalls(): Promise<{ readonly count: number; readonly points: ReadonlySet<string> }> {
  const points = new Set<string>();
  let count = 0;
  const bucket = openBucket();
  fill(bucket);
  await withCompactor(bucket, async (kit) => {
    instrument(kit, (call, point) => {
      count = call;
      points.add(point);
    });
    await runScenario(kit);
  });
  await checkClean(bucket, "without a crash");
  return { count, points };
}

/** Runs a test for each call, several at a time. */
async function forEachCall(count: number, body: (kit: CompactorKit, call: number) => Promise<void>): Promise<void> {
  for (let first = 1; first <= count; first += CONCURRENCY) {
    const calls = Array.from({ length: Math.min(CONCURRENCY, count - first + 1) }, (_, index) => first + index);
    const results = await Promise.allSettled(
      calls.map(async (call) => {
        const bucket = openBucket();
        fill(bucket);
        await withCompactor(bucket, async (kit) => {
          // Nothing here loses what SQLite has not written yet, and waiting for it would be most of the time.
          kit.isSyncing = false;
          await body(kit, call);
        });
      }),
    );
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}

describe("a Compactor", () => {
  it("meets every kind of outside effect in the scenario", async () => {
    const { count, points } = await countCalls();

    expect(count).toBeGreaterThan(150);
    expect([...points].filter((point) => point.endsWith(".after")).toSorted()).toEqual([
      "completeMultipart.after",
      "createMultipart.after",
      "delete.after",
      "get.after",
      "head.after",
      "list.after",
      "put.after",
      "putPart.after",
      "sync.after",
      "transaction.after",
    ]);
  });

  it("loses and doubles nothing when it dies at any effect", { timeout: 300_000 }, async () => {
    const { count } = await countCalls();
    await forEachCall(count, async (kit, death) => {
      let fired = "";
      instrument(kit, (call, point) => {
        if (call === death) fired = point;
        // Once dead, nothing of the old instance has an effect any more.
        if (call >= death) throw new Error("killed");
      });
      await runScenario(kit);

      expect(fired, `call ${death}`).not.toBe("");
      await recoverAndCheck(kit, `killed at call ${death}, ${fired}`);
    });
  });

  it("loses and doubles nothing when any single effect fails", { timeout: 300_000 }, async () => {
    const { count } = await countCalls();
    await forEachCall(count, async (kit, fault) => {
      let fired = "";
      instrument(kit, (call, point) => {
        if (call !== fault) return;
        fired = point;
        throw /^(transaction|sync|alarm)/.test(point)
          ? new Error("fault")
          : new FirnError("store_unavailable", "Cannot reach the store, as planned");
      });
      await runScenario(kit);

      expect(fired, `call ${fault}`).not.toBe("");
      await recoverAndCheck(kit, `fault at call ${fault}, ${fired}`);
    });
  });
});
