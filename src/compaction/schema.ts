/**
 * Tables of a Compactor, and the typed reading and writing of their rows. All of it can be lost: the bucket alone says
 * what is published, and what an attempt had begun stays behind as objects that no manifest names.
 *
 * | table        | a row is                                                     | lives                            |
 * | ------------ | ------------------------------------------------------------ | -------------------------------- |
 * | `meta`       | a JSON value under a name                                    | for ever                         |
 * | `hours`      | an hour with work to do, now or later, and its failures      | until there is none              |
 * | `sources`    | a source of the run: the intent                              | until the run is committed       |
 * | `outputs`    | an output of the run: its upload and what it holds           | likewise                         |
 * | `members`    | a member of an output                                        | likewise                         |
 * | `traces`     | the traces in a member, as sorted hashes of 32 bits          | likewise                         |
 * | `remainder`  | bytes of an output that no part took yet, at most 1.9 MB     | until the next step              |
 * | `commits`    | a generation: the commit point                               | until its mirror is verified     |
 * | `unreadable` | an object that cannot be decoded                             | until a manifest names it        |
 * | `trash`      | a key, and perhaps an upload, that is to be deleted          | until it is                      |
 */
import { FirnError } from "../errors.ts";
import { COMPACT_SET_ASIDE_ATTEMPTS } from "../limits.ts";

/**
 * Written into `meta` with the name of the Compactor; a larger one was written by a newer release. Tables that an
 * older release may leave empty, such as `traces`, are no other format: outputs then go without what was not noted.
 */
export const SCHEMA_FORMAT = 1;

/** The part of a Durable Object's storage that a Compactor needs; the platform's own type satisfies it. */
export interface CompactorStorage {
  readonly sql: Pick<SqlStorage, "exec">;
  transactionSync<T>(closure: () => T): T;
  sync(): Promise<void>;
  getAlarm(): Promise<number | null>;
  setAlarm(scheduledTime: number): Promise<void>;
}

/** Storage in a transaction or outside of one. */
type Sql = Pick<CompactorStorage, "sql">;
type Row = Record<string, SqlStorageValue>;

/** An hour that has something to do. */
export interface HourRow {
  /** First instant. */
  readonly hour: number;
  /** It is to be visited; otherwise only its sources wait to be deleted. */
  readonly isWanted: boolean;
  readonly isForced: boolean;
  readonly isForeign: boolean;
  /** Failures in a row; raised before each step, so that one that kills the isolate is counted too. */
  readonly attempts: number;
  readonly nextAttemptAt: number;
  /** Its sources may be deleted from this moment on; `null` when there are none. */
  readonly deleteAt: number | null;
  readonly error: string | null;
}

/** A source of the run. */
export interface SourceRow {
  readonly number: number;
  readonly key: string;
  readonly length: number;
  readonly etag: string | null;
  /** Minute of the hour, 0 to 59. */
  readonly minute: number;
}

/** A value bound to a statement; views of bytes are taken as blobs. */
type Binding = SqlStorageValue | Uint8Array;

/** Runs one statement to its end. */
export function run(storage: Sql, query: string, ...values: Binding[]): void {
  storage.sql.exec(query, ...values).toArray();
}

