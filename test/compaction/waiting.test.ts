/** What waits for another try holds nothing else up, and wakes nobody before its time. */
import { describe, expect, it } from "vitest";
import { reportLate } from "../../src/compaction/late.ts";
import { insertTrash } from "../../src/compaction/ledger.ts";
import { toStatus } from "../../src/compaction/status.ts";
import { FirnError } from "../../src/errors.ts";
import { HOUR } from "../../src/units.ts";
import { checkClean, HOUR_14, openBucket } from "./bucket.ts";
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
