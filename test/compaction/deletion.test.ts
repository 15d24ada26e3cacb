/** What is deleted, and what must stand at that moment: sources of two kinds, replaced outputs, and a store's lies. */
import { describe, expect, it } from "vitest";
import { reportLate } from "../../src/compaction/late.ts";
import { insertTrash } from "../../src/compaction/ledger.ts";
import { toStatus } from "../../src/compaction/status.ts";
import type { ObjectStore } from "../../src/object-store/contract.ts";
import { withVerify } from "../../src/object-store/with-verify.ts";
import { HOUR } from "../../src/units.ts";
import { foreignKey, foreignObject } from "../reader/archive-forms.ts";
import { checkClean, GZIP, HOUR_14, newestManifest, openBucket, readNames, telemetryKeys } from "./bucket.ts";
import type { Bucket } from "./bucket.ts";
import { withCompactor } from "./compactor-kit.ts";

const FOREIGN_WINDOW = {
  kind: "window",
  start: HOUR_14,
  end: HOUR_14 + HOUR,
  force: false,
  foreign: true,
} as const;
const FOREIGN_KEY = foreignKey("traces", GZIP);

function layForeign({ store }: Bucket, name: string): void {
  const object = foreignObject("traces", GZIP, [[name]]);
  store.objects.set(FOREIGN_KEY, { bytes: object, contentType: "application/gzip", sha256Hex: null });
}

/** Changes the last byte, which leaves the length as it is. */
function damage({ store }: Bucket, key: string): void {
  const object = store.objects.get(key);
  if (object === undefined) throw new Error(`There is no "${key}"`);
  const last = (object.bytes.at(-1) ?? 0) ^ 1;
  store.objects.set(key, { ...object, bytes: object.bytes.with(object.bytes.length - 1, last) });
}