/** Creates what is missing; free of rows when nothing is. */
export function createTables(storage: Sql): void {
  const tables = [
    "meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    `hours (hour INTEGER PRIMARY KEY, is_wanted INTEGER NOT NULL, is_forced INTEGER NOT NULL,
      is_foreign INTEGER NOT NULL, attempts INTEGER NOT NULL, next_attempt_at INTEGER NOT NULL,
      delete_at INTEGER, error TEXT)`,
    `sources (number INTEGER PRIMARY KEY, key TEXT NOT NULL, length INTEGER NOT NULL, etag TEXT,
      minute INTEGER NOT NULL)`,
    `outputs (number INTEGER PRIMARY KEY, key TEXT NOT NULL, upload_id TEXT, state TEXT NOT NULL,
      progress TEXT NOT NULL)`,
    `members (output INTEGER NOT NULL, number INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, entry BLOB NOT NULL,
      PRIMARY KEY (output, number))`,
    "traces (output INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (output, number))",
    "remainder (output INTEGER NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (output, number))",
    `commits (hour INTEGER PRIMARY KEY, generation INTEGER NOT NULL, sha256 TEXT NOT NULL, notes TEXT NOT NULL,
      manifest BLOB NOT NULL)`,
    "unreadable (key TEXT PRIMARY KEY, hour INTEGER NOT NULL, length INTEGER NOT NULL, reason TEXT NOT NULL)",
    "trash (key TEXT PRIMARY KEY, upload_id TEXT, due_at INTEGER NOT NULL)",
  ];
  for (const table of tables) storage.sql.exec(`CREATE TABLE IF NOT EXISTS ${table}`);
}

/** Reads a value of `meta`; `undefined` when it was never written. */
export function readMeta(storage: Sql, name: string): unknown {
  const [row] = select(storage, "SELECT value FROM meta WHERE name = ?", name);
  return row === undefined ? undefined : JSON.parse(toText(row["value"]));
}

/** Writes a value of `meta`; `undefined` deletes it. */
export function writeMeta(storage: Sql, name: string, value: unknown): void {
  if (value === undefined) run(storage, "DELETE FROM meta WHERE name = ?", name);
  else run(storage, "INSERT OR REPLACE INTO meta VALUES (?, ?)", name, JSON.stringify(value));
}

/** Reads an hour. */
export function readHour(storage: Sql, hour: number): HourRow | null {
  const [row] = select(storage, "SELECT * FROM hours WHERE hour = ?", hour);
  return row === undefined ? null : toHourRow(row);
}

/** The hour whose work is due first; wanted ones before deletions. @param mayRun whether a new run may begin */
export function findDueHour(storage: Sql, now: number, mayRun: boolean): HourRow | null {
  const [row] = select(
    storage,
    `SELECT * FROM hours WHERE next_attempt_at <= ?1 AND hour NOT IN (SELECT hour FROM commits)
      AND ((is_wanted = 1 AND ?2 = 1) OR delete_at <= ?1)
      ORDER BY attempts, hour LIMIT 1`,
    now,
    mayRun ? 1 : 0,
  );
  return row === undefined ? null : toHourRow(row);
}

/** Hours in the order of their failures, most first. */
export function readFailedHours(storage: Sql, limit: number): readonly HourRow[] {
  return select(storage, "SELECT * FROM hours WHERE error IS NOT NULL ORDER BY attempts DESC, hour LIMIT ?", limit).map(
    toHourRow,
  );
}

/** Hours and objects by what they wait for. */
export interface WaitingCounts {
  readonly waitingHours: number;
  readonly pendingDeletions: number;
  readonly setAsideHours: number;
  /** Shards may still write into them. */
  readonly openHours: number;
  readonly unreadable: number;
}

/** Counts what waits. */
export function countWaiting(storage: Sql, now: number): WaitingCounts {
  const row = storage.sql
    .exec(
      `SELECT count(*) FILTER (WHERE is_wanted = 1) AS waiting, count(delete_at) AS deletions,
        count(*) FILTER (WHERE attempts >= ${COMPACT_SET_ASIDE_ATTEMPTS}) AS set_aside,
        count(*) FILTER (WHERE is_wanted = 1 AND attempts = 0 AND next_attempt_at > ?) AS open,
        (SELECT count(*) FROM unreadable) AS unreadable FROM hours`,
      now,
    )
    .one();
  return {
    waitingHours: Number(row["waiting"]),
    pendingDeletions: Number(row["deletions"]),
    setAsideHours: Number(row["set_aside"]),
    openHours: Number(row["open"]),
    unreadable: Number(row["unreadable"]),
  };
}

/** Whether there are generations to be mirrored, or hours that failed and are tried again soon. */
export function hasPending(storage: Sql): boolean {
  const query = `SELECT 1 FROM commits UNION ALL
    SELECT 1 FROM hours WHERE is_wanted = 1 AND attempts BETWEEN 1 AND ${COMPACT_SET_ASIDE_ATTEMPTS - 1} LIMIT 1`;
  return select(storage, query).length > 0;
}

/**
 * Moments at which hours, commits and trash are due; the earliest of each.
 * @param mayRun whether a new run may begin: hours that are wanted wait for the one that is under way
 */
export function readDueTimes(storage: Sql, mayRun: boolean): readonly number[] {
  const row = storage.sql
    .exec(
      `SELECT (SELECT min(next_attempt_at) FROM hours WHERE is_wanted = 1 AND ? = 1) AS wanted,
        (SELECT min(coalesce(next_attempt_at, 0)) FROM commits LEFT JOIN hours USING (hour)) AS mirror,
        (SELECT min(max(next_attempt_at, delete_at)) FROM hours WHERE delete_at IS NOT NULL) AS deletion,
        (SELECT min(due_at) FROM trash) AS trash`,
      mayRun ? 1 : 0,
    )
    .one();
  const { wanted, mirror, deletion, trash } = row;
  return [wanted, mirror, deletion, trash].filter((value) => typeof value === "number");
}

/** Writes an hour; one without anything to do is deleted. */
export function writeHour(storage: Sql, row: HourRow): void {
  if (!row.isWanted && row.deleteAt === null && row.attempts === 0) {
    run(storage, "DELETE FROM hours WHERE hour = ?", row.hour);
    return;
  }
  run(
    storage,
    "INSERT OR REPLACE INTO hours VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    row.hour,
    Number(row.isWanted),
    Number(row.isForced),
    Number(row.isForeign),
    row.attempts,
    row.nextAttemptAt,
    row.deleteAt,
    row.error,
  );
}

/** Notes that a step of an hour succeeded, and that there is more to do. */
export function writeProgress(storage: Sql, hour: number, change: Partial<HourRow> = {}): void {
  const before = readHour(storage, hour) ?? newHour(hour);
  writeHour(storage, { ...before, isWanted: true, attempts: 0, nextAttemptAt: 0, error: null, ...change });
}

/** An hour that nothing is known of. */
export function newHour(hour: number): HourRow {
  return {
    hour,
    isWanted: false,
    isForced: false,
    isForeign: false,
    attempts: 0,
    nextAttemptAt: 0,
    deleteAt: null,
    error: null,
  };
}

/** Adds the sources of a run. */
export function insertSources(storage: Sql, sources: readonly SourceRow[]): void {
  for (const { number, key, length, etag, minute } of sources) {
    run(storage, "INSERT INTO sources VALUES (?, ?, ?, ?, ?)", number, key, length, etag, minute);
  }
}

/** Reads sources from a number on. */
export function readSources(storage: Sql, from: number, limit: number): readonly SourceRow[] {
  return select(storage, "SELECT * FROM sources WHERE number >= ? ORDER BY number LIMIT ?", from, limit).map((row) => ({
    number: Number(row["number"]),
    key: toText(row["key"]),
    length: Number(row["length"]),
    etag: toNullableText(row["etag"]),
    minute: Number(row["minute"]),
  }));
}

/** Selects rows. */
export function select(storage: Sql, query: string, ...values: Binding[]): Row[] {
  return storage.sql.exec(query, ...values).toArray();
}

function toHourRow(row: Row): HourRow {
  const deleteAt = row["delete_at"];
  return {
    hour: Number(row["hour"]),
    isWanted: row["is_wanted"] === 1,
    isForced: row["is_forced"] === 1,
    isForeign: row["is_foreign"] === 1,
    attempts: Number(row["attempts"]),
    nextAttemptAt: Number(row["next_attempt_at"]),
    deleteAt: typeof deleteAt === "number" ? deleteAt : null,
    error: toNullableText(row["error"]),
  };
}

/** Reads a blob column. */
export function toBytes(value: SqlStorageValue | undefined): Uint8Array {
  return new Uint8Array(toBuffer(value));
}

/** Reads a blob column. */
export function toBuffer(value: SqlStorageValue | undefined): ArrayBuffer {
  if (value instanceof ArrayBuffer) return value;
  throw wrongColumn("blob");
}

/** Reads a text column. */
export function toText(value: SqlStorageValue | undefined): string {
  if (typeof value === "string") return value;
  throw wrongColumn("text");
}

/** Reads a text column that may be empty. */
export function toNullableText(value: SqlStorageValue | undefined): string | null {
  return value === null ? null : toText(value);
}

function wrongColumn(expected: string): FirnError {
  return new FirnError("unknown_format", `Cannot read a row of the Compactor: expected ${expected} in a column`);
}
