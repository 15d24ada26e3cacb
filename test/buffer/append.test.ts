import { describe, expect, it } from "vitest";
import { drain } from "../../src/buffer/flush.ts";
import { DEDUPE_INDEX_MAX_ENTRIES } from "../../src/limits.ts";
import { makeMember, memberNumbers, storedBytes, withShard } from "./shard-kit.ts";

const MINUTE = 60_000;

describe("append()", () => {
  it("registers the shard once, before the first member is stored", async () => {
    await withShard(async (kit) => {
      await Promise.all([kit.append(makeMember(1)), kit.append(makeMember(2))]);
      await kit.restart();
      await kit.append(makeMember(3));

      expect(kit.registered).toEqual(["/traces/0"]);
    });
  });

  it("stores nothing when the Directory cannot be reached, and registers with the next request", async () => {
    await withShard(async (kit) => {
      kit.gate = (point) => {
        if (point === "register") throw new Error("no Directory");
      };
      await expect(kit.append(makeMember(1))).rejects.toThrow("no Directory");
      expect(kit.shard.batches.size).toBe(0);

      kit.gate = () => undefined;
      expect(await kit.append(makeMember(1))).toEqual({ kind: "stored" });
    });
  });

  it("answers a copy with the counts of the first, also after a restart and after the flush", async () => {
    await withShard(async (kit) => {
      const copy = { kind: "copy", itemCount: 7, rejectedCount: 2 };
      await kit.append(makeMember(1), { itemCount: 7, rejectedCount: 2 });

      expect(await kit.append(makeMember(1), { itemCount: 9, rejectedCount: 0 })).toEqual(copy);
      await kit.restart();
      expect(await kit.append(makeMember(1), { itemCount: 9 })).toEqual(copy);
      await drain(kit.shard, "all");
      expect(await kit.append(makeMember(1), { itemCount: 9 })).toEqual(copy);
      await kit.restart();
      expect(await kit.append(makeMember(1), { itemCount: 9 })).toEqual(copy);
      expect(memberNumbers(storedBytes(kit.store))).toEqual([1]);
    });
  });

  it("stores one of many equal requests that arrive at once, and acknowledges all after its commit", async () => {
    await withShard(async (kit) => {
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => kit.append(makeMember(1))));
      await drain(kit.shard, "all");

      expect(outcomes.filter(({ kind }) => kind === "stored").length).toBe(1);
      expect(outcomes.filter(({ kind }) => kind === "copy").length).toBe(19);
      expect(memberNumbers(storedBytes(kit.store))).toEqual([1]);
    });
  });

  it("never acknowledges a copy whose original fails", async () => {
    await withShard(async (kit) => {
      kit.gate = (point) => {
        if (point === "transaction.before") throw new Error("disk full");
      };

      const outcomes = await Promise.allSettled([kit.append(makeMember(1)), kit.append(makeMember(1))]);

      expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
      kit.gate = () => undefined;
      expect(await kit.append(makeMember(1))).toEqual({ kind: "stored" });
    });
  });

  it("remembers a request for the whole window and forgets its slice afterwards", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      await drain(kit.shard, "all");

      kit.now += kit.settings.dedupeWindowMillis - 1;
      expect((await kit.append(makeMember(1))).kind).toBe("copy");
      kit.now += 11 * MINUTE;
      await kit.append(makeMember(2));
      await drain(kit.shard, "all");
      expect((await kit.append(makeMember(1))).kind).toBe("stored");
      const tables = kit.storage.sql.exec("SELECT name FROM sqlite_master WHERE name GLOB 'hashes_*'").toArray();
      expect(tables.length).toBe(1);
    });
  });

  it("forgets nothing when the clock jumps ahead while nothing arrives", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      kit.now += kit.settings.dedupeWindowMillis * 3;
      await drain(kit.shard, "all");
      kit.now -= kit.settings.dedupeWindowMillis * 3;

      expect((await kit.append(makeMember(1))).kind).toBe("copy");
    });
  });

  it("starts again from storage when memory could not take in what is durable", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(0));
      for (const slice of kit.shard.index.slices) {
        slice.table = {
          ...slice.table,
          size: 0,
          add: () => {
            throw new RangeError("allocation failed");
          },
        };
      }
      await expect(kit.append(makeMember(1))).rejects.toThrow("allocation failed");

      expect((await kit.append(makeMember(1))).kind).toBe("copy");
    });
  });

  it("stores equal requests twice when dedupe is off", async () => {
    await withShard(async (kit) => {
      kit.settings.dedupeWindowMillis = 0;
      await kit.restart();

      await Promise.all([kit.append(makeMember(1)), kit.append(makeMember(1))]);
      await drain(kit.shard, "all");

      expect(memberNumbers(storedBytes(kit.store))).toEqual([1, 1]);
    });
  });

  it("finds hashes in storage that had to leave the memory", { timeout: 60_000 }, async () => {
    await withShard(async (kit) => {
      const count = DEDUPE_INDEX_MAX_ENTRIES + 5000;
      const hashes = Array.from({ length: count }, () => crypto.getRandomValues(new Uint8Array(16)));
      const member = makeMember(1, 8);
      for (let from = 0; from < count; from += 20_000) {
        await Promise.all(hashes.slice(from, from + 20_000).map((hash) => kit.append(member, { hash })));
      }
      expect(kit.shard.index.tableEntries).toBeLessThan(DEDUPE_INDEX_MAX_ENTRIES);

      const probes = hashes.filter((_, index) => index % 5000 === 0);
      for (const hash of probes) expect((await kit.append(member, { hash })).kind).toBe("copy");
      await drain(kit.shard, "all");
      await kit.restart();
      for (const hash of probes) expect((await kit.append(member, { hash })).kind).toBe("copy");
    });
  });

  it("refuses above the backlog limit, and takes requests again after a flush", async () => {
    await withShard(async (kit) => {
      kit.settings.backlogMaxBytes = 250;
      await kit.append(makeMember(1));
      await kit.append(makeMember(2));

      expect(await kit.append(makeMember(3))).toEqual({ kind: "unavailable", reason: "backlog", retryAfterSeconds: 5 });
      expect((await kit.append(makeMember(1))).kind).toBe("copy");
      await drain(kit.shard, "all");
      expect((await kit.append(makeMember(3))).kind).toBe("stored");
    });
  });

  it("takes any member while it holds nothing, however low its limit", async () => {
    await withShard(async (kit) => {
      kit.settings.backlogMaxBytes = 50;

      expect((await kit.append(makeMember(1))).kind).toBe("stored");
      expect((await kit.append(makeMember(2))).kind).toBe("unavailable");
    });
  });

  it("admits 16 MiB of members at once, and refuses the next before it is read", async () => {
    await withShard(async (kit) => {
      const running = [1, 2, 3, 4].map((number) => kit.append(makeMember(number, 4 * 1024 * 1024)));

      expect(await kit.append(makeMember(5))).toMatchObject({ kind: "unavailable", reason: "overload" });
      expect((await Promise.all(running)).map(({ kind }) => kind)).toEqual(["stored", "stored", "stored", "stored"]);
      expect((await kit.append(makeMember(5))).kind).toBe("stored");
      expect(kit.shard.inFlightBytes).toBe(0);
    });
  });

  it("admits one member above 16 MiB beside smaller ones, so that a busy shard takes it too", async () => {
    await withShard(async (kit) => {
      const small = kit.append(makeMember(1));
      const large = kit.append(makeMember(2, 17 * 1024 * 1024));

      const other = makeMember(3, 17 * 1024 * 1024);
      expect(await kit.append(other)).toMatchObject({ kind: "unavailable", reason: "overload" });
      expect((await Promise.all([small, large])).map(({ kind }) => kind)).toEqual(["stored", "stored"]);
      await drain(kit.shard, "all");
      expect(storedBytes(kit.store).map(({ length }) => length)).toEqual([17 * 1024 * 1024 + 100]);
    });
  });

  it("refuses a member whose length is not the announced one", async () => {
    await withShard(async (kit) => {
      await expect(kit.append(makeMember(1), { memberBytes: 99 })).rejects.toThrow("expected 99");

      expect(kit.shard.batches.size).toBe(0);
      expect(kit.shard.inFlightBytes).toBe(0);
    });
  });

  it("commits requests that arrive together in one row", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(0));
      const before = kit.shard.tally.rowsWritten;

      await Promise.all(Array.from({ length: 64 }, (_, index) => kit.append(makeMember(index + 1))));

      expect(kit.shard.tally.rowsWritten - before).toBe(1);
    });
  });

  it("keeps a batch to one form", async () => {
    await withShard(async (kit) => {
      const plain = { marshaler: "otlp_proto", compression: "none" } as const;
      await Promise.all([kit.append(makeMember(1)), kit.append(makeMember(2), { form: plain })]);
      await Promise.all([kit.append(makeMember(3)), kit.append(makeMember(4), { form: plain })]);
      await drain(kit.shard, "all");

      expect(storedBytes(kit.store).map((bytes) => memberNumbers([bytes]))).toEqual([
        [1, 3],
        [2, 4],
      ]);
    });
  });
});
