/** How many outputs an hour has, and that a rewrite of them loses nothing. */
import { describe, expect, it } from "vitest";
import { bytes } from "../../src/units.ts";
import { newestManifest, openBucket, readNames } from "./bucket.ts";
import { withCompactor } from "./compactor-kit.ts";

describe("work()", () => {
  it("lets outputs grow before an hour has more than its manifest can name", { timeout: 60_000 }, async () => {
    const bucket = openBucket();
    for (let number = 0; number < 500; number += 1) bucket.put(Math.floor(number / 9), [`item-${number}`]);
    await withCompactor(bucket, async (kit) => {
      kit.settings.targetBytes = bytes(1);
      kit.bounds.stepRawBytes = 1;
      await kit.work();
      await kit.settle(100);

      const { outputs } = newestManifest(bucket);
      expect(outputs.length).toBeGreaterThan(64);
      expect(outputs.length).toBeLessThan(224);
      expect(await readNames(bucket)).toEqual(bucket.names.toSorted());
    });
  });

  it("keeps small outputs whose rewrite read less than they hold", async () => {
    const bucket = openBucket();
    await withCompactor(bucket, async (kit) => {
      const open = kit.openMerger;
      kit.openMerger = (options) => {
        const merger = open(options);
        const isRewrite = kit.compactor.run?.kind === "rewrite";
        const addFields: typeof merger.addFields = (minute, fields) => {
          if (!isRewrite || minute !== 2) merger.addFields(minute, fields);
        };
        return Object.assign(Object.create(merger), { addFields });
      };
      for (let number = 0; number < 9; number += 1) {
        bucket.put(number % 4, [`item-${number}`]);
        await kit.work();
      }
      await kit.settle(4);

      expect(newestManifest(bucket)).toMatchObject({ generation: 9, outputs: { length: 9 } });
      expect(await readNames(bucket)).toEqual(bucket.names.toSorted());
    });
  });
});
