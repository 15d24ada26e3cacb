/** The step over hours without anything: {@link openHourSeek}. */
import { manifestFolder } from "../archive/firn-keys.ts";
import { hourListPrefix } from "../archive/key.ts";
import type { ItemSignal } from "../signal.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import { commonPrefix, hourAtOrAfterKey, type HourPrefix, type HourRange } from "./hours.ts";
import { openEmptyPageBound, type ListingSource } from "./listing.ts";

/**
 * Finds the next hour worth looking at after an hour without anything.
 * @param hours - the hours that are left, beginning after that one
 * @returns the range's end when nothing is left
 */
export type SeekHour = (hours: HourRange) => Promise<Millis>;

/**
 * Opens the search for the next hour that has keys, or manifests of some signals: an hour of which everything is gone
 * must not be taken for one that never had anything. Where the next manifest stands is asked again only once it is
 * reached; what is published in between comes with keys.
 */
export function openHourSeek(source: ListingSource, signals: readonly ItemSignal[]): SeekHour {
  const { layout } = source;
  const withManifests = new Map<ItemSignal, Millis>();
  return async (hours) => {
    let next = await seekHour(source, hours, (hour) => hourListPrefix(layout, hour));
    for (const signal of signals) {
      if (next === hours.first) break;
      const known = withManifests.get(signal);
      const found =
        known !== undefined && known >= hours.first
          ? known
          : await seekHour(source, hours, (hour) => manifestFolder(layout, signal, hour));
      withManifests.set(signal, found);
      if (found < next) next = found;
    }
    return next;
  };
}

/**
 * Looks in one place, whose keys begin with the prefixes of hours. Where text order is time order that takes one call
 * for an empty stretch of any length, and one more for each foreign thing that sorts in between.
 * @returns as {@link SeekHour} does
 */
export async function seekHour(
  { store, layout, usage }: ListingSource,
  hours: HourRange,
  prefixOf: HourPrefix,
): Promise<Millis> {
  const last = millis(hours.end - HOUR);
  // A single hour is listed as cheaply as it is looked for.
  if (!layout.partition.isTimeOrdered || hours.first >= last) return hours.first;
  const prefix = commonPrefix(prefixOf, hours);
  // Every key of the first hour is longer than its prefix, so it sorts after it.
  const startAfter = prefixOf(hours.first);
  const bound = openEmptyPageBound(prefix);
  let cursor: string | undefined;
  do {
    usage.storeCalls++;
    const page = await store.list({ prefix, startAfter, limit: 1, ...(cursor === undefined ? {} : { cursor }) });
    const found = page.objects[0];
    if (found !== undefined) return hourAtOrAfterKey(prefixOf, hours, found.key);
    bound.add(0);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return hours.end;
}
