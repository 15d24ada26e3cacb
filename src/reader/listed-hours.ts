/**
 * Listings of many hours at once, for a read that wants little of each: {@link openListedHours}. A page of objects, and
 * after it a page of manifests, tell all of the hours that both hold whole; so of each hour the objects were listed
 * before the manifests, as protocol 6.1 asks. A look-up of a trace lists indexes after both. Only where text order is
 * time order.
 */
import { indexesFolder, manifestFolder } from "../archive/firn-keys.ts";
import { hourListPrefix } from "../archive/key.ts";
import { LIST_PAGE_KEYS, READ_INDEXED_HOURS_MIN } from "../limits.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import type { ItemSignal } from "../signal.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import { commonPrefix, hourAtOrAfterKey, type HourPrefix, type HourRange } from "./hours.ts";
import { compareKeys } from "./key-order.ts";
import { outOfOrder, type ListingSource } from "./listing.ts";

/** An hour as it was listed with others. */
export interface ListedHour {
  readonly objects: readonly ObjectInfo[];
  /** Everything in the folder of its manifests. */
  readonly manifests: readonly ObjectInfo[];
  /** Everything in the folder of its indexes, as it stood after both; `null` when that was not looked at. */
  readonly indexes: readonly ObjectInfo[] | null;
}

/** Which hours are listed, and what of them. */
export interface ListedWindow {
  readonly signal: ItemSignal;
  /** First instant after the last hour. */
  readonly end: Millis;
  /** Indexes are wanted wherever so many hours have manifests that it can save calls. */
  readonly wantsIndexes: boolean;
}

/** Hours as they are listed; they are asked for in ascending order. */
export interface ListedHours {
  /**
   * Finds the first hour from this one on that has something, or of which that is not known.
   * @returns its listing; `null` when it has more than a page and is to be listed by itself
   */
  find(from: Millis): Promise<{ readonly hour: Millis; readonly listed: ListedHour | null }>;
}

/** What pages told. */
interface Known {
  readonly hours: HourRange;
  readonly objects: ReadonlyMap<Millis, readonly ObjectInfo[]>;
  readonly manifests: ReadonlyMap<Millis, readonly ObjectInfo[]>;
  readonly indexes: ReadonlyMap<Millis, readonly ObjectInfo[]> | null;
}

/** Opens the listings of a window; {@link ListedHours.find} answers its end when nothing is left. */
export function openListedHours(source: ListingSource, { signal, end, wantsIndexes }: ListedWindow): ListedHours {
  const { layout } = source;
  let known: Known | null = null;

  async function look(first: Millis): Promise<Known> {
    const objects = await listPage(source, { first, end }, (hour) => hourListPrefix(layout, hour));
    if (objects.end <= first) return toKnown(first, [objects, objects, null]);
    const manifests = await listPage(source, { first, end: objects.end }, (hour) =>
      manifestFolder(layout, signal, hour),
    );
    const seen = toKnown(first, [objects, manifests, null]);
    const compacted = [...objects.infos.keys()].filter((hour) => hour < seen.hours.end && manifests.infos.has(hour));
    if (!wantsIndexes || compacted.length < READ_INDEXED_HOURS_MIN) return seen;
    const indexes = await listPage(source, seen.hours, (hour) => indexesFolder(layout, signal, hour));
    return indexes.end <= first ? seen : toKnown(first, [objects, manifests, indexes]);
  }

  return {
    find: async (from) => {
      let hour = from;
      while (hour < end) {
        if (known === null || hour < known.hours.first || hour >= known.hours.end) known = await look(hour);
        if (known.hours.end <= hour) return { hour, listed: null };
        for (; hour < known.hours.end; hour = millis(hour + HOUR)) {
          const objects = known.objects.get(hour) ?? [];
          const manifests = known.manifests.get(hour) ?? [];
          const indexes = known.indexes === null ? null : (known.indexes.get(hour) ?? []);
          if (objects.length + manifests.length > 0) return { hour, listed: { objects, manifests, indexes } };
        }
      }
      return { hour: end, listed: null };
    },
  };
}

/** Hours of one page, whole ones only. */
interface PageHours {
  /** First instant that the page says nothing of. */
  readonly end: Millis;
  readonly infos: ReadonlyMap<Millis, readonly ObjectInfo[]>;
}

function toKnown(
  first: Millis,
  [objects, manifests, indexes]: readonly [PageHours, PageHours, PageHours | null],
): Known {
  const end = millis(Math.min(objects.end, manifests.end, indexes?.end ?? objects.end));
  return {
    hours: { first, end },
    objects: objects.infos,
    manifests: manifests.infos,
    indexes: indexes?.infos ?? null,
  };
}

async function listPage({ store, usage }: ListingSource, hours: HourRange, prefixOf: HourPrefix): Promise<PageHours> {
  usage.storeCalls++;
  const prefix = commonPrefix(prefixOf, hours);
  // Every key of the first hour is longer than its prefix, so it sorts after it.
  const page = await store.list({ prefix, startAfter: prefixOf(hours.first), limit: LIST_PAGE_KEYS });
  const infos = new Map<Millis, ObjectInfo[]>();
  let last = hours.first;
  let before: string | null = null;
  for (const info of page.objects) {
    // An index that stood there twice would pass for that of another output.
    if (before !== null && compareKeys(before, info.key) >= 0) throw outOfOrder(prefix, info.key);
    before = info.key;
    last = hourAtOrAfterKey(prefixOf, hours, info.key);
    if (last >= hours.end || !info.key.startsWith(prefixOf(last))) continue;
    const siblings = infos.get(last);
    if (siblings === undefined) infos.set(last, [info]);
    else siblings.push(info);
  }
  return { end: page.cursor === undefined ? hours.end : last, infos };
}
