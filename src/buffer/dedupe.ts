/**
 * Which requests a shard has seen inside the dedupe window (protocol 3.3).
 *
 * Time is cut into slices. The hashes of a slice stand in storage twice over its life: in the rows of their batch, in
 * the same transaction as the data, and, once the batch is stored, in `hashes_<slice>`. In memory the newest hashes are
 * exact tables; what outgrows the memory becomes filters, and a filter's "maybe" is looked up in storage. A slice is
 * forgotten whole, after the window.
 */
import { joinBytes } from "../bytes.ts";
import { DEDUPE_FILTER_MAX_BYTES, DEDUPE_INDEX_MAX_ENTRIES } from "../limits.ts";
import { ENTRY_BYTES, type Entry } from "./entries.ts";
import { countSlice, dropSlice, findInSlice, insertHashRows, readSlice, storedSlices } from "./hash-rows.ts";
import { openHashFilter, openHashTable, type HashFilter, type HashTable } from "./hash-set.ts";
import { findInBatch, readEntries, type RowMeter, type ShardStorage } from "./schema.ts";

/** Length of a slice in milliseconds; a fixed number, since table names carry the slice's. */
const SLICE_MILLIS = 600_000;
/** Slices are kept this much longer than the window: clocks differ by minutes (reliability F-15). */
const CLOCK_MARGIN_MILLIS = 600_000;

/** The counts that the answer to a copy repeats. */
export type Remembered = Pick<Entry, "itemCount" | "rejectedCount">;

interface Slice {
  readonly number: number;
  /** Hashes known exactly. */
  table: HashTable;
  /** Tables of this slice that had to make room. */
  readonly filters: HashFilter[];
  /** Not even filters had room: what the table doesn't know is looked up in storage. */
  isUnfiltered: boolean;
}

/** Memory of a shard's hashes; storage stays the truth. */
export interface DedupeIndex {
  readonly windowMillis: number;
  /** Newest first. */
  readonly slices: Slice[];
  /** Entries held exactly, at most `DEDUPE_INDEX_MAX_ENTRIES`. */
  tableEntries: number;
  /** At most `DEDUPE_FILTER_MAX_BYTES`. */
  filterBytes: number;
}

/** Makes an empty index. @param windowMillis - how long a request is remembered at least; 0 turns dedupe off */
export function openDedupeIndex(windowMillis: number): DedupeIndex {
  return { windowMillis, slices: [], tableEntries: 0, filterBytes: 0 };
}

/**
 * Fills the index from storage, newest slice first: exact while there is room, then one filter a slice.
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
  const unstored = gatherEntries(storage, batchIds);
  const numbers = new Set([...storedSlices(storage), ...unstored.keys()]);
  for (const number of [...numbers].toSorted((a, b) => b - a)) {
    const ofBatches = unstored.get(number) ?? [];
    const packedBytes = ofBatches.reduce((sum, packed) => sum + packed.byteLength, 0);
    const count = countSlice(storage, number) + packedBytes / ENTRY_BYTES;
    loadSlice(index, { number, count }, [ofBatches, readSlice(storage, number)]);
  }
}

function loadSlice(
  index: DedupeIndex,
  { number, count }: { readonly number: number; readonly count: number },
  sources: readonly Iterable<Uint8Array>[],
): void {
  const slice = findSlice(index, number);
  const isExact = index.tableEntries + count <= DEDUPE_INDEX_MAX_ENTRIES;
  const target = isExact ? slice.table : openFilter(index, slice, count);
  if (target === null) return;
  for (const source of sources) {
    for (const packed of source) target.addPacked(packed);
  }
  if (isExact) index.tableEntries += slice.table.size;
}

/** Adds a request; called only when the transaction that holds it is durable. @param at - time of the commit */
export function remember(index: DedupeIndex, at: number, entry: Entry): void {
  if (index.windowMillis === 0) return;
  const { table } = findSlice(index, sliceOf(at));
  const before = table.size;
  table.add(entry);
  index.tableEntries += table.size - before;
  if (index.tableEntries > DEDUPE_INDEX_MAX_ENTRIES) demoteOldest(index);
}