describe("work()", () => {
  it("shows a foreign object again that its writer has replaced, and compacts and deletes it in its turn", async () => {
    const bucket = openBucket();
    layForeign(bucket, "item-1");
    bucket.names.push("item-1", "item-2");
    await withCompactor(bucket, async (kit) => {
      kit.settings.foreign = "delete";
      await kit.work(FOREIGN_WINDOW);
      layForeign(bucket, "item-2");
      kit.now += 2 * HOUR;
      await kit.settle();
      expect(bucket.store.objects.has(FOREIGN_KEY)).toBe(true);
      expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);

      expect(await kit.work(FOREIGN_WINDOW)).toMatchObject({ generations: 1, sources: 1 });
      kit.now += 2 * HOUR;
      await kit.settle();
      expect(bucket.store.objects.has(FOREIGN_KEY)).toBe(false);
      expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);
    });
  });

  it("keeps a foreign object that is replaced between its listing and its deletion", async () => {
    const bucket = openBucket();
    layForeign(bucket, "item-1");
    bucket.names.push("item-1", "item-2");
    await withCompactor(bucket, async (kit) => {
      kit.settings.foreign = "delete";
      let isReplaced = false;
      kit.wrap = (store) => ({
        ...store,
        delete: async (keys, options) => {
          if (keys.includes(FOREIGN_KEY) && !isReplaced) {
            isReplaced = true;
            layForeign(bucket, "item-2");
          }
          return store.delete(keys, options);
        },
      });
      await kit.restart();
      await kit.work(FOREIGN_WINDOW);
      kit.now += 2 * HOUR;
      await kit.settle();

      expect(isReplaced).toBe(true);
      expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);
      expect(toStatus(kit.compactor).totals.deletedObjects).toBe(0);
    });
  });

  it("deletes no foreign object of a store that names no versions", async () => {
    const bucket = openBucket();
    layForeign(bucket, "item-1");
    await withCompactor(bucket, async (kit) => {
      kit.settings.foreign = "delete";
      kit.wrap = (store) => ({
        ...store,
        list: async (request) => {
          const page = await store.list(request);
          return { ...page, objects: page.objects.map((info) => ({ ...info, etag: null })) };
        },
      });
      await kit.restart();
      await kit.work(FOREIGN_WINDOW);
      kit.now += 2 * HOUR;
      await kit.settle();

      expect(bucket.store.objects.has(FOREIGN_KEY)).toBe(true);
    });
  });

  it("deletes no source whose output has other bytes of the same length", async () => {
    const bucket = openBucket();
    const source = bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      damage(bucket, newestManifest(bucket).outputs[0]?.key ?? "");
      kit.now += 2 * HOUR;
      await kit.settle(3);

      expect(bucket.store.objects.has(source)).toBe(true);
      expect(toStatus(kit.compactor).problems[0]?.error).toMatch(/Cannot delete what output .* has SHA-256/);
    });
  });

  it("deletes sources whose output was copied, and so has another ETag", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      const { key = "" } = newestManifest(bucket).outputs[0] ?? {};
      const output = bucket.store.objects.get(key);
      if (output !== undefined) bucket.store.objects.set(key, { ...output });
      kit.now += 2 * HOUR;
      await kit.settle();
      await checkClean(bucket, "copied");
    });
  });

  it("deletes no output that a rewrite replaced while the new one is damaged", async () => {
    const bucket = openBucket();
    await withCompactor(bucket, async (kit) => {
      for (let number = 0; number < 9; number += 1) {
        bucket.put(number % 4, [`item-${number}`]);
        await kit.work();
      }
      const [output, ...others] = newestManifest(bucket).outputs;
      expect(others).toEqual([]);
      const { key = "" } = output ?? {};
      const whole = bucket.store.objects.get(key);
      damage(bucket, key);
      kit.now += 2 * HOUR;
      await kit.settle(12);
      expect(telemetryKeys(bucket)).toMatchObject({ compacted: { length: 10 } });
      expect(toStatus(kit.compactor).lastError?.message).toMatch(/Cannot delete what output .* has SHA-256/);

      if (whole !== undefined) bucket.store.objects.set(key, whole);
      kit.now += 2 * HOUR;
      await kit.settle();
      kit.now += 2 * HOUR;
      await kit.settle();
      await checkClean(bucket, "whole again");
    });
  });

  it("deletes nothing that the newest manifest names, whatever lies in the trash", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      const [output] = newestManifest(bucket).outputs;
      const keys = [output?.key ?? "", output?.members.key ?? ""];
      insertTrash(
        kit.storage,
        keys.map((key) => ({ key, uploadId: null, dueAt: 0 })),
      );
      bucket.put(5, ["item-2"]);
      await reportLate(kit.compactor, HOUR_14);
      await kit.settle(3);
      expect(keys.map((key) => bucket.store.objects.has(key))).toEqual([true, true]);
      kit.now += 2 * HOUR;
      await kit.settle();
      await checkClean(bucket, "named");
    });
  });

  it("reads an output back before it is published, where the store enforces no digest", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      const spoilt = new Set<string>();
      kit.wrap = (store) => withVerify(spoilOnce(bucket, store, spoilt));
      await kit.restart();
      await kit.work();
      await kit.settle(6);

      expect(spoilt.size).toBe(1);
      expect(newestManifest(bucket)).toMatchObject({ generation: 1 });
      expect(spoilt.has(newestManifest(bucket).outputs[0]?.key ?? "")).toBe(false);
      expect(await readNames(bucket)).toEqual(["item-1"]);
      kit.now += 2 * HOUR;
      await kit.settle();
      await checkClean(bucket, "read back");
    });
  });
});

/** The first object of parts arrives with another last byte. */
function spoilOnce(bucket: Bucket, store: ObjectStore, spoilt: Set<string>): ObjectStore {
  return {
    ...store,
    completeMultipart: async (upload, parts) => {
      const outcome = await store.completeMultipart(upload, parts);
      if (spoilt.size > 0) return outcome;
      spoilt.add(upload.key);
      damage(bucket, upload.key);
      // They arrived so: the store describes what it has, and has no other digest.
      return { ...outcome, info: (await store.head(upload.key)) ?? outcome.info };
    },
  };
}
