/** What waits for another try holds nothing else up, and wakes nobody before its time. */
import { describe, expect, it } from "vitest";
import { reportLate } from "../../src/compaction/late.ts";
import { insertTrash } from "../../src/compaction/ledger.ts";
import { toStatus } from "../../src/compaction/status.ts";
import { FirnError } from "../../src/errors.ts";
import { HOUR, millis, MINUTE } from "../../src/units.ts";
import { checkClean, HOUR_14, keysBelow, newestManifest, openBucket, readNames } from "./bucket.ts";
import { withCompactor } from "./compactor-kit.ts";

describe("work()", () => {
  it("goes on with hours while the store refuses to delete what was given up", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      let isRefused = true;
      const refused: string[] = [];
      kit.wrap = (store) => ({
        ...store,
        delete: async (keys) => {
          if (!isRefused || !keys.includes("p/given-up")) return store.delete(keys);
          refused.push(...keys);
          throw new FirnError("store_refused", "Cannot delete: the container is immutable");
        },
      });
      await kit.restart();
      insertTrash(kit.storage, [{ key: "p/given-up", uploadId: null, dueAt: 0 }]);

      expect(await kit.work()).toMatchObject({
        generations: 1,
        lastError: "Cannot delete: the container is immutable",
      });
      expect(refused).toEqual(["p/given-up"]);

      isRefused = false;
      kit.now += 3 * HOUR;
      await kit.settle();
      await checkClean(bucket, "refused");
      expect(toStatus(kit.compactor).totals.deletedObjects).toBe(2);
    });
  });

  it("waits six hours for shards that do not answer, and takes what comes then as late", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.closeHour = () => {
        throw new Error("the shard cannot be reached");
      };
      await kit.work();
      while (kit.now < HOUR_14 + 7 * HOUR - 6 * MINUTE) await kit.settle(1);
      expect(keysBelow(bucket, "_firn/manifests/")).toEqual([]);
      expect(toStatus(kit.compactor)).toMatchObject({ waitingHours: 1, setAsideHours: 0 });

      await kit.settle(1);
      expect(kit.now).toBeLessThanOrEqual(HOUR_14 + 7 * HOUR + 6 * MINUTE);
      expect(newestManifest(bucket)).toMatchObject({ generation: 1, outputs: { length: 1 } });

      bucket.put(4, ["item-2"]);
      expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);
      await reportLate(kit.compactor, HOUR_14);
      await kit.settle(3);
      expect(newestManifest(bucket)).toMatchObject({ generation: 2, outputs: { length: 2 } });
      kit.now += 3 * HOUR;
      await kit.settle();
      await checkClean(bucket, "closed late");
    });
  });

  it("asks shards for their promise in an hour that is taken long after its end, too", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    bucket.put(3, ["item-2"], { hour: millis(HOUR_14 - HOUR) });
    await withCompactor(bucket, async (kit) => {
      kit.now += 10 * HOUR;
      kit.closeHour = () => "open";
      await kit.work();

      expect(kit.closings).toEqual([HOUR_14 - HOUR]);
      expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);
      expect(keysBelow(bucket, "/00000001-")).toHaveLength(2);
    });
  });

  it("sleeps while a run waits for its next attempt, whatever other hours want", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      const open = kit.openMerger;
      kit.openMerger = () => {
        throw new Error("no merge today");
      };
      await kit.work();
      await reportLate(kit.compactor, HOUR_14 - HOUR);
      await kit.settle(2);
      expect(kit.compactor.run).not.toBeNull();
      expect(kit.alarms.at).toBeGreaterThanOrEqual(kit.now + 500);

      kit.openMerger = open;
      await kit.settle();
      kit.now += 3 * HOUR;
      await kit.settle();
      await checkClean(bucket, "slept");
    });
  });
});
