/** Sources that make trouble: late, unreadable, changed, vanished, foreign, too many for one run. */
import { describe, expect, it } from "vitest";
import { reportLate } from "../../src/compaction/late.ts";
import { aroundCalls } from "../../src/object-store/around-calls.ts";
import { HOUR, MIB } from "../../src/units.ts";
import { foreignKey, foreignObject } from "../reader/archive-forms.ts";
import { checkClean, GZIP, HOUR_14, newestManifest, openBucket, readNames, telemetryKeys } from "./bucket.ts";
import { withCompactor } from "./compactor-kit.ts";

const WINDOW = { kind: "window", start: HOUR_14, end: HOUR_14 + HOUR, force: false } as const;

describe("work()", () => {
  it("takes an hour with more sources than a run may have in several generations", async () => {
    const bucket = openBucket();
    for (let number = 0; number < 11; number += 1) bucket.put(number * 5, [`item-${number}`]);
    await withCompactor(bucket, async (kit) => {
      kit.bounds.runMaxSources = 4;

      expect(await kit.work()).toMatchObject({ done: true, generations: 3, sources: 11, outputs: 3 });
      expect(newestManifest(bucket)).toMatchObject({
        generation: 3,
        sources: [{ shard: 0, incarnation: "9f2c4e7a", ranges: [[1, 11]] }],
      });
      kit.now += 2 * HOUR;
      await kit.settle();
      await checkClean(bucket, "three runs");
    });
  });

  it("goes through an hour in steps of one source, and cuts outputs at their size", async () => {
    const bucket = openBucket();
    for (let number = 0; number < 6; number += 1) bucket.put(number, [`item-${number}`]);
    await withCompactor(bucket, async (kit) => {
      kit.bounds.stepRawBytes = 1;
      kit.settings.targetBytes = 100 as typeof kit.settings.targetBytes;

      expect(await kit.work()).toMatchObject({ done: true, generations: 1, outputs: 2, lastError: null });
      expect(await readNames(bucket)).toEqual(bucket.names.toSorted());
    });
  });

  it("adds a late object as one more output and generation", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      bucket.put(2, ["item-2"]);
      await reportLate(kit.compactor, HOUR_14 + 5);
      await kit.settle(3);

      expect(newestManifest(bucket)).toMatchObject({ generation: 2, outputs: { length: 2 } });
      expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);
    });
  });

  it("rewrites more than eight small outputs into one", async () => {
    const bucket = openBucket();
    await withCompactor(bucket, async (kit) => {
      for (let number = 0; number < 9; number += 1) {
        bucket.put(number % 4, [`item-${number}`]);
        await kit.work();
      }
      expect(newestManifest(bucket)).toMatchObject({ generation: 10, outputs: { length: 1 } });
      expect(await readNames(bucket)).toEqual(bucket.names.toSorted());

      kit.now += 2 * HOUR;
      await kit.settle();
      await checkClean(bucket, "rewritten");
    });
  });

  it("leaves an object that cannot be decoded where it is, and names it", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    const broken = bucket.put(4, []);
    bucket.put(5, ["item-2"]);
    bucket.store.objects.set(broken, {
      bytes: new TextEncoder().encode("no gzip at all"),
      contentType: "application/gzip",
      sha256Hex: null,
    });
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      await kit.settle(6);
      kit.now += 2 * HOUR;
      await kit.settle();

      const manifest = newestManifest(bucket);
      expect(manifest).toMatchObject({ unreadable: [{ key: broken, size_bytes: 14 }] });
      expect(manifest.outputs.reduce((sum: number, output) => sum + output.item_count, 0)).toBe(2);
      expect(telemetryKeys(bucket).fresh).toEqual([broken]);
      expect(await kit.work()).toMatchObject({ done: true, generations: 0 });
    });
  });

  it("goes through an hour with many damaged objects without setting it aside", async () => {
    const bucket = openBucket();
    for (let number = 0; number < 12; number += 1) {
      bucket.store.objects.set(bucket.put(3, []), {
        bytes: new TextEncoder().encode("no gzip at all"),
        contentType: "application/gzip",
        sha256Hex: null,
      });
    }
    bucket.put(5, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      expect(await kit.work()).toMatchObject({ done: true, generations: 1, items: 1, unreadable: 0, setAside: 0 });
      expect(newestManifest(bucket)).toMatchObject({ unreadable: { length: 12 }, outputs: { length: 1 } });
    });
  });

  it("does not take one broken transfer for a broken object", async () => {
    const bucket = openBucket();
    const flaky = bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      let faults = 1;
      kit.wrap = (store) => ({
        ...store,
        get: async (key, options) => {
          if (key !== flaky || faults === 0) return store.get(key, options);
          faults -= 1;
          return new Blob(["cut"]).stream();
        },
      });
      await kit.restart();
      await kit.work();
      await kit.settle(3);

      expect(newestManifest(bucket)).toMatchObject({ unreadable: [], outputs: { length: 1 } });
      expect(await readNames(bucket)).toEqual(["item-1"]);
    });
  });

  it("begins again when a source changes under the run", async () => {
    const bucket = openBucket();
    const changing = bucket.put(3, ["item-1"]);
    bucket.put(4, ["item-2"]);
    await withCompactor(bucket, async (kit) => {
      let isChanged = false;
      kit.wrap = (store) =>
        aroundCalls(store, async (call, ask) => {
          if (call === "get" && kit.compactor.run !== null && !isChanged) {
            isChanged = true;
            const object = bucket.store.objects.get(changing);
            if (object !== undefined) bucket.store.objects.set(changing, { ...object });
          }
          return ask();
        });
      await kit.restart();
      await kit.work();
      await kit.settle(4);

      expect(isChanged).toBe(true);
      expect(newestManifest(bucket)).toMatchObject({ generation: 1 });
      expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);
    });
  });

  it("takes other writers' objects only when it is asked to, and keeps them", async () => {
    const bucket = openBucket();
    const key = foreignKey("traces", GZIP);
    bucket.store.objects.set(key, {
      bytes: foreignObject("traces", GZIP, [["item-1"], ["item-2"]]),
      contentType: "application/gzip",
      sha256Hex: null,
    });
    await withCompactor(bucket, async (kit) => {
      expect(await kit.work()).toMatchObject({ generations: 0 });
      expect(await kit.work({ ...WINDOW, foreign: true })).toMatchObject({ generations: 1, items: 2 });
      kit.now += 2 * HOUR;
      await kit.settle();
      expect(await kit.work({ ...WINDOW, foreign: true })).toMatchObject({ generations: 0 });

      expect(bucket.store.objects.has(key)).toBe(true);
      expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);
    });
  });

  it("deletes other writers' objects when the operator wants it", async () => {
    const bucket = openBucket();
    const key = foreignKey("traces", GZIP);
    bucket.store.objects.set(key, {
      bytes: foreignObject("traces", GZIP, [["item-1"]]),
      contentType: "application/gzip",
      sha256Hex: null,
    });
    bucket.names.push("item-1");
    await withCompactor(bucket, async (kit) => {
      kit.settings.foreign = "delete";
      await kit.work({ ...WINDOW, foreign: true });
      kit.now += 2 * HOUR;
      await kit.settle();

      expect(bucket.store.objects.has(key)).toBe(false);
      await checkClean(bucket, "foreign");
    });
  });

  it("sends an output in parts of one size, over several steps", { timeout: 30_000 }, async () => {
    const bucket = openBucket();
    for (let number = 0; number < 2; number += 1) bucket.putNoise(number, 3 * MIB);
    await withCompactor(bucket, async (kit) => {
      kit.bounds.stepRawBytes = 1;
      await kit.work();

      const [output] = newestManifest(bucket).outputs;
      const object = bucket.store.objects.get(output?.key ?? "");
      expect(object?.bytes.length).toBeGreaterThan(6 * MIB);
      const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", object?.bytes ?? new Uint8Array(0))).toHex();
      expect(output).toMatchObject({ sha256, size_bytes: object?.bytes.length, item_count: 2 });
      expect(await readNames(bucket)).toEqual(bucket.names.toSorted());
    });
  });

  it("aborts the uploads of an attempt that it gives up", { timeout: 30_000 }, async () => {
    const bucket = openBucket();
    bucket.putNoise(1, 5 * MIB);
    bucket.put(2, ["item-2"]);
    const changing = bucket.put(3, ["item-3"]);
    await withCompactor(bucket, async (kit) => {
      kit.bounds.stepRawBytes = 1;
      let isChanged = false;
      kit.wrap = (store) =>
        aroundCalls(store, async (call, ask) => {
          const answer = await ask();
          const object = bucket.store.objects.get(changing);
          if (call === "putPart" && !isChanged && object !== undefined) {
            isChanged = true;
            bucket.store.objects.set(changing, { ...object });
          }
          return answer;
        });
      await kit.restart();
      await kit.work();
      await kit.settle(4);

      expect(isChanged).toBe(true);
      expect(bucket.store.uploads.size).toBe(0);
      expect(await readNames(bucket)).toEqual(bucket.names.toSorted());
    });
  });

  it("deletes a source that came back", async () => {
    const bucket = openBucket();
    const key = bucket.put(3, ["item-1"]);
    const object = bucket.store.objects.get(key);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      kit.now += 2 * HOUR;
      await kit.settle();
      if (object !== undefined) bucket.store.objects.set(key, object);
      expect(await readNames(bucket)).toEqual(["item-1"]);
      await kit.work();
      kit.now += 2 * HOUR;
      await kit.settle();

      await checkClean(bucket, "came back");
    });
  });
});
