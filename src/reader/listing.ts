/** The two listings of a read: all pages of one hour, and the step over hours without any key. */
import { hourListPrefix, type Layout } from "../archive/key.ts";
import { LIST_PAGE_KEYS } from "../limits.ts";
import type { ObjectInfo, ObjectStore } from "../object-store/contract.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import { commonPrefix, hourAtOrAfterKey, type HourRange } from "./hours.ts";
import type { RunningUsage } from "./usage.ts";

/** Whom a listing asks, for whom, and where it is counted. */
export interface ListingSource {
  readonly store: ObjectStore;
  readonly layout: Layout;
  readonly usage: RunningUsage;
}

/** Lists everything of an hour, page by page to the last one: of all signals, fresh and compacted. */
export async function* listHour(
  { store, layout, usage }: ListingSource,
  hour: Millis,
): AsyncGenerator<readonly ObjectInfo[], void, void> {
  const prefix = hourListPrefix(layout, hour);
  let cursor: string | undefined;
  do {
    usage.storeCalls++;
    const page = await store.list({ prefix, limit: LIST_PAGE_KEYS, ...(cursor === undefined ? {} : { cursor }) });
    yield page.objects;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/**
 * Finds the next hour worth listing after an hour whose listing was empty. Where text order is time order that takes
 * one call for an empty stretch of any length, and one more for each foreign thing that sorts in between.
 * @param hours - the hours that are left, beginning after the empty one
 * @returns the range's end when nothing is left
 */
export async function seekHour({ store, layout, usage }: ListingSource, hours: HourRange): Promise<Millis> {
  const last = millis(hours.end - HOUR);
  // A single hour is listed as cheaply as it is looked for.
  if (!layout.partition.isTimeOrdered || hours.first >= last) return hours.first;
  const prefix = commonPrefix(layout, hours);
  // Every key of the first hour is longer than its prefix, so it sorts after it.
  const startAfter = hourListPrefix(layout, hours.first);
  let cursor: string | undefined;
  do {
    usage.storeCalls++;
    const page = await store.list({ prefix, startAfter, limit: 1, ...(cursor === undefined ? {} : { cursor }) });
    const found = page.objects[0];
    if (found !== undefined) return hourAtOrAfterKey(layout, hours, found.key);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return hours.end;
}
