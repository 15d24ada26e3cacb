/**
 * Which requests a shard has seen inside the dedupe window (protocol 3.3).
 *
 * Time is cut into slices. The hashes of a slice stand in storage twice over its life: in the rows of their batch, in
 * the same transaction as the data, and, once the batch is stored, packed in `hashes_<slice>`. In memory a slice is an
 * exact table; the oldest slices become filters when there are too many hashes, and a filter's "maybe" is looked up in
 * storage. A slice is forgotten whole, after the window, by dropping its table.
 */
import { CHUNK_MAX_BYTES, DEDUPE_INDEX_MAX_ENTRIES } from "../limits.ts";
import { encodeEntries, ENTRY_BYTES, findEntry, forEachEntry, type Entry } from "./entries.ts";
import { openHashFilter, openHashTable, type HashFilter, type HashTable } from "./hash-set.ts";
import { readEntries, run, toBytes, toText, type RowMeter, type ShardStorage } from "./schema.ts";

/** Length of a slice in milliseconds; a fixed number, since table names carry the slice's. */
const SLICE_MILLIS = 600_000;

/** The counts that the answer to a copy repeats. */
export type Remembered = Pick<Entry, "itemCount" | "rejectedCount">;

interface Slice {
  readonly number: number;
  /** Hashes known exactly. */
  table: HashTable;
  /** Earlier tables of this slice that had to make room. */
  readonly filters: HashFilter[];
}

/** Memory of a shard's hashes; storage stays the truth. */
export interface DedupeIndex {
  readonly windowMillis: number;
  /** Newest first. */
  readonly slices: Slice[];
  /** Entries held exactly, at most `DEDUPE_INDEX_MAX_ENTRIES`. */
  tableEntries: number;
}

/** The slice that a moment belongs to. */
export function sliceOf(at: number): number {
  return Math.floor(at / SLICE_MILLIS);
}

/** Makes an empty index. @param windowMillis - how long a request is remembered at least; 0 turns dedupe off */
export function openDedupeIndex(windowMillis: number): DedupeIndex {
  return { windowMillis, slices: [], tableEntries: 0 };
}

/**
 * Fills the index from storage, newest slice first.
 * @param batchIds - batches that are still in the shard; their entries count by the time of their row
 */
export function loadDedupeIndex(
  index: DedupeIndex,
  storage: ShardStorage,
  batchIds: readonly number[],
  now: number,
): void {
  if (index.windowMillis === 0) return;
  dropExpiredSlices(index, storage, now);
  for (const number of storedSlices(storage)) {
    for (const blob of readSliceBlobs(storage, number)) {
      forEachEntry(blob, (entry) => rememberIn(index, number, entry));
    }
  }
  for (const id of batchIds) {
    for (const { committedAt, entries } of readEntries(storage, id)) {
      forEachEntry(entries, (entry) => rememberIn(index, sliceOf(committedAt), entry));
    }
  }
}

/** Adds a request; called only when the transaction that holds it is durable. */
export function remember(index: DedupeIndex, at: number, entry: Entry): void {
  if (index.windowMillis > 0) rememberIn(index, sliceOf(at), entry);
}

/**
 * Looks a request up.
 * @param batchIds - batches that are still in the shard, where a filter's "maybe" is looked up besides its slice
 */
export function recall(
  index: DedupeIndex,
  storage: ShardStorage,
  batchIds: Iterable<number>,
  hash: Uint8Array,
): Remembered | null {
  for (const slice of index.slices) {
    const found = slice.table.get(hash);
    if (found !== null) return found;
    if (!slice.filters.some((filter) => filter.has(hash))) continue;
    const stored = findInStorage(storage, slice.number, batchIds, hash);
    if (stored !== null) return stored;
  }
  return null;
}

function findInStorage(
  storage: ShardStorage,
  number: number,
  batchIds: Iterable<number>,
  hash: Uint8Array,
): Remembered | null {
  for (const blob of readSliceBlobs(storage, number)) {
    const found = findEntry(blob, hash);
    if (found !== null) return found;
  }
  for (const id of batchIds) {
    for (const { committedAt, entries } of readEntries(storage, id)) {
      const found = sliceOf(committedAt) === number ? findEntry(entries, hash) : null;
      if (found !== null) return found;
    }
  }
  return null;
}

