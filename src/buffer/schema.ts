/**
 * Tables of a shard, and the typed reading and writing of their rows. Final from the first release: rows that an older
 * version wrote are read by a newer one, and a format that is not known here stops the shard (protocol 5.12).
 *
 * | table             | a row is                                          | lives                                   |
 * | ----------------- | ------------------------------------------------- | --------------------------------------- |
 * | `meta`            | a JSON value under a name                         | for ever                                |
 * | `batches`         | a batch: open, or sealed with key, length, digest | until its object is proven              |
 * | `batch_<id>`      | up to 1.9 MB of members, with their entries       | dropped with its batch: costs no rows   |
 * | `late_hours`      | a closed hour that got an object (`late-hours.ts`) | until it is reported                   |
 * | `hashes_<slice>`  | sorted entries of stored batches (`hash-rows.ts`) | dropped with its slice, after the window |
 *
 * Small columns stand before the blobs, so that sums read no blob; `entries` before `data` for the same reason.
 */
import { FirnError } from "../errors.ts";
import type { MemberForm } from "./contract.ts";
import { findEntry, type Entry } from "./entries.ts";

/**
 * Written into `meta` with the name of the shard; a larger one was written by a newer release. 1: members concatenate.
 * 2: some batch has a frame or holds one request, which a release that knows 1 alone would seal wrongly, so it stops.
 */
export const SCHEMA_FORMAT = 2;
/** What is written while every batch is one that concatenates. */
export const SCHEMA_FORMAT_PLAIN = 1;

/** The part of a Durable Object's storage that a shard needs; the platform's own type satisfies it. */
export interface ShardStorage {
  readonly sql: Pick<SqlStorage, "exec">;
  transactionSync<T>(closure: () => T): T;
  sync(): Promise<void>;
  getAlarm(): Promise<number | null>;
  setAlarm(scheduledTime: number): Promise<void>;
}

/** What a seal fixes: the object that exactly these bytes will be. */
export interface Seal {
  readonly sequence: number;
  readonly sealedAt: number;
  readonly key: string;
  /** Identity of the store that the object goes to. */
  readonly store: string;
  readonly length: number;
  readonly sha256: Uint8Array;
}

/** One row of `batches`. */
export interface BatchRow {
  readonly id: number;
  readonly form: MemberForm;
  readonly openedAt: number;
  readonly attempts: number;
  readonly seal: Seal | null;
}

/** Sums over the rows of a batch. */
export interface BatchSums {
  readonly memberBytes: number;
  readonly itemCount: number;
  readonly requestCount: number;
}

/** One row of `batch_<id>`; a member larger than a row goes on in the next ones, which have no entries. */
export interface ChunkRow {
  readonly committedAt: number;
  readonly itemCount: number;
  readonly requestCount: number;
  readonly entries: Uint8Array;
  readonly data: Uint8Array;
}

/** A value bound to a statement; views of bytes are taken as blobs. */
export type Binding = SqlStorageValue | Uint8Array;

/** Counts rows written, as the platform bills them. */
export type RowMeter = (rowsWritten: number) => void;

/** Runs one statement and reports what it wrote. */
export function run(storage: ShardStorage, meter: RowMeter, query: string, ...values: Binding[]): void {
  const cursor = storage.sql.exec(query, ...values);
  cursor.toArray();
  meter(cursor.rowsWritten);
}

