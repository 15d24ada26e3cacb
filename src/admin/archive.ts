/**
 * `GET /archive`: which objects stand in a window, what of them a reader reads, and what is known of their content
 * without reading them. Nothing is read but listings and manifests.
 */
import type { Layout } from "../archive/key.ts";
import { hourListPrefix } from "../archive/key.ts";
import { ARCHIVE_PAGE_MAX_CALLS } from "../limits.ts";
import { isExpiredHour } from "../reader/expired-hour.ts";
import { hoursOf } from "../reader/hours.ts";
import type { ListingSource } from "../reader/listing.ts";
import { openHourSeek } from "../reader/seek.ts";
import { openUsage } from "../reader/usage.ts";
import { isItemSignal, type Signal } from "../signal.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import { tallyHour, type ArchiveEntry, type PartitionTally } from "./archive-hour.ts";
import { formatPosition, parseArchiveQuery, type ArchivePosition, type ArchiveQuery } from "./archive-query.ts";

/** The outside of one request of an authenticated tenant. */
export interface ArchiveDeps {
  readonly store: ListingSource["store"];
  /** Of the tenant, which comes from the grant and from nothing in the request. */
  readonly layout: Layout;
  /** The bucket's lifecycle may have deleted what came before this instant. */
  readonly expiredBefore?: Millis;
  /** How long a store may stay silent in the middle of a file. */
  readonly bodyTimeout?: Millis;
}

/** The answer's shape; a field that counts or measures ends in its unit. */
export interface ArchiveDocument {
  readonly partitions: readonly PartitionDocument[];
  /** Of the partitions that begin on this page, each whole: the sums over all pages are those of the window. */
  readonly totals: TotalsDocument;
  /** Cursor of the next page; `null` on the last one. */
  readonly next: string | null;
}

interface TotalsDocument {
  readonly partition_count: number;
  readonly object_count: number;
  readonly size_bytes: number;
  /** `null` where only reading would tell. */
  readonly item_count: number | null;
  readonly raw_bytes: number | null;
  readonly invisible_object_count: number;
  readonly invisible_size_bytes: number;
}

/** One hour and signal; its numbers are those of the whole partition, whatever of it stands on this page. */
interface PartitionDocument extends Omit<TotalsDocument, "partition_count"> {
  readonly hour: string;
  readonly signal: Signal;
  /** What all of its keys begin with. */
  readonly prefix: string;
  readonly compaction: CompactionState;
  /** Of the newest manifest; `null` without one. */
  readonly generation: number | null;
  /** Outputs that the manifest names and that are not there: the loss of data. */
  readonly missing_output_count: number;
  /** The same of an hour that the bucket's own lifecycle deletes: nothing is lost. */
  readonly expired_output_count: number;
  readonly retired_output_count: number;
  /** Objects that compaction could not decode; they stay where they are. */
  readonly unreadable_object_count: number;
  /** It began on an earlier page. */
  readonly is_continued: boolean;
  readonly objects?: readonly object[];
}

/**
 * `none`: no manifest; `partial`: fresh objects are still read beside outputs; `compacted`: outputs alone; `retired`:
 * all outputs were removed by retention and nothing else is there; `expired`: those that were not, by the bucket.
 */
type CompactionState = "none" | "partial" | "compacted" | "retired" | "expired";

/**
 * Looks at a page of a window.
 * @throws FirnError `invalid_request` for a parameter, `unavailable`, `corrupt_object` and `unknown_format` for an hour
 * that cannot be judged, and what the store throws
 */
export async function readArchive(parameters: URLSearchParams, deps: ArchiveDeps): Promise<ArchiveDocument> {
  const { store, layout, bodyTimeout, expiredBefore } = deps;
  const query = parseArchiveQuery(parameters, layout);
  const source: ListingSource = { store, layout, usage: openUsage(), bodyTimeout };
  const hours = hoursOf(layout, query.window.start, query.window.end);
  const seek = openHourSeek(source, query.signals.filter(isItemSignal));
  const page = openPage(query, { layout, expiredBefore });
  const first = query.position === null ? hours.first : query.position.hour;
  for (let hour = first; hour < hours.end;) {
    const isCalledOut = hour > first && source.usage.storeCalls >= ARCHIVE_PAGE_MAX_CALLS;
    if (isCalledOut || page.left() === 0)
      return page.end({ hour, signal: query.signals[0] ?? "traces", afterKey: null });
    const { isEmpty, partitions } = await tallyHour(source, { hour, ...page.wanted(hour) });
    for (const partition of partitions) {
      const next = page.add(hour, partition);
      if (next !== null) return page.end(next);
    }
    const following = { first: millis(hour + HOUR), end: hours.end };
    hour = isEmpty && following.first < following.end ? await seek(following) : following.first;
  }
  return page.end(null);
}

/** Fills a page with partitions and their objects. */
interface Page {
  /** Objects for which there is room, or partitions. */
  left(): number;
  /** What of an hour can come on this page. */
  wanted(hour: Millis): {
    signals: readonly Signal[];
    maxEntries: number;
    after: { signal: Signal; key: string } | null;
  };
  /** @returns where the next page begins; `null` when all of the partition has its place */
  add(hour: Millis, partition: PartitionTally): ArchivePosition | null;
  end(next: ArchivePosition | null): ArchiveDocument;
}

