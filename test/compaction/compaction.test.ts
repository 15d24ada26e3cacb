/** The whole way, with the merge of production and with one that has no art. */
import { describe, expect, it } from "vitest";
import { openMerger } from "../../src/compaction/merge.ts";
import { ITEM_SIGNALS } from "../../src/signal.ts";
import { HOUR } from "../../src/units.ts";
import { checkClean, JSON_GZIP, keysBelow, newestManifest, openBucket, readNames, telemetryKeys } from "./bucket.ts";
import { withCompactor } from "./compactor-kit.ts";
import { openPlainMerger } from "./plain-merger.ts";

const MERGERS = [
  { name: "production", open: openMerger },
  { name: "a plain one", open: openPlainMerger },
];

describe.each(MERGERS)("work() with the merge of $name", ({ open }) => {
  it("makes one output of an hour, and deletes the sources after the grace", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1", "item-2"]);
    bucket.put(3, ["item-3"]);
    bucket.put(59, ["item-4"]);
    await withCompactor(bucket, async (kit) => {
      kit.openMerger = open;
      const report = await kit.work();

      expect(report).toMatchObject({ done: true, generations: 1, items: 4, sources: 3, outputs: 1, lastError: null });
      expect(telemetryKeys(bucket)).toMatchObject({ fresh: { length: 3 }, compacted: { length: 1 } });
      expect(await readNames(bucket)).toEqual(["item-1", "item-2", "item-3", "item-4"]);

      kit.now += HOUR;
      await kit.settle();
      expect(telemetryKeys(bucket)).toMatchObject({ fresh: { length: 0 }, compacted: { length: 1 } });
      expect(await readNames(bucket)).toEqual(["item-1", "item-2", "item-3", "item-4"]);
      // The owner, a claim, a manifest and a member table; an index where the merge says which traces there are.
      expect(keysBelow(bucket, "_firn/")).toHaveLength(open === openMerger ? 5 : 4);
      expect(kit.alarms.at).toBeNull();
    });
  });

  it.each(
    ITEM_SIGNALS.flatMap((signal) => (["zstd", "gzip"] as const).map((compression) => ({ signal, compression }))),
  )(
    "keeps JSON and protobuf of $signal apart in $compression, over several steps and outputs",
    async ({ signal, compression }) => {
      const bucket = openBucket({ signal });
      for (let number = 0; number < 10; number += 1) {
        bucket.put(number * 3, [`item-${number}`, `item-${number}-1`], number % 2 === 0 ? {} : { form: JSON_GZIP });
      }
      await withCompactor(bucket, async (kit) => {
        kit.openMerger = open;
        kit.settings.compression = compression;
        kit.settings.targetBytes = 250 as typeof kit.settings.targetBytes;
        kit.bounds.stepRawBytes = 1;

        expect(await kit.work()).toMatchObject({ done: true, generations: 2, items: 20, lastError: null });
        expect(newestManifest(bucket).outputs.length).toBeGreaterThan(2);
        kit.now += 2 * HOUR;
        await kit.settle();
        await checkClean(bucket, `${signal} in ${compression}`);
      });
    },
  );

  it("rewrites small outputs of both marshalers", async () => {
    const bucket = openBucket();
    await withCompactor(bucket, async (kit) => {
      kit.openMerger = open;
      for (let number = 0; number < 18; number += 1) {
        bucket.put(number % 4, [`item-${number}`], number % 2 === 0 ? {} : { form: JSON_GZIP });
        await kit.work();
      }
      expect(newestManifest(bucket)).toMatchObject({ generation: 20, outputs: { length: 2 } });
      kit.now += 2 * HOUR;
      await kit.settle();
      await checkClean(bucket, "rewritten");
    });
  });
});
