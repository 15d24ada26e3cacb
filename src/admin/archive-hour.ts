/**
 * What stands in one hour of an archive, signal by signal: {@link tallyHour}. The hour is listed page by page and
 * judged by the newest manifests, which are looked at before and after: had one changed in between, a source could have
 * been deleted whose output was not known yet. So nothing is held but what is to be shown.
 */
import { classifyKey, minuteOf, type ArchiveKey } from "../archive/key.ts";
import { liveOutputs } from "../archive/visibility.ts";
import type { ManifestOutput } from "../archive/manifest-output.ts";
import { FirnError, unreachable } from "../errors.ts";
import { ARCHIVE_HOUR_MAX_LOOKS } from "../limits.ts";
import { compareKeys } from "../reader/key-order.ts";
import { listHour, type ListingSource } from "../reader/listing.ts";
import { findSources, readNewestManifest, type HourManifest } from "../reader/manifests.ts";
import { isItemSignal, type Signal } from "../signal.ts";
import { HOUR, millis, MINUTE, type Millis } from "../units.ts";

/** What is wanted of an hour. */
export interface HourQuery {
  readonly hour: Millis;
  readonly signals: readonly Signal[];
  /** Most entries of each signal. */
  readonly maxEntries: number;
  /** Entries of this signal begin after this key. */
  readonly after: { readonly signal: Signal; readonly key: string } | null;
}

/** An hour as it stands now. */
export interface HourTally {
  /** Neither keys, of any signal, nor manifests. */
  readonly isEmpty: boolean;
  /** Those of the wanted signals that have objects or a manifest, in the order of the signals. */
  readonly partitions: readonly PartitionTally[];
}

/** One signal of an hour. */
export interface PartitionTally {
  readonly signal: Signal;
  readonly newest: HourManifest | null;
  /** What a reader reads. */
  readonly visible: Sum;
  /** What it does not: sources whose items are in outputs, outputs that no manifest names, strays. */
  readonly invisible: Sum;
  /** Visible objects that are no outputs. */
  readonly freshCount: number;
  /** Of the outputs that are visible. */
  readonly outputItemCount: number;
  readonly outputRawBytes: number;
  /** Outputs that the manifest names and that are not there. */
  readonly missingCount: number;
  /** In the order of keys. */
  readonly entries: readonly ArchiveEntry[];
  /** More entries follow. */
  readonly hasMore: boolean;
}

/** Objects added up. */
export interface Sum {
  readonly objectCount: number;
  readonly sizeBytes: number;
}

/** One object. */
export interface ArchiveEntry {
  readonly key: string;
  readonly kind: ArchiveKey["kind"];
  readonly sizeBytes: number;
  readonly isVisible: boolean;
  /** Minutes of arrival; `null` where nothing says so. */
  readonly minutes: { readonly first: Millis; readonly last: Millis } | null;
  /** The output that it is, by its manifest. */
  readonly output: ManifestOutput | null;
}

type Running<T> = { -readonly [Name in keyof T]: T[Name] };
interface RunningPartition extends Running<Omit<PartitionTally, "visible" | "invisible" | "entries">> {
  readonly visible: Running<Sum>;
  readonly invisible: Running<Sum>;
  readonly entries: ArchiveEntry[];
  /** Live outputs by key. */
  readonly outputs: ReadonlyMap<string, ManifestOutput>;
}

/**
 * Looks at an hour.
 * @throws FirnError `unavailable` when it changes again and again, `corrupt_object` and `unknown_format` for a manifest
 * that decides nothing, and what the store throws
 */
export async function tallyHour(source: ListingSource, query: HourQuery): Promise<HourTally> {
  for (let look = 1; look <= ARCHIVE_HOUR_MAX_LOOKS; look++) {
    const tally = await tallyOnce(source, query);
    if (tally !== null) return tally;
  }
  const hour = new Date(query.hour).toISOString();
  throw new FirnError("unavailable", `Cannot look at hour ${hour}: it is being compacted, ask again`);
}

