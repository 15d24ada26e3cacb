/**
 * Hashes in storage: the tables `hashes_<slice>`, in which the entries of stored batches are kept through the dedupe
 * window. A row holds a sorted run of entries between its first and its last hash, so that a look-up reads one short
 * row a batch and not the slice. A slice is dropped whole, which writes no rows.
 *
 * No statement stays open between rows: a reader that stops early would lock its table against being dropped.
 */
import { bytes, KIB } from "../units.ts";
import { compareHashes, ENTRY_BYTES, findEntry, HASH_BYTES, type Entry } from "./entries.ts";
import { run, toBytes, toText, type RowMeter, type ShardStorage } from "./schema.ts";

/** A row of 64 KiB: 2,340 entries, read in some ten microseconds. */
const ROW_ENTRIES = Math.floor(bytes(64 * KIB) / ENTRY_BYTES);

/** Slices that have a table, newest first. */
export function storedSlices(storage: ShardStorage): number[] {
  return storage.sql
    .exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'hashes_[0-9]*'")
    .toArray()
    .map((row) => Number(toText(row["name"]).slice("hashes_".length)))
    .toSorted((a, b) => b - a);
}

/** Adds entries to a slice. @param packed - entries in any order */
export function insertHashRows(storage: ShardStorage, meter: RowMeter, slice: number, packed: Uint8Array): void {
  run(
    storage,
    meter,
    `CREATE TABLE IF NOT EXISTS hashes_${slice} (row INTEGER PRIMARY KEY, entry_count INTEGER NOT NULL,
      first BLOB NOT NULL, last BLOB NOT NULL, entries BLOB NOT NULL)`,
  );
  const sorted = sortEntries(packed);
  for (let from = 0; from < sorted.byteLength; from += ROW_ENTRIES * ENTRY_BYTES) {
    const entries = sorted.subarray(from, from + ROW_ENTRIES * ENTRY_BYTES);
    const first = entries.subarray(0, HASH_BYTES);
    const last = entries.subarray(entries.byteLength - ENTRY_BYTES, entries.byteLength - ENTRY_BYTES + HASH_BYTES);
    const values = [entries.byteLength / ENTRY_BYTES, first, last, entries] as const;
    const columns = "entry_count, first, last, entries";
    run(storage, meter, `INSERT INTO hashes_${slice} (${columns}) VALUES (?, ?, ?, ?)`, ...values);
  }
}

function sortEntries(packed: Uint8Array): Uint8Array {
  const count = packed.byteLength / ENTRY_BYTES;
  const order = Uint32Array.from({ length: count }, (_, index) => index * ENTRY_BYTES);
  order.sort((a, b) => compareHashes(packed, a, b));
  const sorted = new Uint8Array(packed.byteLength);
  order.forEach((from, index) => sorted.set(packed.subarray(from, from + ENTRY_BYTES), index * ENTRY_BYTES));
  return sorted;
}

/** Finds an entry in a slice; `null` when it isn't there. */
export function findInSlice(storage: ShardStorage, slice: number, hash: Uint8Array): Entry | null {
  if (!hasTable(storage, slice)) return null;
  const query = `SELECT entries FROM hashes_${slice} WHERE first <= ?1 AND last >= ?1`;
  for (const row of storage.sql.exec(query, hash).toArray()) {
    const found = findEntry(toBytes(row["entries"]), hash);
    if (found !== null) return found;
  }
  return null;
}

/** Number of entries in a slice, without reading them. */
export function countSlice(storage: ShardStorage, slice: number): number {
  if (!hasTable(storage, slice)) return 0;
  const row = storage.sql.exec(`SELECT coalesce(sum(entry_count), 0) AS n FROM hashes_${slice}`).one();
  return Number(row["n"]);
}

/** The packed entries of a slice, row by row. */
export function* readSlice(storage: ShardStorage, slice: number): Generator<Uint8Array> {
  if (!hasTable(storage, slice)) return;
  for (let next = 1; ; next += 1) {
    const [row] = storage.sql.exec(`SELECT entries FROM hashes_${slice} WHERE row = ?`, next).toArray();
    if (row === undefined) return;
    yield toBytes(row["entries"]);
  }
}

/** Forgets a slice. */
export function dropSlice(storage: ShardStorage, slice: number): void {
  storage.sql.exec(`DROP TABLE IF EXISTS hashes_${slice}`);
}

function hasTable(storage: ShardStorage, slice: number): boolean {
  return storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", `hashes_${slice}`).toArray().length > 0;
}
