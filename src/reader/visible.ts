/**
 * The objects of an hour's listing that may be read, gathered in bounded memory: fresh ones of the window by minute,
 * Firn's own and foreign, and compacted ones. Which of them are seen is the manifest's to say (`hour-view.ts`), and it
 * is read only after the listing.
 */
import { classifyKey, minuteOf, type ArchiveKey, type Layout } from "../archive/key.ts";
import type { ObjectForm } from "../archive/object-form.ts";
import type { HourSources } from "../archive/visibility.ts";
import { FirnError } from "../errors.ts";
import { HOUR_MAX_COMPACTED_KEYS } from "../limits.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import type { Signal } from "../signal.ts";
import { HOUR, type Millis } from "../units.ts";
import { compareKeys } from "./key-order.ts";
import { hashKey } from "./part-hash.ts";

/** What of an hour is wanted. */
export interface HourSelection {
  readonly layout: Layout;
  readonly signal: Signal;
  /** First instant of the hour that was listed. */
  readonly hour: Millis;
  /** Of the window: start ≤ minute < end. */
  readonly start: Millis;
  readonly end: Millis;
  /** {@link hashKey} of an object of the minute at `start`: those of the minute before it are not wanted. */
  readonly startPart?: string | undefined;
}

/** A fresh object to be read. */
export interface VisibleObject {
  readonly key: string;
  /** Length in bytes, as listed. */
  readonly length: number;
  /** As listed. */
  readonly etag: string | null;
  /** First instant of the minute of arrival. */
  readonly minute: Millis;
  readonly form: ObjectForm;
  /** As listed: it has to be restored before it is read. */
  readonly isFrozen?: boolean;
}

/** The wanted objects of one minute, in the order of their keys. */
export interface MinuteObjects {
  readonly minute: Millis;
  readonly objects: readonly VisibleObject[];
  /** The minute has more, whose keys come later. */
  readonly isCut: boolean;
}

/** What the listing of an hour holds for a read. */
export interface HourObjects {
  /** Nothing was listed, of no signal. */
  readonly isEmpty: boolean;
  /** Fresh objects of the window, minutes ascending. */
  readonly minutes: readonly MinuteObjects[];
  /** First minute that was left out because the hour has too many objects; `null` when all are there. */
  readonly cutAt: Millis | null;
  /** A minute has more objects than a response can fetch; not all of them are there. */
  readonly isOverfull: boolean;
  /** All compacted objects of the signal, by key. */
  readonly compacted: ReadonlyMap<string, ObjectInfo>;
}

/** Bounds of what is remembered of one hour. */
export interface HourBounds {
  /** Above this, later minutes are left out: one read could not fetch them anyway. */
  readonly maxObjects: number;
  /** Above this, a minute is cut. */
  readonly maxMinuteObjects: number;
}

/** Gathers the objects of an hour page by page, in memory that is bounded whatever the hour holds. */
export interface HourCollector {
  /** @throws FirnError `too_large` above `HOUR_MAX_COMPACTED_KEYS` */
  add(listing: readonly ObjectInfo[]): void;
  end(): HourObjects;
}

/**
 * Opens a collector for one hour.
 * @param isReplaced - leaves out what is known already to be in an output, so that it needs no room
 */
export function openHourCollector(
  selection: HourSelection,
  bounds: HourBounds,
  isReplaced: HourSources["isNamed"] = () => false,
): HourCollector {
  const minutes = new Map<Millis, VisibleObject[]>();
  const compacted = new Map<string, ObjectInfo>();
  let isEmpty = true;
  let objectCount = 0;
  let cutAt: Millis | null = null;
  const cutMinutes = new Set<Millis>();

  function add(listing: readonly ObjectInfo[]): void {
    for (const info of listing) {
      isEmpty = false;
      const key = classifyKey(info.key, selection.layout);
      if (key === null || key.signal !== selection.signal) continue;
      if (key.kind === "compacted") addCompacted(info);
      else if (!isReplaced(key, info)) addFresh(toVisible(key, info, selection));
    }
    while (objectCount > bounds.maxObjects && minutes.size > 1) dropLastMinute();
  }

  function addCompacted(info: ObjectInfo): void {
    compacted.set(info.key, info);
    if (compacted.size > HOUR_MAX_COMPACTED_KEYS) throw tooManyCompacted(selection.hour);
  }

  function addFresh(object: VisibleObject | null): void {
    if (object === null || (cutAt !== null && object.minute >= cutAt)) return;
    if (object.minute === selection.start && hashKey(object.key) === selection.startPart) dropMinute(object.minute);
    const siblings = minutes.get(object.minute) ?? [];
    if (siblings.length >= bounds.maxMinuteObjects) {
      cutMinutes.add(object.minute);
      return;
    }
    siblings.push(object);
    minutes.set(object.minute, siblings);
    objectCount++;
  }

  function dropLastMinute(): void {
    let last: Millis | null = null;
    for (const minute of minutes.keys()) if (last === null || minute > last) last = minute;
    if (last !== null) dropMinute(last);
    cutAt = last;
  }

  function dropMinute(minute: Millis): void {
    objectCount -= minutes.get(minute)?.length ?? 0;
    minutes.delete(minute);
    cutMinutes.delete(minute);
  }

  function end(): HourObjects {
    const groups = [...minutes].map(([minute, objects]) => ({
      minute,
      objects: objects.toSorted((left, right) => compareKeys(left.key, right.key)),
      isCut: cutMinutes.has(minute),
    }));
    const ascending = groups.toSorted((left, right) => left.minute - right.minute);
    return { isEmpty, minutes: ascending, cutAt, isOverfull: cutMinutes.size > 0, compacted };
  }

  return { add, end };
}

/** `null` for what is of another hour or outside of the window. */
function toVisible(
  key: Exclude<ArchiveKey, { kind: "compacted" }>,
  { key: name, length, etag, frozenClass }: ObjectInfo,
  { hour, start, end }: HourSelection,
): VisibleObject | null {
  const minute = key.kind === "fresh" ? minuteOf(key) : key.minute;
  if (minute === null || minute < hour || minute >= hour + HOUR || minute < start || minute >= end) return null;
  return { key: name, length, etag, minute, form: key.form, isFrozen: frozenClass !== undefined };
}

function tooManyCompacted(hour: Millis): FirnError {
  const found = `it has more than ${HOUR_MAX_COMPACTED_KEYS} compacted objects`;
  return new FirnError("too_large", `Cannot read hour ${new Date(hour).toISOString()}: ${found}`);
}
