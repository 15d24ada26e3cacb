/**
 * Which objects of an hour's listing a reader sees, and in which order.
 *
 * Every fresh object is visible, Firn's own and foreign ones. An own compacted object is visible only if a manifest
 * names it (protocol 1 and 6.1), and then its sources are not; manifests come with compaction, as one more argument of
 * {@link pickVisible}, and until then no compacted object is seen.
 */
import { classifyKey, minuteOf, type ArchiveKey, type Layout } from "../archive/key.ts";
import type { ObjectForm } from "../archive/object-form.ts";
import { FirnError, unreachable } from "../errors.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import type { Signal } from "../signal.ts";
import { HOUR, type Millis } from "../units.ts";
import { compareKeys } from "./key-order.ts";

/** What of an hour is wanted. */
export interface HourSelection {
  readonly layout: Layout;
  readonly signal: Signal;
  /** First instant of the hour that was listed. */
  readonly hour: Millis;
  /** Of the window: start ≤ minute < end. */
  readonly start: Millis;
  readonly end: Millis;
}

/** An object to be read. */
export interface VisibleObject {
  readonly key: string;
  /** Length in bytes, as listed. */
  readonly length: number;
  /** First instant of the minute of arrival. */
  readonly minute: Millis;
  readonly form: ObjectForm;
}

/** All wanted objects of one minute, in the order of their keys. */
export interface MinuteObjects {
  readonly minute: Millis;
  readonly objects: readonly VisibleObject[];
}

/** What an hour holds for a read. */
export interface HourObjects {
  /** Minutes ascending. */
  readonly minutes: readonly MinuteObjects[];
  /** First minute that was left out because the hour has too many objects; `null` when all are there. */
  readonly cutAt: Millis | null;
}

/** Picks the wanted visible objects of a listing, or of a page of it. */
export function pickVisible(listing: readonly ObjectInfo[], selection: HourSelection): readonly VisibleObject[] {
  return listing.flatMap((info) => {
    const key = classifyKey(info.key, selection.layout);
    const minute = key === null ? null : visibleMinute(key);
    if (key === null || minute === null || key.signal !== selection.signal) return [];
    const isOfHour = minute >= selection.hour && minute < selection.hour + HOUR;
    if (!isOfHour || minute < selection.start || minute >= selection.end) return [];
    return [{ key: info.key, length: info.length, minute, form: key.form }];
  });
}

/** Minute of arrival; `null` for what is not visible. */
function visibleMinute(key: ArchiveKey): Millis | null {
  switch (key.kind) {
    case "fresh":
      return minuteOf(key);
    case "foreign":
      return key.minute;
    case "compacted":
      return null;
    default:
      return unreachable(key, "key");
  }
}

/** Bounds of what is remembered of one hour. */
export interface HourBounds {
  /** Above this, later minutes are left out: one read could not fetch them anyway. */
  readonly maxObjects: number;
  /** Above this, a single minute cannot be read in one response. */
  readonly maxMinuteObjects: number;
}

/** Gathers the objects of an hour page by page, in memory that is bounded whatever the hour holds. */
export interface HourCollector {
  /** @throws FirnError `too_large` when one minute has more objects than a response can fetch */
  add(objects: readonly VisibleObject[]): void;
  /** @throws FirnError `store_unavailable` when an object was listed twice: it would be read twice */
  end(): HourObjects;
}

/** Opens a collector for one hour. */
export function openHourCollector(bounds: HourBounds): HourCollector {
  const minutes = new Map<Millis, VisibleObject[]>();
  let objectCount = 0;
  let cutAt: Millis | null = null;

  function add(objects: readonly VisibleObject[]): void {
    for (const object of objects) {
      if (cutAt !== null && object.minute >= cutAt) continue;
      const siblings = minutes.get(object.minute);
      if (siblings === undefined) minutes.set(object.minute, [object]);
      else siblings.push(object);
      objectCount++;
      if ((siblings?.length ?? 1) > bounds.maxMinuteObjects) throw tooManyObjects(object.minute, bounds);
    }
    while (objectCount > bounds.maxObjects && minutes.size > 1) dropLastMinute();
  }

  function dropLastMinute(): void {
    let last: Millis | null = null;
    for (const minute of minutes.keys()) if (last === null || minute > last) last = minute;
    if (last === null) return;
    objectCount -= minutes.get(last)?.length ?? 0;
    minutes.delete(last);
    cutAt = last;
  }

  function end(): HourObjects {
    const groups = [...minutes].map(([minute, objects]) => ({ minute, objects: toOrdered(objects) }));
    return { minutes: groups.toSorted((left, right) => left.minute - right.minute), cutAt };
  }

  return { add, end };
}

/** Orders by key. A listing whose pages begin again, which no page shows, gives a key twice (reliability F-12). */
function toOrdered(objects: readonly VisibleObject[]): readonly VisibleObject[] {
  const ordered = objects.toSorted((left, right) => compareKeys(left.key, right.key));
  const twice = ordered.find(({ key }, i) => key === ordered[i + 1]?.key);
  if (twice === undefined) return ordered;
  throw new FirnError("store_unavailable", `Cannot list the hour of object "${twice.key}": the store listed it twice`);
}

function tooManyObjects(minute: Millis, bounds: HourBounds): FirnError {
  return new FirnError(
    "too_large",
    `Cannot read minute ${new Date(minute).toISOString()}: it has more than ${bounds.maxMinuteObjects} objects, ` +
      "more than one response may fetch",
  );
}
