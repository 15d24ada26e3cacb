/** What becomes of work when the store, the merge or the storage fails, and when several ask for it at once. */
import { describe, expect, it } from "vitest";
import type { WorkOrder } from "../../src/compaction/contract.ts";
import { reportLate } from "../../src/compaction/late.ts";
import { toStatus } from "../../src/compaction/status.ts";
import { onAlarm } from "../../src/compaction/work.ts";
import { FirnError } from "../../src/errors.ts";
import { aroundCalls } from "../../src/object-store/around-calls.ts";
import { withFaults } from "../../src/object-store/memory/faults.ts";
import { HOUR, millis } from "../../src/units.ts";
import { checkClean, HOUR_14, keysBelow, newestManifest, openBucket, readNames, telemetryKeys } from "./bucket.ts";
import { withCompactor } from "./compactor-kit.ts";

const DAY = 24 * HOUR;

function windowOf(days: number): WorkOrder {
  const start = HOUR_14 - days * DAY;
  return { kind: "window", start, end: start + HOUR, force: false, foreign: false };
}

describe("work()", () => {
  it("waits through an outage of the store, and sets nothing aside for good", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      let isDown = true;
      kit.wrap = (store) =>
        aroundCalls(store, async (_call, ask) => {
          if (isDown) throw new FirnError("store_unavailable", "Cannot reach the store: it is down");
          return ask();
        });
      await kit.restart();
      await kit.work();
      await kit.settle(60);
      expect(kit.alarms.at).not.toBeNull();
      isDown = false;
      await kit.settle(60);
      await checkClean(bucket, "after the outage");
    });
  });

  it("mirrors a generation later when the store fails then", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.wrap = (store) =>
        withFaults(
          store,
          [2, 3, 4, 5].map((nth) => ({ call: "put", nth, moment: "after" })),
        );
      await kit.restart();
      await kit.work();
      await kit.settle(2);
      expect(await readNames(bucket)).toEqual(["item-1"]);
      await kit.settle(20);
      await checkClean(bucket, "mirror failed");
    });
  });

  it("goes on with a rewrite that was set aside, once what failed is well again", async () => {
    const bucket = openBucket();
    await withCompactor(bucket, async (kit) => {
      let isFailing = true;
      kit.settings.grace = millis(DAY);
      kit.wrap = (store) =>
        aroundCalls(store, async (call, ask) => {
          const isHit = isFailing && call === "putPart" && kit.compactor.run?.kind === "rewrite";
          if (isHit) throw new FirnError("store_unavailable", "Cannot put a part: the store is full");
          return ask();
        });
      await kit.restart();
      for (let number = 0; number < 9; number += 1) {
        bucket.put(number % 4, [`item-${number}`]);
        await kit.work();
      }
      await kit.settle(12);
      expect(toStatus(kit.compactor)).toMatchObject({ setAsideHours: 1 });
      expect(newestManifest(bucket).outputs).toHaveLength(9);

      isFailing = false;
      await kit.settle(12);
      expect(newestManifest(bucket).outputs).toHaveLength(1);
      kit.now += 2 * DAY;
      await kit.settle();
      await checkClean(bucket, "rewritten");
    });
  });

  it("sets an hour aside that fails each time, and goes on with others", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    bucket.put(3, ["item-2"], { hour: millis(HOUR_14 - HOUR) });
    await withCompactor(bucket, async (kit) => {
      const open = kit.openMerger;
      let isBroken = true;
      kit.openMerger = (options) => {
        if (isBroken && kit.compactor.run?.hour === HOUR_14 - HOUR) throw new Error("no merge today");
        return open(options);
      };
      await kit.work();
      await kit.settle(12);

      const status = toStatus(kit.compactor);
      expect(status).toMatchObject({ setAsideHours: 1, activeHour: null });
      expect(status.problems).toMatchObject([
        { hour: "2026-05-01T13:00:00.000Z", isSetAside: true, error: "no merge today" },
      ]);
      expect(newestManifest(bucket)).toMatchObject({ hour: "2026-05-01T14:00:00.000Z" });

      isBroken = false;
      kit.now += 2 * HOUR;
      await kit.settle();
      await checkClean(bucket, "set aside");
      expect(toStatus(kit.compactor)).toMatchObject({ setAsideHours: 0, problems: [] });
    });
  });

  it("runs once at a time, however many call", async () => {
    const bucket = openBucket();
    for (let minute = 0; minute < 8; minute += 1) bucket.put(minute, [`item-${minute}`]);
    await withCompactor(bucket, async (kit) => {
      const reports = await Promise.all([kit.work(), kit.work(), kit.work(null)]);

      expect(reports.reduce((sum, { generations }) => sum + generations, 0)).toBe(1);
      expect(await readNames(bucket)).toEqual(bucket.names.toSorted());
    });
  });

  it("deletes elsewhere while a run waits, and leaves the run alone", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"], { hour: millis(HOUR_14 - HOUR) });
    await withCompactor(bucket, async (kit) => {
      kit.bounds.runMaxSources = 1;
      await kit.work();
      bucket.put(4, ["item-2"], { hour: millis(HOUR_14 - HOUR) });
      bucket.put(3, ["item-3"]);
      await reportLate(kit.compactor, HOUR_14);
      const open = kit.openMerger;
      kit.openMerger = () => {
        throw new Error("no merge today");
      };
      await kit.settle(1);
      expect(kit.compactor.run?.hour).toBe(HOUR_14);
      await reportLate(kit.compactor, HOUR_14 - HOUR);
      kit.now += HOUR;
      await kit.restart();
      await Promise.all([kit.work(null), reportLate(kit.compactor, HOUR_14 - HOUR)]);
      kit.openMerger = open;
      kit.now += 3 * HOUR;
      await kit.settle();
      await checkClean(bucket, "a run that waited");
    });
  });

  it("looks again at an hour that is reported while it is looked at", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      let lists = 0;
      kit.wrap = (store) =>
        aroundCalls(store, async (call, ask) => {
          const answer = await ask();
          if (call === "list" && (lists += 1) === 1) {
            bucket.put(4, ["item-2"]);
            await reportLate(kit.compactor, HOUR_14);
          }
          return answer;
        });
      await kit.restart();
      kit.now += 30 * DAY;
      await reportLate(kit.compactor, HOUR_14);
      await kit.work(null);
      kit.now += 3 * HOUR;
      await kit.settle();
      await checkClean(bucket, "reported meanwhile");
    });
  });

  it("keeps every order that comes while it walks", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"], { hour: millis(HOUR_14 - 30 * DAY) });
    bucket.put(3, ["item-2"], { hour: millis(HOUR_14 - 60 * DAY) });
    bucket.put(3, ["item-3"]);
    await withCompactor(bucket, async (kit) => {
      await Promise.all([kit.work(), kit.work(windowOf(30)), kit.work(windowOf(60)), kit.work()]);
      kit.now += 3 * HOUR;
      await kit.settle();
      const { fresh, compacted } = telemetryKeys(bucket);
      expect(fresh).toEqual([]);
      expect(compacted).toHaveLength(3);
    });
  });

  it("does not wait for shards longer than six hours", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.closeHour = () => {
        throw new Error("a shard does not answer");
      };
      await kit.work();
      kit.now = HOUR_14 + 6.9 * HOUR;
      await kit.work();
      expect(telemetryKeys(bucket).compacted).toEqual([]);
      kit.now = HOUR_14 + 7 * HOUR;
      await kit.settle(2);
      expect(telemetryKeys(bucket).compacted).toHaveLength(1);
    });
  });

  it("publishes nothing whose items differ from those of the sources", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    bucket.put(4, ["item-2"]);
    await withCompactor(bucket, async (kit) => {
      const open = kit.openMerger;
      kit.openMerger = (options) => {
        const merger = open(options);
        // Counts the fields of minute 4 in, and leaves them out.
        const lossy = open(options);
        return {
          ...merger,
          addFields: (minute, fields) => {
            merger.addFields(minute, fields);
            if (minute !== 4) lossy.addFields(minute, fields);
          },
          endMinute: () => lossy.endMinute(),
          flush: () => lossy.flush(),
          take: () => lossy.take(),
          outputTotals: lossy.outputTotals,
        };
      };
      await kit.work();
      await kit.settle(20);

      expect(keysBelow(bucket, "_firn/manifests")).toEqual([]);
      expect(telemetryKeys(bucket)).toMatchObject({ fresh: { length: 2 }, compacted: [] });
      expect(toStatus(kit.compactor).problems).toMatchObject([{ isSetAside: true }]);
      expect(kit.compactor.lastError?.message).toContain("Cannot compact minute 2026-05-01T14:04:00.000Z");
    });
  });

  it("does nothing while compaction is off", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.settings.isEnabled = false;
      expect(await kit.work()).toMatchObject({ done: true, refusal: "Cannot compact: COMPACT_ENABLED is false" });
      expect(keysBelow(bucket, "_firn/")).toEqual([]);
    });
  });

  it("wants the operator's word where puts are not create-only", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.wrap = (store) => ({ ...store, traits: { ...store.traits, createOnly: "checked" } });
      await kit.restart();
      expect((await kit.work()).refusal).toContain("COMPACT_SOLE_WRITER");
      kit.settings.isSoleWriter = true;
      expect(await kit.work()).toMatchObject({ refusal: null, generations: 1 });
    });
  });
});

describe("onAlarm()", () => {
  it("never throws, and comes back", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.bounds.work = millis(0);
      await kit.work();
      kit.gate = (point) => {
        if (point.startsWith("transaction")) throw new Error("storage is full");
      };
      await onAlarm(kit.compactor);
      kit.gate = () => undefined;
      await kit.restart();
      await kit.settle(30);
      kit.now += 2 * HOUR;
      await kit.settle(30);
      await checkClean(bucket, "alarm");
    });
  });
});
