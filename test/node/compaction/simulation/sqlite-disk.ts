/**
 * Storage of a Durable Object in SQLite in memory, with its two dangers at hand: what was written and not waited for
 * may be lost in a crash, and an instance that was replaced has no storage any more. `test/conformance/` holds it
 * against the real one.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { CompactorStorage } from "../../../../src/compaction/schema.ts";

/** What outlives the instances of one Durable Object. */
export interface SqliteDisk {
  /** Storage as one instance sees it. @param point called before and after each effect; throws to fail it */
  open(point: StoragePoint): CompactorStorage;
  /** The machine stops. @param keepsUnsynced whether what was not waited for happened to be written */
  crash(keepsUnsynced: boolean): void;
  /** Everything is gone. */
  wipe(): void;
  /** Keys of outputs that were durable in a row at some time, for all that was lost since. */
  readonly outputKeys: Set<string>;
  alarmAt: number | null;
}

/** Where storage may fail; `sync` may take its time. */
export interface StoragePoint {
  /** Throws when the instance may not touch the storage any more. */
  readonly assertAlive: () => void;
  readonly effect: (name: "transaction.before" | "transaction.after" | "alarm.before") => void;
  readonly sync: () => Promise<void>;
}

/** Opens a disk without tables. */
export function openSqliteDisk(): SqliteDisk {
  const database = new DatabaseSync(":memory:");
  const statements = new Map<string, StatementSync>();
  const outputKeys = new Set<string>();
  let isUnsynced = false;
  let hasOutputs = false;

  function prepare(query: string): StatementSync {
    const known = statements.get(query);
    if (known !== undefined) return known;
    const statement = database.prepare(query);
    statements.set(query, statement);
    return statement;
  }

  function exec<Row extends Record<string, SqlStorageValue>>(query: string, values: unknown[]): SqlStorageCursor<Row> {
    if (query.includes("EXISTS outputs")) hasOutputs = true;
    const rows = prepare(query)
      .all(...(values as SQLInputValue[]))
      .map(toRow) as Row[];
    return {
      rowsWritten: 0,
      toArray: () => rows,
      one: () => {
        const [only] = rows;
        if (only === undefined || rows.length > 1) throw new Error(`Expected one row, found ${rows.length}`);
        return only;
      },
    };
  }

  function transact<T>(closure: () => T): T {
    if (!isUnsynced) prepare("BEGIN").run();
    isUnsynced = true;
    prepare("SAVEPOINT inner").run();
    try {
      return closure();
    } catch (error) {
      prepare("ROLLBACK TO inner").run();
      throw error;
    } finally {
      prepare("RELEASE inner").run();
    }
  }

  function flush(): void {
    if (!isUnsynced) return;
    prepare("COMMIT").run();
    isUnsynced = false;
    if (hasOutputs) for (const { key } of prepare("SELECT key FROM outputs").all()) outputKeys.add(String(key));
  }

  const disk: SqliteDisk = {
    alarmAt: null,
    outputKeys,
    open: ({ assertAlive, effect, sync }) => ({
      sql: {
        exec: (query, ...values) => {
          assertAlive();
          return exec(query, values);
        },
      },
      transactionSync: (closure) => {
        assertAlive();
        effect("transaction.before");
        const value = transact(closure);
        effect("transaction.after");
        return value;
      },
      sync: async () => {
        assertAlive();
        await sync();
        assertAlive();
        flush();
      },
      getAlarm: async () => disk.alarmAt,
      setAlarm: async (at) => {
        assertAlive();
        effect("alarm.before");
        disk.alarmAt = at;
      },
    }),
    crash: (keepsUnsynced) => {
      if (keepsUnsynced) flush();
      else if (isUnsynced) prepare("ROLLBACK").run();
      isUnsynced = false;
    },
    wipe: () => {
      disk.crash(false);
      for (const { name } of prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()) {
        prepare(`DELETE FROM ${String(name)}`).run();
      }
      disk.alarmAt = null;
    },
  };
  return disk;
}

function toRow(row: Record<string, unknown>): Record<string, SqlStorageValue> {
  const values: Record<string, SqlStorageValue> = {};
  for (const [name, value] of Object.entries(row)) {
    values[name] = value instanceof Uint8Array ? new Uint8Array(value).buffer : (value as SqlStorageValue);
  }
  return values;
}
