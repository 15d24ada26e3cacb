import { describe, expect, it } from "vitest";
import { drain, onAlarm } from "../../src/buffer/flush.ts";
import { FLUSH_BACKOFF_MAX, FLUSH_SET_ASIDE_ATTEMPTS } from "../../src/limits.ts";
import { makeMember, memberNumbers, storedBytes, withShard, type ShardKit } from "./shard-kit.ts";

/** Lets the platform's clock reach the alarm, as often as it is set, at most `times`. */
async function runAlarms(kit: ShardKit, times: number): Promise<void> {
  for (let run = 0; run < times && kit.alarms.at !== null; run += 1) {
    kit.now = Math.max(kit.now, kit.alarms.at);
    kit.alarms.at = null;
    await onAlarm(kit.shard);
  }
}

function allNumbers(kit: ShardKit): number[] {
  return memberNumbers(storedBytes(kit.store)).toSorted((a, b) => a - b);
}

describe("onAlarm()", () => {
  it("stores a batch when its first member has the flush interval's age, and leaves no alarm behind", async () => {
    await withShard(async (kit) => {
      const openedAt = kit.now;
      await kit.append(makeMember(1));
      kit.now += 5000;
      await kit.append(makeMember(2));

      expect(kit.alarms.at).toBe(openedAt + 60_000);
      await runAlarms(kit, 1);
      expect(memberNumbers(storedBytes(kit.store))).toEqual([1, 2]);
      expect(kit.alarms.at).toBeNull();
      expect(kit.shard.backlogBytes).toBe(0);
      expect(kit.storage.sql.exec("SELECT count(*) AS n FROM batches").one()["n"]).toBe(0);
    });
  });

  it("stores a batch at once when it reaches its size, and goes on in the next", async () => {
    await withShard(async (kit) => {
      kit.settings.flushMaxBytes = 250;
      for (const number of [1, 2, 3]) await kit.append(makeMember(number));

      expect(kit.alarms.at).toBe(kit.now + 1);
      await runAlarms(kit, 1);
      expect(storedBytes(kit.store).map((bytes) => memberNumbers([bytes]))).toEqual([[1, 2]]);
      expect(kit.alarms.at).not.toBeNull();
    });
  });

  it("joins members byte for byte, however many rows they fill", async () => {
    await withShard(async (kit) => {
      const members = [makeMember(1, 3_900_000), makeMember(2, 50), makeMember(3, 1_900_000), makeMember(4, 7)];
      for (const member of members) await kit.append(member);
      await drain(kit.shard, "all");

      const [object] = storedBytes(kit.store);
      const expected = new Uint8Array(await new Blob(members).arrayBuffer());
      expect(object?.length).toBe(expected.length);
      expect(object?.every((byte, index) => byte === expected[index])).toBe(true);
    });
  });

  it("never throws while the store fails for an hour, takes appends, and drains by itself afterwards", async () => {
    await withShard(async (kit) => {
      kit.store.onPut = () => {
        throw new Error("store down");
      };
      const healAt = kit.now + 3_600_000;
      let number = 0;
      while (kit.now < healAt) {
        expect((await kit.append(makeMember((number += 1)))).kind).toBe("stored");
        const before = kit.now;
        await runAlarms(kit, 1);
        kit.now = Math.max(kit.now, before + 10_000);
        expect(kit.alarms.at).not.toBeNull();
      }
      expect(kit.alarms.at ?? Infinity).toBeLessThanOrEqual(kit.now + FLUSH_BACKOFF_MAX);
      kit.store.onPut = () => undefined;
      await runAlarms(kit, 5);

      expect(allNumbers(kit)).toEqual(Array.from({ length: number }, (_, index) => index + 1));
      expect(kit.shard.backlogBytes).toBe(0);
    });
  });

  it("sends the same bytes under the same key when the answer to a PUT was lost", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      kit.store.afterPut = () => {
        kit.store.afterPut = () => undefined;
        throw new Error("reset after effect");
      };
      await runAlarms(kit, 3);

      expect(new Set(kit.store.puts).size).toBe(1);
      expect(kit.store.puts.length).toBe(2);
      expect(memberNumbers(storedBytes(kit.store))).toEqual([1]);
    });
  });

  it("keeps members that arrive while a batch is being stored", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      kit.store.onPut = async () => {
        kit.store.onPut = () => undefined;
        await kit.append(makeMember(2));
      };
      await runAlarms(kit, 1);
      expect(memberNumbers(storedBytes(kit.store))).toEqual([1]);

      await runAlarms(kit, 1);
      expect(memberNumbers(storedBytes(kit.store))).toEqual([1, 2]);
    });
  });

  it("seals again under the next sequence when the key holds other bytes, and reports it", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      kit.store.onPut = async (key) => {
        kit.store.onPut = () => undefined;
        const foreign = new Uint8Array([1, 2, 3]);
        const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", foreign));
        const open = async function* (): AsyncGenerator<Uint8Array> {
          yield foreign;
        };
        await kit.store.put(key, { length: 3, sha256, contentType: "", open });
      };
      await runAlarms(kit, 1);

      expect([...kit.store.objects.keys()].map((key) => key.split("-").at(-1))).toEqual(["1", "2"]);
      expect(kit.shard.batches.size).toBe(0);
      expect(kit.shard.lastError?.message).toContain("holds other bytes");
    });
  });

  it("gives up a try, and tries later, when every key seems to hold other bytes", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      const put = kit.store.put.bind(kit.store);
      let puts = 0;
      kit.store.put = async (key) => {
        puts += 1;
        return { kind: "exists", info: { key, length: 100, etag: null, sha256Hex: null } };
      };
      await runAlarms(kit, 1);
      expect(puts).toBe(2);

      kit.store.put = put;
      await runAlarms(kit, 1);
      expect(memberNumbers(storedBytes(kit.store))).toEqual([1]);
    });
  });

  it("ends under load, and leaves what arrived meanwhile to the next alarm", async () => {
    await withShard(async (kit) => {
      kit.settings.flushMaxBytes = 100;
      await kit.append(makeMember(0));
      let number = 0;
      kit.store.onPut = async () => {
        if (number < 50) await kit.append(makeMember((number += 1)));
      };
      await runAlarms(kit, 1);
      expect(kit.store.puts.length).toBe(1);
      expect(kit.alarms.at).toBe(kit.now + 1);

      await runAlarms(kit, 60);
      expect(allNumbers(kit)).toEqual(Array.from({ length: 51 }, (_, index) => index));
    });
  });

  it("is started again when it is unknown whether a batch was forgotten", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      kit.store.afterPut = () => {
        kit.store.afterPut = () => undefined;
        kit.gate = (point) => {
          if (point !== "sync.before") return;
          kit.gate = () => undefined;
          throw new Error("unknown");
        };
      };
      await runAlarms(kit, 1);

      expect(kit.isAbandoned).toBe(true);
      expect((await kit.live()).batches.size).toBe(0);
      expect((await kit.append(makeMember(1))).kind).toBe("copy");
    });
  });

  it("lets later batches pass one that the store never takes, and keeps it whole and visible", async () => {
    await withShard(async (kit) => {
      kit.store.onPut = (key) => {
        if (key.endsWith("-1")) throw new Error("refused");
      };
      await kit.append(makeMember(1));
      await runAlarms(kit, 1);
      for (let number = 2; number < 30; number += 1) {
        await kit.append(makeMember(number));
        await runAlarms(kit, 3);
      }
      await drain(kit.shard, "all");

      expect(allNumbers(kit)).toEqual(Array.from({ length: 28 }, (_, index) => index + 2));
      const [poison] = kit.shard.batches.values();
      expect(poison?.attempts).toBeGreaterThanOrEqual(FLUSH_SET_ASIDE_ATTEMPTS);
      expect(kit.shard.batches.size).toBe(1);
      kit.store.onPut = () => undefined;
      await runAlarms(kit, 3);
      expect(allNumbers(kit)).toEqual(Array.from({ length: 29 }, (_, index) => index + 1));
    });
  });

  it("raises the attempts durably before each PUT: a batch that kills the isolate waits longer each time", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      for (let death = 1; death <= 3; death += 1) {
        kit.store.onPut = () => {
          kit.gate = () => {
            throw new Error("dead");
          };
          throw new Error("dead");
        };
        kit.now += 120_000;
        await drain(kit.shard, "due").catch(() => undefined);
        kit.gate = () => undefined;
        await kit.restart();
        expect([...kit.shard.batches.values()].map(({ attempts }) => attempts)).toEqual([death]);
      }
      const [batch] = kit.shard.batches.values();
      expect(batch?.nextAttemptAt).toBeGreaterThan(kit.now);
    });
  });

  it("does not send a batch to another store than the one of its seal", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      kit.store.onPut = () => {
        throw new Error("down");
      };
      await drain(kit.shard, "all");
      kit.store.onPut = () => undefined;
      Object.assign(kit.store, { identity: "memory:other" });
      await kit.restart();
      await drain(kit.shard, "all");

      expect(kit.store.objects.size).toBe(0);
      expect(kit.shard.lastError?.message).toContain('sealed for "memory:test"');
      await kit.append(makeMember(2));
      await drain(kit.shard, "all");
      expect(memberNumbers(storedBytes(kit.store))).toEqual([2]);
      Object.assign(kit.store, { identity: "memory:test" });
      await drain(kit.shard, "all");
      expect(allNumbers(kit)).toEqual([1, 2]);
    });
  });
});

describe("drain()", () => {
  it("says what it stored and what remains", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));

      expect(await drain(kit.shard, "all")).toEqual({
        sealedBatches: 1,
        storedObjects: 1,
        storedBytes: 100,
        failedBatches: 0,
        remainingBatches: 0,
        lastError: null,
      });
    });
  });

  it("stores each batch once when two drains are asked for at the same time", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      await Promise.all([drain(kit.shard, "all"), drain(kit.shard, "all"), onAlarm(kit.shard)]);

      expect(kit.store.puts.length).toBe(1);
    });
  });

  it("numbers objects from 1 without gaps, over restarts", async () => {
    await withShard(async (kit) => {
      for (let number = 1; number <= 5; number += 1) {
        await kit.append(makeMember(number));
        await drain(kit.shard, "all");
        await kit.restart();
      }

      expect([...kit.store.objects.keys()].map((key) => Number(key.split("-").at(-1)))).toEqual([1, 2, 3, 4, 5]);
      expect(new Set([...kit.store.objects.keys()].map((key) => key.split("-").at(1))).size).toBe(1);
    });
  });
});
