/** Who may compact, what is adopted, what is retired: the rules between a Compactor, the bucket and the operator. */
import { assert, asyncProperty, constantFrom, scheduler } from "fast-check";
import { describe, expect, it } from "vitest";
import { readOwner, takeOver, takeOwnership } from "../../src/compaction/owner.ts";
import { toStatus } from "../../src/compaction/status.ts";
import { aroundCalls } from "../../src/object-store/around-calls.ts";
import { bytes, HOUR, millis, MINUTE } from "../../src/units.ts";
import { HOUR_FORMAT } from "../reader/archive-sample.ts";
import { checkClean, HOUR_14, keysBelow, newestManifest, openBucket, readNames, telemetryKeys } from "./bucket.ts";
import { openKit, withCompactor, withStorage } from "./compactor-kit.ts";

const DAY = 24 * HOUR;

describe("work()", () => {
  it("refuses an archive that another deployment owns, until it is taken over", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      bucket.put(4, ["item-2"]);
      kit.deployment = "e".repeat(32);
      await kit.loseStorage();

      const refused = await kit.work();
      expect(refused).toMatchObject({ done: true, generations: 0 });
      expect(refused.refusal).toContain(`names deployment ${"d".repeat(32)} (epoch 1`);

      await takeOwnership(kit.compactor);
      expect(await kit.work()).toMatchObject({ refusal: null, generations: 1 });
      expect(newestManifest(bucket)).toMatchObject({ generation: 2, epoch: 2, deployment: "e".repeat(32) });

      kit.deployment = "d".repeat(32);
      await kit.restart();
      expect((await kit.work()).refusal).toContain("epoch 2");
    });
  });

  it("takes over one tenant alone", async () => {
    const { store, layout } = openBucket();
    const [first, second] = ["d".repeat(32), "e".repeat(32)];
    const acme = { store, layout: { ...layout, tenant: "acme" } };
    const other = { store, layout: { ...layout, tenant: "other" } };
    await withCompactor({ ...openBucket(), store, layout }, async (kit) => {
      await kit.work();
    });

    expect(await takeOver(acme, second, 0)).toMatchObject({ deployment: second, epoch: 2 });
    expect(await readOwner(acme)).toMatchObject({ deployment: second, epoch: 2 });
    for (const place of [other, { store, layout }]) {
      expect(await readOwner(place)).toMatchObject({ deployment: first, epoch: 1 });
    }
    expect(await takeOver(acme, first, 0)).toMatchObject({ deployment: first, epoch: 3 });
  });

  it("never falls back to an earlier epoch when several Compactors take over at once", async () => {
    await assert(
      asyncProperty(scheduler(), constantFrom(1, 2, 3), async (s, others) => {
        const { store, layout } = openBucket();
        await takeOver({ store, layout }, "d".repeat(32), 0);
        const slow = aroundCalls(store, async (_call, ask) => s.schedule(Promise.resolve()).then(ask));
        const taking = Array.from({ length: others + 1 }, () => takeOver({ store: slow, layout }, "e".repeat(32), 0));
        await s.waitFor(Promise.all(taking));

        const owner = await readOwner({ store, layout });
        for (const taken of await Promise.all(taking)) expect(owner?.epoch).toBeGreaterThanOrEqual(taken.epoch);
        expect(owner?.deployment).toBe("e".repeat(32));
      }),
      { numRuns: 500 },
    );
  });

  it("goes on from the bucket when its storage is lost", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      await kit.loseStorage();
      bucket.put(4, ["item-2"]);

      expect(await kit.work()).toMatchObject({ generations: 1, items: 1 });
      expect(newestManifest(bucket)).toMatchObject({ generation: 2, outputs: { length: 2 } });
      kit.now += 3 * HOUR;
      await kit.settle();
      await checkClean(bucket, "storage lost");
    });
  });

  it("publishes what another Compactor had claimed and not mirrored", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      const [manifest] = keysBelow(bucket, ".json").filter((key) => key.includes("manifests"));
      bucket.store.objects.delete(manifest ?? "");
      await kit.loseStorage();
      bucket.put(4, ["item-2"]);
      await kit.work();

      expect(newestManifest(bucket)).toMatchObject({ generation: 2 });
      expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);
    });
  });

  it("finishes no more than eight publications at one look, and the others at the next ones", async () => {
    const bucket = openBucket();
    await withCompactor(bucket, async (kit) => {
      kit.settings.targetBytes = bytes(1);
      for (let number = 0; number < 12; number += 1) {
        bucket.put(number, [`item-${number}`]);
        await kit.work();
      }
      for (const key of keysBelow(bucket, "_firn/manifests/")) {
        if (key.endsWith(".json")) bucket.store.objects.delete(key);
      }
      await kit.loseStorage();
      bucket.put(20, ["item-20"]);

      await kit.work();
      expect(toStatus(kit.compactor).problems[0]?.error).toContain("8 generations one after another were claimed");
      await kit.settle(6);
      expect(newestManifest(bucket)).toMatchObject({ generation: 13 });
      expect(await readNames(bucket)).toEqual(bucket.names.toSorted());
    });
  });

  it.each(["completeMultipart", "claim"])("lets one of two Compactors publish, overtaken at %s", async (moment) => {
    const bucket = openBucket();
    for (let minute = 0; minute < 4; minute += 1) bucket.put(minute, [`item-${minute}`]);
    await withStorage(async (storage) => {
      const first = await openKit(bucket, storage, "first_");
      const second = await openKit(bucket, storage, "second_");
      let isOvertaken = false;
      const overtake = async (): Promise<void> => {
        if (isOvertaken) return;
        isOvertaken = true;
        await second.work();
      };
      first.wrap = (store) => ({
        ...store,
        put: async (key, source) => {
          if (moment === "claim" && key.endsWith(".claim")) await overtake();
          return store.put(key, source);
        },
        completeMultipart: async (upload, parts) => {
          if (moment === "completeMultipart") await overtake();
          return store.completeMultipart(upload, parts);
        },
      });
      await first.restart();
      await first.work();

      expect(isOvertaken).toBe(true);
      expect(newestManifest(bucket)).toMatchObject({ generation: 1 });
      expect(await readNames(bucket)).toEqual(bucket.names.toSorted());
      for (const kit of [first, second]) {
        kit.now += 3 * HOUR;
        await kit.settle();
      }
      await checkClean(bucket, "two compactors");
    });
  });

  it("deletes sources at once where outputs stand beside them", async () => {
    const bucket = openBucket({ format: HOUR_FORMAT });
    bucket.put(3, ["item-1"]);
    bucket.put(30, ["item-2"]);
    await withCompactor(bucket, async (kit) => {
      expect(await kit.work()).toMatchObject({ done: true, deletedObjects: 2 });
      await checkClean(bucket, "hour layout");
    });
  });

  it("leaves an hour alone until its shards have closed it, unless it is forced", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.closeHour = () => "open";
      expect(await kit.work()).toMatchObject({ done: true, generations: 0, openHours: 1 });
      kit.now += 5 * MINUTE;
      kit.closeHour = () => "closed";
      await kit.settle(2);
      expect(newestManifest(bucket)).toMatchObject({ generation: 1 });
      expect(kit.closings).toEqual([HOUR_14, HOUR_14]);
    });
  });

  it("compacts the hour that is not over when it is forced", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.now = HOUR_14 + 10 * MINUTE;
      const window = { kind: "window", start: HOUR_14, end: HOUR_14 + HOUR, foreign: false } as const;
      expect(await kit.work({ ...window, force: false })).toMatchObject({ generations: 0 });
      expect(await kit.work({ ...window, force: true })).toMatchObject({ generations: 1, done: true });
      expect(kit.closings).toEqual([]);
    });
  });

  it("retires what is older than the retention, and then deletes it", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.settings.retention = millis(30 * DAY);
      await kit.work();
      kit.now += 2 * HOUR;
      await kit.settle();
      kit.now += 29 * DAY;
      await kit.work();
      expect(newestManifest(bucket)).toMatchObject({ generation: 1 });

      kit.now += DAY;
      await kit.work();
      expect(newestManifest(bucket)).toMatchObject({ generation: 2, minutes: [], outputs: [{ retired: true }] });
      kit.now += 2 * HOUR;
      await kit.settle();
      expect(telemetryKeys(bucket)).toEqual({ fresh: [], compacted: [] });
      expect(keysBelow(bucket, "_firn/members/")).toEqual([]);
    });
  });

  it("leaves to the bucket's lifecycle what that is about to delete", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.settings.bucketExpiration = millis(DAY);
      await kit.work();
      bucket.put(4, ["item-2"]);
      kit.now += 2 * DAY;
      await kit.settle();
      await kit.work({ kind: "window", start: HOUR_14, end: HOUR_14 + HOUR, force: false, foreign: false });
      await kit.settle();

      expect(newestManifest(bucket)).toMatchObject({ generation: 1 });
      expect(telemetryKeys(bucket)).toMatchObject({ fresh: { length: 2 }, compacted: { length: 1 } });
      expect(kit.alarms.at).toBeNull();
    });
  });

  it("rewrites nothing that the bucket's lifecycle has deleted", async () => {
    const bucket = openBucket();
    await withCompactor(bucket, async (kit) => {
      kit.settings.targetBytes = bytes(1);
      for (let number = 0; number < 9; number += 1) {
        bucket.put(number, [`item-${number}`]);
        await kit.work();
      }
      kit.settings.targetBytes = bytes(1 << 20);
      kit.settings.bucketExpiration = millis(DAY);
      kit.now += 2 * DAY;
      for (const { key } of newestManifest(bucket).outputs) bucket.store.objects.delete(key);
      await kit.work({ kind: "window", start: HOUR_14, end: HOUR_14 + HOUR, force: false, foreign: false });
      await kit.settle(12);

      expect(toStatus(kit.compactor)).toMatchObject({ problems: [], activeHour: null, lastError: null });
    });
  });

  it("retires nothing under a legal hold", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.settings.retention = millis(DAY);
      await kit.work();
      kit.settings.legalHold = true;
      kit.now += 10 * DAY;
      await kit.work({ kind: "older" });
      await kit.settle();
      expect(newestManifest(bucket)).toMatchObject({ generation: 1 });
    });
  });
});
