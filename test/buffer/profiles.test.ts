/** Batches of a request each: profiles, which do not concatenate (protocol 2). */
import { describe, expect, it } from "vitest";
import type { AppendHead } from "../../src/buffer/contract.ts";
import { drain, onAlarm } from "../../src/buffer/flush.ts";
import { BACKLOG_MAX_LONE_BATCHES, FLUSH_CONCURRENCY } from "../../src/limits.ts";
import { makeMember, memberNumbers, storedBytes, withShard, type ShardKit } from "./shard-kit.ts";

const HEAD: Partial<AppendHead> = { identity: { tenant: "", signal: "profiles", shard: 0 } };

const append = (kit: ShardKit, number: number): ReturnType<ShardKit["append"]> => kit.append(makeMember(number), HEAD);
const numbersByObject = (kit: ShardKit): number[][] => storedBytes(kit.store).map((bytes) => memberNumbers([bytes]));
const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

/** Lets a request be committed while any other write is being made durable. @returns how many there were */
function appendAtEverySync(kit: ShardKit, most: number): () => number {
  const { storage } = kit.shard.deps;
  const sync = storage.sync.bind(storage);
  let count = 0;
  let isAppending = false;
  Object.assign(storage, {
    sync: async () => {
      if (!isAppending && count < most) {
        isAppending = true;
        count += 1;
        await append(kit, 1 + count);
        isAppending = false;
      }
      await sync();
    },
  });
  return () => count;
}

describe("a shard of profiles", () => {
  it("stores each request as an object of its own, those that were committed together too", async () => {
    await withShard(async (kit) => {
      await append(kit, 1);
      await Promise.all([append(kit, 2), append(kit, 3)]);
      await drain(kit.shard, "all");

      expect(numbersByObject(kit)).toEqual([[1], [2], [3]]);
    });
  });

  it("never fills an unsealed batch on after a restart", async () => {
    await withShard(async (kit) => {
      for (const number of [1, 2, 3]) {
        await append(kit, number);
        await kit.restart();
      }
      await drain(kit.shard, "all");

      expect(numbersByObject(kit)).toEqual([[1], [2], [3]]);
    });
  });

  it("commits requests that arrive together in one transaction, and knows copies", async () => {
    await withShard(async (kit) => {
      await Promise.all(range(0, 50).map((number) => append(kit, number)));

      expect(kit.shard.tally.commits).toBe(1);
      expect((await append(kit, 7)).kind).toBe("copy");
      await drain(kit.shard, "all");
      expect((await append(kit, 7)).kind).toBe("copy");
      expect(kit.store.objects.size).toBe(50);
    });
  });

  it("is flushed at once, after a restart too: a batch without room has nothing to wait for", async () => {
    await withShard(async (kit) => {
      await append(kit, 1);
      expect(kit.alarms.at).toBe(kit.now + 1);

      kit.now += 1;
      await onAlarm(kit.shard);
      expect(numbersByObject(kit)).toEqual([[1]]);

      await append(kit, 2);
      await kit.restart();
      kit.now += 1;
      await onAlarm(kit.shard);
      expect(numbersByObject(kit)).toEqual([[1], [2]]);
    });
  });

  it("drains hundreds with one alarm, four PUTs at a time", { timeout: 60_000 }, async () => {
    await withShard(async (kit) => {
      await Promise.all(range(0, 300).map((number) => append(kit, number)));
      let running = 0;
      let most = 0;
      kit.store.onPut = async () => {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setTimeout(resolve, 0));
        running -= 1;
      };
      kit.now += 1;
      await onAlarm(kit.shard);

      expect(kit.store.objects.size).toBe(300);
      expect(most).toBe(FLUSH_CONCURRENCY);
    });
  });

  it("ends a drain under load, and leaves what arrived meanwhile to the next alarm", { timeout: 60_000 }, async () => {
    await withShard(async (kit) => {
      await Promise.all([append(kit, 0), append(kit, 1)]);
      const count = appendAtEverySync(kit, 100);
      kit.now += 1;
      kit.alarms.at = null;
      await onAlarm(kit.shard);

      expect(kit.store.objects.size).toBe(2);
      expect(kit.alarms.at).toBe(kit.now + 1);
      expect(count()).toBeGreaterThan(2);
      expect(count()).toBeLessThan(100);
      for (let run = 0; run < 200; run += 1) await onAlarm(kit.shard);
      expect(numbersByObject(kit).flat()).toEqual(range(0, 102));
    });
  });

  it("lets all others pass a few that the store never takes, more than end a drain", async () => {
    await withShard(async (kit) => {
      kit.store.onPut = (key) => {
        if (Number(key.split("-").at(-1)) <= 6) throw new Error("refused");
      };
      await Promise.all(range(1, 30).map((number) => append(kit, number)));
      for (let run = 0; run < 5; run += 1) {
        kit.now += 60_000;
        await onAlarm(kit.shard);
      }

      expect(numbersByObject(kit).flat()).toEqual(range(7, 24));
      expect(kit.shard.batches.size).toBe(6);
    });
  });

  it("refuses above its number of batches, and takes requests again after a flush", async () => {
    await withShard(async (kit) => {
      await append(kit, 1);
      const [batch] = kit.shard.batches.values();
      if (batch === undefined) throw new Error("no batch");
      const pretended = range(1000, BACKLOG_MAX_LONE_BATCHES - 1);
      for (const id of pretended) kit.shard.batches.set(id, { ...batch, id });

      expect(await append(kit, 2)).toEqual({ kind: "unavailable", reason: "backlog", retryAfterSeconds: 5 });
      expect((await append(kit, 1)).kind).toBe("copy");
      for (const id of pretended) kit.shard.batches.delete(id);
      expect((await append(kit, 2)).kind).toBe("stored");
    });
  });
});