function openPage(
  { signals, limit, hasObjects, position }: ArchiveQuery,
  { layout, expiredBefore }: { readonly layout: Layout; readonly expiredBefore: Millis | undefined },
): Page {
  const partitions: PartitionDocument[] = [];
  let left = limit;

  return {
    left: () => left,
    wanted: (hour) => {
      const maxEntries = hasObjects ? left : 0;
      if (position?.hour !== hour) return { signals, maxEntries, after: null };
      const { signal, afterKey } = position;
      const after = afterKey === null ? null : { signal, key: afterKey };
      return { signals: signals.slice(signals.indexOf(signal)), maxEntries, after };
    },
    add: (hour, partition) => {
      const { signal } = partition;
      if (left === 0) return { hour, signal, afterKey: null };
      const entries = hasObjects ? partition.entries.slice(0, left) : [];
      const isContinued = position?.hour === hour && position.signal === signal && position.afterKey !== null;
      const isExpired = isExpiredHour(hour, expiredBefore);
      const place = { hour, prefix: hourListPrefix(layout, hour), isContinued, isExpired };
      const document = toPartitionDocument(partition, place);
      partitions.push(hasObjects ? { ...document, objects: entries.map(toObjectDocument) } : document);
      const hasMore = hasObjects && (partition.hasMore || entries.length < partition.entries.length);
      // One without objects takes room, too: a page of them ends as well.
      left -= Math.max(1, entries.length);
      return hasMore ? { hour, signal, afterKey: entries.at(-1)?.key ?? null } : null;
    },
    end: (next) => ({
      partitions,
      totals: toTotals(partitions.filter((partition) => !partition.is_continued)),
      next: next === null ? null : formatPosition(next),
    }),
  };
}

interface PartitionPlace {
  readonly hour: Millis;
  readonly prefix: string;
  readonly isContinued: boolean;
  /** What is absent was deleted by the bucket's lifecycle. */
  readonly isExpired: boolean;
}

function toPartitionDocument(
  partition: PartitionTally,
  { hour, prefix, isContinued, isExpired }: PartitionPlace,
): PartitionDocument {
  const { signal, newest, visible, invisible, freshCount } = partition;
  const outputs = newest?.manifest.outputs ?? [];
  const isKnown = freshCount === 0;
  return {
    hour: new Date(hour).toISOString(),
    signal,
    prefix,
    compaction: toState(partition, isExpired),
    generation: newest?.manifest.generation ?? null,
    object_count: visible.objectCount,
    size_bytes: visible.sizeBytes,
    item_count: isKnown ? partition.outputItemCount : null,
    raw_bytes: isKnown ? partition.outputRawBytes : null,
    invisible_object_count: invisible.objectCount,
    invisible_size_bytes: invisible.sizeBytes,
    missing_output_count: isExpired ? 0 : partition.missingCount,
    expired_output_count: isExpired ? partition.missingCount : 0,
    retired_output_count: outputs.filter(({ retired }) => retired).length,
    unreadable_object_count: newest?.manifest.unreadable.length ?? 0,
    is_continued: isContinued,
  };
}

function toState({ newest, freshCount, missingCount }: PartitionTally, isExpired: boolean): CompactionState {
  if (newest === null) return "none";
  if (freshCount > 0) return "partial";
  const { outputs } = newest.manifest;
  const liveCount = outputs.filter(({ retired }) => !retired).length;
  if (outputs.length > 0 && liveCount === 0) return "retired";
  return isExpired && liveCount > 0 && missingCount === liveCount ? "expired" : "compacted";
}

function toObjectDocument({ key, kind, sizeBytes, isVisible, minutes, output }: ArchiveEntry): object {
  return {
    key,
    kind,
    size_bytes: sizeBytes,
    is_visible: isVisible,
    first_minute: minutes === null ? null : new Date(minutes.first).toISOString(),
    last_minute: minutes === null ? null : new Date(minutes.last).toISOString(),
    item_count: output?.itemCount ?? null,
    raw_bytes: output?.rawBytes ?? null,
  };
}

function toTotals(partitions: readonly PartitionDocument[]): TotalsDocument {
  const sum = (pick: (partition: PartitionDocument) => number): number =>
    partitions.reduce((total, partition) => total + pick(partition), 0);
  const sumKnown = (pick: (partition: PartitionDocument) => number | null): number | null =>
    partitions.some((partition) => pick(partition) === null) ? null : sum((partition) => pick(partition) ?? 0);
  return {
    partition_count: partitions.length,
    object_count: sum((partition) => partition.object_count),
    size_bytes: sum((partition) => partition.size_bytes),
    item_count: sumKnown((partition) => partition.item_count),
    raw_bytes: sumKnown((partition) => partition.raw_bytes),
    invisible_object_count: sum((partition) => partition.invisible_object_count),
    invisible_size_bytes: sum((partition) => partition.invisible_size_bytes),
  };
}
