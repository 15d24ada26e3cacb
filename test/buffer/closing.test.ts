import { describe, expect, it } from "vitest";
import { closeHour } from "../../src/buffer/closing.ts";
import { drain, onAlarm } from "../../src/buffer/flush.ts";
import { readMeta } from "../../src/buffer/schema.ts";
import { toWatermark } from "../../src/buffer/status.ts";
import { makeMember, withShard, type ShardKit } from "./shard-kit.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const END = Date.UTC(2026, 4, 1, 15);
const LATE_HOUR = Date.UTC(2026, 4, 1, 14);

function sealTimes(kit: ShardKit): number[] {
  return [...kit.store.objects.keys()].map((key) => Number(key.split("/")[1]?.split("-")[0]));
}

function letPutsFail(kit: ShardKit): void {
  kit.store.onPut = () => {
    throw new Error("down");
  };
}

/** A shard with a sealed batch of the hour before `END`, which was closed, and whose store is back. */
async function makeLate(kit: ShardKit): Promise<void> {
  await kit.append(makeMember(1));
  letPutsFail(kit);
  await drain(kit.shard, "all");
  kit.now = END + 5 * MINUTE;
  await closeHour(kit.shard, END);
  kit.store.onPut = () => undefined;
}

describe("closeHour()", () => {
  it("keeps an open batch out of the hour, over an eviction and a clock that steps back", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      kit.now = END + MINUTE;
      expect(await closeHour(kit.shard, END)).toEqual({ kind: "promised", pendingBefore: false });

      kit.now = END - 4 * MINUTE;
      await kit.restart();
      await drain(kit.shard, "all");
      expect(sealTimes(kit)).toEqual([END]);
      expect(kit.reported).toEqual([]);
    });
  });

  it("tells of a sealed batch that is not stored, until it is", async () => {
    await withShard(async (kit) => {
      await makeLate(kit);
      expect(await closeHour(kit.shard, END)).toEqual({ kind: "promised", pendingBefore: true });

      await drain(kit.shard, "all");
      expect(await closeHour(kit.shard, END)).toEqual({ kind: "promised", pendingBefore: false });
    });
  });

  it("refuses an end that is more than five minutes ahead, and one that is no number", async () => {
    await withShard(async (kit) => {
      kit.now = END - 5 * MINUTE;
      expect((await closeHour(kit.shard, END)).kind).toBe("promised");
      expect(await closeHour(kit.shard, END + 1)).toEqual({ kind: "refused", reason: "ahead" });
      expect((await closeHour(kit.shard, Number.NaN)).kind).toBe("refused");
      expect(toWatermark(kit.shard)).toBe(END);
    });
  });

  it("binds a shard whose first member is still on its way", async () => {
    await withShard(async (kit) => {
      kit.now = END - MINUTE;
      await closeHour(kit.shard, END);
      await kit.restart();
      await kit.append(makeMember(1));
      await drain(kit.shard, "all");

      expect(sealTimes(kit)).toEqual([END]);
    });
  });

  it("never takes a promise back: an earlier hour changes nothing", async () => {
    await withShard(async (kit) => {
      kit.now = END + MINUTE;
      await closeHour(kit.shard, END);
      await closeHour(kit.shard, END - HOUR);

      expect(kit.shard.closing.closedUntil).toBe(END);
      expect(readMeta(kit.storage, "closed_until")).toBe(END);
    });
  });

  it("holds against a seal that a wrong clock put far below it", async () => {
    await withShard(async (kit) => {
      kit.now = END + MINUTE;
      await closeHour(kit.shard, END);
      // So far behind that the promise is not followed, and this seal is late.
      kit.now = END - 3 * HOUR;
      await kit.append(makeMember(1));
      await drain(kit.shard, "all");
      kit.now = END - 4 * MINUTE;
      await kit.append(makeMember(2));
      await drain(kit.shard, "all");

      expect(sealTimes(kit)).toEqual([END - 3 * HOUR, END]);
      expect(kit.reported).toEqual([END - 3 * HOUR]);
    });
  });
});

describe("reportLateHours()", () => {
  it("tells of an object that was stored into a closed hour, once", async () => {
    await withShard(async (kit) => {
      await makeLate(kit);
      await onAlarm(kit.shard);
      kit.now += HOUR;
      await onAlarm(kit.shard);

      expect(kit.reported).toEqual([LATE_HOUR]);
      expect(kit.shard.closing.lateHours.size).toBe(0);
      await kit.restart();
      expect(kit.shard.closing.lateHours.size).toBe(0);
    });
  });

  it("tells nothing of objects that are on time", async () => {
    await withShard(async (kit) => {
      kit.now = END + MINUTE;
      await closeHour(kit.shard, END);
      await kit.append(makeMember(1));
      await drain(kit.shard, "all");

      expect(kit.reported).toEqual([]);
    });
  });

  it("is repeated with a growing back-off until the Compactor answers, and never fails a flush", async () => {
    await withShard(async (kit) => {
      await makeLate(kit);
      kit.gate = (point) => {
        if (point === "report.before") throw new Error("away");
      };
      kit.alarms.at = null;
      const report = await drain(kit.shard, "all");
      expect(report).toMatchObject({ storedObjects: 1, failedBatches: 0 });

      const waits: number[] = [];
      for (let round = 0; round < 4; round += 1) {
        kit.alarms.at = null;
        kit.now = kit.shard.closing.retryAt;
        const at = kit.now;
        await onAlarm(kit.shard);
        expect(kit.alarms.at).not.toBeNull();
        waits.push((kit.alarms.at ?? 0) - at);
      }
      expect(waits).toEqual(waits.toSorted((a, b) => a - b));
      expect(new Set(waits).size).toBe(4);

      await kit.restart();
      kit.gate = () => undefined;
      await onAlarm(kit.shard);
      expect(kit.reported).toEqual([LATE_HOUR]);
      expect(kit.shard.closing.lateHours.size).toBe(0);
    });
  });

  it("keeps the note of an object that was stored while the hour was being reported", async () => {
    await withShard(async (kit) => {
      await makeLate(kit);
      kit.gate = (point) => {
        if (point !== "report.after" || kit.reported.length > 1) return;
        // What a second late object does: note and memory change together, before the answer to the first is known.
        kit.shard.closing.lateHours.set(LATE_HOUR, 99);
        kit.storage.sql.exec("UPDATE late_hours SET sequence = 99").toArray();
      };
      await drain(kit.shard, "all");
      expect(kit.reported).toEqual([LATE_HOUR]);
      await kit.restart();
      expect([...kit.shard.closing.lateHours]).toEqual([[LATE_HOUR, 99]]);

      await onAlarm(kit.shard);
      expect(kit.reported).toEqual([LATE_HOUR, LATE_HOUR]);
      expect(kit.shard.closing.lateHours.size).toBe(0);
    });
  });

  it("starts again from what storage holds", async () => {
    await withShard(async (kit) => {
      await makeLate(kit);
      kit.gate = (point) => {
        if (point === "report.before") throw new Error("away");
      };
      await drain(kit.shard, "all");
      await kit.restart();

      expect([...kit.shard.closing.lateHours.keys()]).toEqual([LATE_HOUR]);
    });
  });
});
