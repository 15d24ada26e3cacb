/**
 * What a Compactor takes for granted of its storage, as one suite: the storage of a Durable Object passes it, and so
 * does the stand-in of the simulation, which is worth nothing without.
 */
import { describe, expect, it } from "vitest";
import { createTables, readSources, select, toBytes, type CompactorStorage } from "../../src/compaction/schema.ts";

/** Hands out empty storage. */
export type WithStorage = (body: (storage: CompactorStorage) => Promise<void>) => Promise<void>;

const TIME = Date.UTC(2026, 4, 1, 14);

/** Declares the suite. */
export function describeCompactorStorage(name: string, withStorage: WithStorage): void {
  const check = (fact: string, body: (storage: CompactorStorage) => Promise<void>): void =>
    it(fact, () => withStorage(body));

  describe(name, () => {
    check("creates the tables once and again", async (storage) => {
      createTables(storage);
      storage.sql.exec("INSERT INTO meta VALUES ('one', '1')").toArray();
      createTables(storage);

      expect(select(storage, "SELECT value FROM meta")).toEqual([{ value: "1" }]);
    });

    check("gives back numbers, texts, blobs and nothing as they were bound", async (storage) => {
      createTables(storage);
      const view = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
      select(storage, "INSERT INTO commits VALUES (?, ?, ?, ?, ?)", TIME, 1, "é", "{}", view);
      select(storage, "INSERT INTO trash VALUES (?, ?, ?)", "key", null, TIME);
      const [commit] = select(storage, "SELECT * FROM commits");

      expect(commit).toMatchObject({ hour: TIME, generation: 1, sha256: "é" });
      expect(toBytes(commit?.["manifest"])).toEqual(new Uint8Array([1, 2, 3]));
      expect(select(storage, "SELECT upload_id FROM trash")).toEqual([{ upload_id: null }]);
    });

    check("binds by number, orders, limits and takes expressions", async (storage) => {
      createTables(storage);
      for (const number of [2, 0, 1]) select(storage, "INSERT INTO sources VALUES (?, 'k', 1, NULL, 0)", number);

      expect(readSources(storage, 1, 5).map(({ number }) => number)).toEqual([1, 2]);
      expect(select(storage, "SELECT ?1 + ?1 AS twice, ?2 = 1 AS equal", 2, 1)).toEqual([{ twice: 4, equal: 1 }]);
      expect(storage.sql.exec("SELECT count(*) FILTER (WHERE number > 0) AS n FROM sources").one()).toEqual({ n: 2 });
    });

    check("keeps what a transaction wrote, and reads it at once", async (storage) => {
      createTables(storage);
      const value = storage.transactionSync(() => {
        select(storage, "INSERT INTO meta VALUES ('one', '1')");
        return select(storage, "SELECT count(*) AS n FROM meta")[0]?.["n"];
      });

      expect(value).toBe(1);
      await storage.sync();
      expect(select(storage, "SELECT count(*) AS n FROM meta")).toEqual([{ n: 1 }]);
    });

    check("undoes a transaction that throws, and throws the same", async (storage) => {
      createTables(storage);
      storage.transactionSync(() => select(storage, "INSERT INTO meta VALUES ('kept', '1')"));
      const fault = new Error("fault");
      const fail = (): void =>
        storage.transactionSync(() => {
          select(storage, "INSERT INTO meta VALUES ('undone', '1')");
          throw fault;
        });

      expect(fail).toThrow(fault);
      expect(select(storage, "SELECT name FROM meta")).toEqual([{ name: "kept" }]);
    });

    check("fails a statement that breaks a key, and its transaction", async (storage) => {
      createTables(storage);
      const insert = (): unknown => select(storage, "INSERT INTO meta VALUES ('one', '1')");

      expect(() => storage.transactionSync(() => [insert(), insert()])).toThrow(/UNIQUE/);
      expect(select(storage, "SELECT * FROM meta")).toEqual([]);
    });

    check("keeps one alarm, the last one that was set", async (storage) => {
      expect(await storage.getAlarm()).toBeNull();
      const later = Date.now() + 3_600_000;
      await storage.setAlarm(later);
      await storage.setAlarm(later + 1);

      expect(await storage.getAlarm()).toBe(later + 1);
    });
  });
}