/**
 * Looks a request up.
 * @param batchIds - batches that are still in the shard, where a "maybe" is looked up besides its slice
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
  }
  const maybes = index.slices.filter((slice) => slice.isUnfiltered || slice.filters.some((filter) => filter.has(hash)));
  for (const { number } of maybes) {
    const found = findInSlice(storage, number, hash);
    if (found !== null) return found;
  }
  if (maybes.length === 0) return null;
  for (const id of batchIds) {
    const found = findInBatch(storage, id, hash);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Takes the entries of a batch that is about to be dropped; {@link keepEntries} stores them after that, so that a full
 * storage has room again before it is written to. Both belong into the transaction that drops the batch.
 */
export function takeEntries(index: DedupeIndex, storage: ShardStorage, batchId: number): Map<number, Uint8Array[]> {
  const oldest = index.slices.at(-1)?.number;
  if (index.windowMillis === 0 || oldest === undefined) return new Map();
  const bySlice = gatherEntries(storage, [batchId]);
  for (const number of bySlice.keys()) if (number < oldest) bySlice.delete(number);
  return bySlice;
}

/** Stores what {@link takeEntries} took. */
export function keepEntries(
  storage: ShardStorage,
  meter: RowMeter,
  bySlice: ReadonlyMap<number, readonly Uint8Array[]>,
): void {
  for (const [number, blobs] of bySlice) {
    insertHashRows(storage, meter, number, joinBytes(blobs));
  }
}

/** Packed entries of batches, by the slice in which they were committed. */
function gatherEntries(storage: ShardStorage, batchIds: readonly number[]): Map<number, Uint8Array[]> {
  const bySlice = new Map<number, Uint8Array[]>();
  for (const id of batchIds) {
    for (const { committedAt, entries } of readEntries(storage, id)) {
      const number = sliceOf(committedAt);
      const blobs = bySlice.get(number) ?? [];
      blobs.push(entries);
      bySlice.set(number, blobs);
    }
  }
  return bySlice;
}

/**
 * Forgets the slices that lie wholly before the window, which ends no later than the newest slice: a clock that jumps
 * ahead while nothing is appended forgets nothing.
 */
export function dropExpiredSlices(index: DedupeIndex, storage: ShardStorage, now: number): void {
  const stored = storedSlices(storage);
  const newest = Math.max(index.slices[0]?.number ?? 0, stored[0] ?? 0);
  const until = Math.min(now, (newest + 1) * SLICE_MILLIS) - index.windowMillis - CLOCK_MARGIN_MILLIS;
  const isExpired = (number: number): boolean => (number + 1) * SLICE_MILLIS <= until;
  while (isExpired(index.slices.at(-1)?.number ?? Number.MAX_SAFE_INTEGER)) {
    const slice = index.slices.pop();
    if (slice === undefined) break;
    index.tableEntries -= slice.table.size;
    for (const filter of slice.filters) index.filterBytes -= filter.sizeBytes;
  }
  for (const number of stored) if (isExpired(number)) dropSlice(storage, number);
}

/** The slice that a moment belongs to. */
function sliceOf(at: number): number {
  return Math.floor(at / SLICE_MILLIS);
}

function findSlice(index: DedupeIndex, number: number): Slice {
  const at = index.slices.findIndex((slice) => slice.number <= number);
  const found = index.slices[at];
  if (found?.number === number) return found;
  const slice: Slice = { number, table: openHashTable(), filters: [], isUnfiltered: false };
  index.slices.splice(at < 0 ? index.slices.length : at, 0, slice);
  return slice;
}

/** Turns the oldest table that holds anything into a filter, a twelfth of its size. */
function demoteOldest(index: DedupeIndex): void {
  const slice = index.slices.findLast(({ table }) => table.size > 0);
  if (slice === undefined) return;
  openFilter(index, slice, slice.table.size)?.addPacked(slice.table.pack());
  index.tableEntries -= slice.table.size;
  slice.table = openHashTable();
}

/** Adds a filter to a slice; `null` when there is no room for one, and the slice is looked up in storage. */
function openFilter(index: DedupeIndex, slice: Slice, count: number): HashFilter | null {
  const filter = openHashFilter(count);
  if (index.filterBytes + filter.sizeBytes > DEDUPE_FILTER_MAX_BYTES) {
    slice.isUnfiltered = true;
    return null;
  }
  index.filterBytes += filter.sizeBytes;
  slice.filters.push(filter);
  return filter;
}
