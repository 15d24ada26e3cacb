/**
 * Whether a trace can be in an hour, as its listings and indexes say, without its manifest: {@link askListedTraces}. A
 * manifest is spared only where it could add nothing: it is of generation 1, so that no output was retired or replaced;
 * nothing is fresh; outputs and indexes are listed in pairs, objects before indexes; and each index lacks the trace.
 * Whoever deletes an output from the bucket leaves its index, so that the manifest is read and tells.
 */
import { formatTraceIndexKey, parseManifestKey } from "../archive/firn-keys.ts";
import { parseKey, type Layout } from "../archive/key.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import type { ItemSignal } from "../signal.ts";
import type { Millis } from "../units.ts";
import type { FileSource } from "./firn-file.ts";
import type { ListedHour } from "./listed-hours.ts";
import type { ListingSource } from "./listing.ts";
import { askListedIndex, type AskedIndex } from "./trace-index.ts";
import type { HourObjects } from "./visible.ts";

/** An hour that was listed with others. */
export interface SeenHour {
  readonly signal: ItemSignal;
  readonly hour: Millis;
  readonly listed: ListedHour;
  /** What the listing holds for the read. */
  readonly objects: HourObjects;
}

/** What listed indexes say of a trace. */
export interface ListedTraces {
  /** Nothing of the window is of the trace. */
  readonly isAbsent: boolean;
  /** Indexes that need not be asked again, by their keys. */
  readonly asked: ReadonlyMap<string, AskedIndex>;
}

/** No index was asked. */
export const NOTHING_ASKED: ListedTraces = { isAbsent: false, asked: new Map() };

const INDEX_EXTENSION = ".trace";

/**
 * Asks the indexes of an hour, if they can say that a trace is not there, up to one that does not say so.
 * @param hash of the trace's id, as `hashTraceId` makes it
 * @throws FirnError what the store throws when it fails itself
 */
export async function askListedTraces(source: ListingSource, hash: number, seen: SeenHour): Promise<ListedTraces> {
  const indexes = mayLackManifest(source.layout, seen) ? pairIndexes(source.layout, seen) : null;
  return indexes === null ? NOTHING_ASKED : askAll(indexes, hash, source);
}

async function askAll(indexes: readonly ObjectInfo[], hash: number, source: FileSource): Promise<ListedTraces> {
  const asked = new Map<string, AskedIndex>();
  for (const info of indexes) {
    const answer = await askListedIndex(info, hash, source);
    if (answer !== null) asked.set(info.key, answer);
    if (answer?.members.size !== 0) return { isAbsent: false, asked };
  }
  return { isAbsent: true, asked };
}

function mayLackManifest(layout: Layout, { signal, hour, listed, objects }: SeenHour): boolean {
  if (objects.minutes.length > 0) return false;
  const names = listed.manifests.flatMap(({ key }) => parseManifestKey(key, layout, signal, hour) ?? []);
  return names.length === 1 && names[0]?.generation === 1;
}

/** The indexes of the listed outputs; `null` when there are none, or some of the one without the other. */
function pairIndexes(layout: Layout, { listed, objects }: SeenHour): readonly ObjectInfo[] | null {
  const indexes = (listed.indexes ?? []).filter(({ key }) => key.endsWith(INDEX_EXTENSION));
  const outputs = [...objects.compacted.keys()].flatMap((key) => {
    const own = parseKey(key, layout);
    return own?.kind === "compacted" ? [formatTraceIndexKey(own, layout)] : [];
  });
  const wanted = new Set(outputs);
  const isPaired = outputs.length === indexes.length && indexes.every(({ key }) => wanted.has(key));
  return isPaired && indexes.length > 0 ? indexes : null;
}
