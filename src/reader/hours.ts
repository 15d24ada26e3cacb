/**
 * The hours of a window as listing prefixes, and which of them a key found in the bucket makes worth listing. Pure; the
 * listing itself is `listing.ts`'s. Everything here holds only where the partition format's text order is time order.
 */
import type { Layout } from "../archive/key.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import { compareKeys } from "./key-order.ts";

/** Whole hours, half-open. */
export interface HourRange {
  readonly first: Millis;
  /** First instant after the last hour. */
  readonly end: Millis;
}

/** What all keys of an hour begin with, in one of the places that have a folder an hour. */
export type HourPrefix = (hour: Millis) => string;

/** `%y` alone names the years 2000 to 2099 and no other, so that other hours have no keys (`partition.ts`). */
const TWO_DIGIT_YEARS: HourRange = { first: millis(Date.UTC(2000, 0, 1)), end: millis(Date.UTC(2100, 0, 1)) };

/** Finds the hours that intersect a window and that the partition format can name. */
export function hoursOf(layout: Layout, start: Millis, end: Millis): HourRange {
  const first = millis(start - (start % HOUR));
  const last = millis(Math.ceil(end / HOUR) * HOUR);
  const parts = layout.partition.freshPath.parts;
  if (parts.some((part) => part.kind === "directive" && part.directive === "Y")) return { first, end: last };
  return {
    first: millis(Math.max(first, TWO_DIGIT_YEARS.first)),
    end: millis(Math.min(last, TWO_DIGIT_YEARS.end)),
  };
}

/** Finds the longest text with which the keys of all these hours begin; a seek looks at no other keys. */
export function commonPrefix(prefixOf: HourPrefix, hours: HourRange): string {
  const first = prefixOf(hours.first);
  const last = prefixOf(millis(hours.end - HOUR));
  let length = 0;
  while (length < first.length && first.charAt(length) === last.charAt(length)) length++;
  return first.slice(0, length);
}

/**
 * Finds the first hour that may hold keys, given the first key of the bucket at or after the range's beginning. The key
 * may be anybody's: only its place in the order counts, so that keys of other tenants cost a step and never an hour.
 * @returns the hour, or the range's end when the key lies behind all of them
 */
export function hourAtOrAfterKey(prefixOf: HourPrefix, hours: HourRange, key: string): Millis {
  let low = 0;
  let high = (hours.end - hours.first) / HOUR;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const prefix = prefixOf(millis(hours.first + middle * HOUR));
    const liesBefore = compareKeys(prefix, key) < 0 && !key.startsWith(prefix);
    if (liesBefore) low = middle + 1;
    else high = middle;
  }
  return millis(hours.first + low * HOUR);
}