/** @returns `null` when a manifest was published meanwhile */
async function tallyOnce(source: ListingSource, query: HourQuery): Promise<HourTally | null> {
  const { hour, signals } = query;
  const partitions = new Map<Signal, RunningPartition>();
  for (const signal of signals) {
    const newest = isItemSignal(signal) ? await readNewestManifest(source, { signal, hour, known: null }) : null;
    partitions.set(signal, openPartition(signal, newest));
  }
  let isEmpty = true;
  for await (const page of listHour(source, hour)) {
    if (page.length > 0) isEmpty = false;
    for (const partition of partitions.values()) {
      const sources = partition.newest === null ? NONE : await findSources(source, partition.newest, page);
      for (const { key, length } of page) {
        const parsed = classifyKey(key, source.layout);
        if (parsed?.signal !== partition.signal) continue;
        addEntry(partition, toEntry({ key, length, parsed, isSource: sources.has(key) }, partition, hour), query);
      }
    }
  }
  for (const { signal, newest } of partitions.values()) {
    if (!isItemSignal(signal)) continue;
    const again = await readNewestManifest(source, { signal, hour, known: newest });
    if (again?.name.key !== newest?.name.key) return null;
  }
  const found = [...partitions.values()].filter(
    ({ visible, invisible, newest }) => newest !== null || visible.objectCount + invisible.objectCount > 0,
  );
  return { isEmpty: isEmpty && found.length === 0, partitions: found };
}

const NONE: ReadonlySet<string> = new Set();

function openPartition(signal: Signal, newest: HourManifest | null): RunningPartition {
  const live = newest === null ? [] : liveOutputs(newest.manifest);
  return {
    signal,
    newest,
    outputs: new Map(live.map((output) => [output.key, output])),
    visible: { objectCount: 0, sizeBytes: 0 },
    invisible: { objectCount: 0, sizeBytes: 0 },
    freshCount: 0,
    outputItemCount: 0,
    outputRawBytes: 0,
    missingCount: live.length,
    entries: [],
    hasMore: false,
  };
}

interface Listed {
  readonly key: string;
  readonly length: number;
  readonly parsed: ArchiveKey;
  readonly isSource: boolean;
}

function toEntry({ key, length, parsed, isSource }: Listed, partition: RunningPartition, hour: Millis): ArchiveEntry {
  const entry = { key, kind: parsed.kind, sizeBytes: length };
  switch (parsed.kind) {
    case "compacted": {
      const output = partition.outputs.get(key) ?? null;
      const at = (minute: number): Millis => millis(hour + minute * MINUTE);
      const minutes = output === null ? null : { first: at(output.firstMinute), last: at(output.lastMinute) };
      return { ...entry, isVisible: output !== null, minutes, output };
    }
    case "fresh":
    case "foreign": {
      const minute = parsed.kind === "fresh" ? minuteOf(parsed) : parsed.minute;
      const isOfHour = minute !== null && minute >= hour && minute < hour + HOUR;
      const minutes = minute === null ? null : { first: minute, last: minute };
      return { ...entry, isVisible: isOfHour && !isSource, minutes, output: null };
    }
    default:
      return unreachable(parsed, "key");
  }
}

function addEntry(partition: RunningPartition, entry: ArchiveEntry, { after, maxEntries }: HourQuery): void {
  const sum = entry.isVisible ? partition.visible : partition.invisible;
  sum.objectCount++;
  sum.sizeBytes += entry.sizeBytes;
  if (entry.output !== null) {
    partition.missingCount--;
    partition.outputItemCount += entry.output.itemCount;
    partition.outputRawBytes += entry.output.rawBytes;
  } else if (entry.isVisible) partition.freshCount++;
  if (after?.signal === partition.signal && compareKeys(entry.key, after.key) <= 0) return;
  if (partition.entries.length < maxEntries) partition.entries.push(entry);
  else partition.hasMore = true;
}