/** Creates what is missing; free of rows when nothing is. */
export function createTables(storage: ShardStorage): void {
  storage.sql.exec("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  storage.sql.exec(`CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY, marshaler TEXT NOT NULL, compression TEXT NOT NULL, opened_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, sequence INTEGER, sealed_at INTEGER, object_key TEXT, store TEXT,
    length INTEGER, sha256 BLOB)`);
}

/** Reads a value of `meta`; `undefined` when it was never written. */
export function readMeta(storage: ShardStorage, name: string): unknown {
  const [row] = storage.sql.exec("SELECT value FROM meta WHERE name = ?", name).toArray();
  return row === undefined ? undefined : JSON.parse(toText(row["value"]));
}

/** Writes a value of `meta`. */
export function writeMeta(storage: ShardStorage, meter: RowMeter, name: string, value: unknown): void {
  const text = JSON.stringify(value);
  run(storage, meter, "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, text);
}

/** Adds a batch without members, and its table. */
export function insertBatch(
  storage: ShardStorage,
  meter: RowMeter,
  batch: { readonly id: number; readonly form: MemberForm; readonly openedAt: number },
): void {
  const { id, form, openedAt } = batch;
  const columns = "id, marshaler, compression, opened_at";
  run(storage, meter, `INSERT INTO batches (${columns}) VALUES (?, ?, ?, ?)`, id, ...formColumns(form), openedAt);
  run(
    storage,
    meter,
    `CREATE TABLE batch_${id} (row INTEGER PRIMARY KEY, committed_at INTEGER NOT NULL, item_count INTEGER NOT NULL,
      request_count INTEGER NOT NULL, data_bytes INTEGER NOT NULL, entries BLOB NOT NULL, data BLOB NOT NULL)`,
  );
}

function formColumns(form: MemberForm): [string, string] {
  return [form.marshaler, form.compression];
}

/** Appends one row of members to a batch. */
export function insertChunk(storage: ShardStorage, meter: RowMeter, batchId: number, chunk: ChunkRow): void {
  run(
    storage,
    meter,
    `INSERT INTO batch_${batchId} (committed_at, item_count, request_count, data_bytes, entries, data)
      VALUES (?, ?, ?, ?, ?, ?)`,
    chunk.committedAt,
    chunk.itemCount,
    chunk.requestCount,
    chunk.data.byteLength,
    chunk.entries,
    chunk.data,
  );
}

/** Reads all batches, oldest first. @throws FirnError `unknown_format` for a form that is not known here. */
export function readBatches(storage: ShardStorage): BatchRow[] {
  return storage.sql.exec("SELECT * FROM batches ORDER BY id").toArray().map(toBatchRow);
}

function toBatchRow(row: Record<string, SqlStorageValue>): BatchRow {
  const sha256 = row["sha256"];
  return {
    id: Number(row["id"]),
    form: toForm(row["marshaler"], row["compression"]),
    openedAt: Number(row["opened_at"]),
    attempts: Number(row["attempts"]),
    seal:
      sha256 instanceof ArrayBuffer
        ? {
            sequence: Number(row["sequence"]),
            sealedAt: Number(row["sealed_at"]),
            key: toText(row["object_key"]),
            store: toText(row["store"]),
            length: Number(row["length"]),
            sha256: new Uint8Array(sha256),
          }
        : null,
  };
}

function toForm(marshaler: SqlStorageValue | undefined, compression: SqlStorageValue | undefined): MemberForm {
  if (
    (marshaler === "otlp_proto" || marshaler === "otlp_json") &&
    (compression === "gzip" || compression === "zstd" || compression === "none")
  ) {
    return { marshaler, compression };
  }
  throw new FirnError(
    "unknown_format",
    `Cannot read a batch: found the form ${JSON.stringify([marshaler, compression])}`,
  );
}

/** Sums what a batch holds, without reading a blob. */
export function readBatchSums(storage: ShardStorage, batchId: number): BatchSums {
  const row = storage.sql
    .exec(
      `SELECT coalesce(sum(data_bytes), 0) AS bytes, coalesce(sum(item_count), 0) AS items,
        coalesce(sum(request_count), 0) AS requests FROM batch_${batchId}`,
    )
    .one();
  return {
    memberBytes: Number(row["bytes"]),
    itemCount: Number(row["items"]),
    requestCount: Number(row["requests"]),
  };
}

/**
 * Entries of a batch, row by row, with the time at which each row was committed. No statement stays open between rows:
 * a reader that stops early would otherwise lock the table against being dropped.
 */
export function* readEntries(
  storage: ShardStorage,
  batchId: number,
): Generator<{ readonly committedAt: number; readonly entries: Uint8Array }> {
  const query = `SELECT committed_at, entries FROM batch_${batchId} WHERE row = ?`;
  for (let number = 1; ; number += 1) {
    const [row] = storage.sql.exec(query, number).toArray();
    if (row === undefined) return;
    yield { committedAt: Number(row["committed_at"]), entries: toBytes(row["entries"]) };
  }
}

/** Finds a request in a batch; SQLite searches the blobs, so that nothing is read but what may hold it. */
export function findInBatch(storage: ShardStorage, batchId: number, hash: Uint8Array): Entry | null {
  const query = `SELECT entries FROM batch_${batchId} WHERE instr(entries, ?) > 0`;
  for (const row of storage.sql.exec(query, hash).toArray()) {
    // The bytes may also stand across two entries.
    const found = findEntry(toBytes(row["entries"]), hash);
    if (found !== null) return found;
  }
  return null;
}

/** Data of one row of a batch, counted from 1; `null` past the last. Rows never change once written. */
export function readChunkData(storage: ShardStorage, batchId: number, row: number): Uint8Array | null {
  const [found] = storage.sql.exec(`SELECT data FROM batch_${batchId} WHERE row = ?`, row).toArray();
  return found === undefined ? null : toBytes(found["data"]);
}

/** Notes a seal. */
export function updateSeal(storage: ShardStorage, meter: RowMeter, batchId: number, seal: Seal): void {
  run(
    storage,
    meter,
    "UPDATE batches SET sequence = ?, sealed_at = ?, object_key = ?, store = ?, length = ?, sha256 = ? WHERE id = ?",
    seal.sequence,
    seal.sealedAt,
    seal.key,
    seal.store,
    seal.length,
    seal.sha256,
    batchId,
  );
}

/** Notes how often a batch was tried, before it is tried again (protocol 3.5). */
export function updateAttempts(storage: ShardStorage, meter: RowMeter, batchId: number, attempts: number): void {
  run(storage, meter, "UPDATE batches SET attempts = ? WHERE id = ?", attempts, batchId);
}

/** Forgets a batch and its members; dropping a table writes no rows, deleting writes one a row. */
export function dropBatch(storage: ShardStorage, meter: RowMeter, batchId: number): void {
  run(storage, meter, `DROP TABLE batch_${batchId}`);
  run(storage, meter, "DELETE FROM batches WHERE id = ?", batchId);
}

/** Reads a blob column. */
export function toBytes(value: SqlStorageValue | undefined): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw wrongColumn("blob");
}

/** Reads a text column. */
export function toText(value: SqlStorageValue | undefined): string {
  if (typeof value === "string") return value;
  throw wrongColumn("text");
}

function wrongColumn(expected: string): FirnError {
  return new FirnError("unknown_format", `Cannot read a row of the shard: expected ${expected} in a column`);
}