/** Keeps the entries of a batch that is about to be dropped, in the transaction that drops it. */
export function storeBatchEntries(index: DedupeIndex, storage: ShardStorage, meter: RowMeter, batchId: number): void {
  const oldest = index.slices.at(-1)?.number;
  if (index.windowMillis === 0 || oldest === undefined) return;
  const bySlice = new Map<number, Entry[]>();
  for (const { committedAt, entries } of readEntries(storage, batchId)) {
    const number = sliceOf(committedAt);
    if (number < oldest) continue;
    const list = bySlice.get(number) ?? [];
    forEachEntry(entries, (entry) => list.push(entry));
    bySlice.set(number, list);
  }
  for (const [number, entries] of bySlice) storeEntries(storage, meter, number, entries);
}

function storeEntries(storage: ShardStorage, meter: RowMeter, number: number, entries: readonly Entry[]): void {
  run(storage, meter, `CREATE TABLE IF NOT EXISTS hashes_${number} (row INTEGER PRIMARY KEY, entries BLOB NOT NULL)`);
  const perRow = Math.floor(CHUNK_MAX_BYTES / ENTRY_BYTES);
  for (let from = 0; from < entries.length; from += perRow) {
    const packed = encodeEntries(entries.slice(from, from + perRow));
    run(storage, meter, `INSERT INTO hashes_${number} (entries) VALUES (?)`, packed);
  }
}

/** Forgets the slices that lie wholly before the window. Dropping writes no rows. */
export function dropExpiredSlices(index: DedupeIndex, storage: ShardStorage, now: number): void {
  const isExpired = (number: number): boolean => (number + 1) * SLICE_MILLIS + index.windowMillis <= now;
  while (isExpired(index.slices.at(-1)?.number ?? Number.MAX_SAFE_INTEGER)) {
    index.tableEntries -= index.slices.pop()?.table.size ?? 0;
  }
  for (const number of storedSlices(storage)) {
    if (isExpired(number)) storage.sql.exec(`DROP TABLE hashes_${number}`);
  }
}

/** Slices that have a table, newest first. */
function storedSlices(storage: ShardStorage): number[] {
  return storage.sql
    .exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'hashes_[0-9]*'")
    .toArray()
    .map((row) => Number(toText(row["name"]).slice("hashes_".length)))
    .toSorted((a, b) => b - a);
}

/** The packed entries of a slice, without a statement that stays open: see `readEntries`. */
function* readSliceBlobs(storage: ShardStorage, number: number): Generator<Uint8Array> {
  const [table] = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", `hashes_${number}`).toArray();
  if (table === undefined) return;
  for (let next = 1; ; next += 1) {
    const [row] = storage.sql.exec(`SELECT entries FROM hashes_${number} WHERE row = ?`, next).toArray();
    if (row === undefined) return;
    yield toBytes(row["entries"]);
  }
}

function rememberIn(index: DedupeIndex, number: number, entry: Entry): void {
  const { table } = findSlice(index, number);
  const before = table.size;
  table.add(entry);
  index.tableEntries += table.size - before;
  if (index.tableEntries > DEDUPE_INDEX_MAX_ENTRIES) demoteOldest(index);
}

function findSlice(index: DedupeIndex, number: number): Slice {
  const at = index.slices.findIndex((slice) => slice.number <= number);
  const found = index.slices[at];
  if (found?.number === number) return found;
  const slice: Slice = { number, table: openHashTable(), filters: [] };
  index.slices.splice(at < 0 ? index.slices.length : at, 0, slice);
  return slice;
}

/** Turns the oldest table that holds anything into a filter, an eighth of its size. */
function demoteOldest(index: DedupeIndex): void {
  const slice = index.slices.findLast(({ table }) => table.size > 0);
  if (slice === undefined) return;
  const filter = openHashFilter(slice.table.size);
  slice.table.forEachHash((hash) => filter.add(hash));
  index.tableEntries -= slice.table.size;
  slice.filters.push(filter);
  slice.table = openHashTable();
}
