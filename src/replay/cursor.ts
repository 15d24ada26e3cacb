/**
 * Cursors: the text in `next` that a client sends back as `cursor`. {@link formatCursor} and {@link parseCursor} are
 * inverse to each other.
 *
 *     v1.<signal>.<position>[.w<watermark> | .wu][.u]
 *     v2.[all-]<signal>.<position>[.g<generation>-<part>-<runs>-<fields>-<items>][.w<watermark> | .wu][.u]
 *
 * | piece      | what                                                                                            |
 * |------------|-------------------------------------------------------------------------------------------------|
 * | `v1`, `v2` | version; `v2` is written where `v1` cannot say it, so that a release before can go on where it can |
 * | `all-`     | of a replay of all signals, which goes on in this one                                            |
 * | `position` | minutes since 1970 of the first minute that was not given, or not to its end                     |
 * | `g…`       | the place inside the minute (`ReadPlace`), and the items that were given of it (decision 0014)   |
 * | `w…`       | earliest watermark in minutes that an earlier page ran past; `wu` if one was unknown             |
 * | `u`        | an earlier page skipped an unreadable object                                                     |
 *
 * The last two make `complete` in the last page speak for all pages: what was published late behind a page's back, or
 * skipped in it, stays missing however complete the rest is. Nothing in a cursor is trusted; whoever forges one
 * deceives himself only, since what it may reach is decided by the window and the grant.
 */
import type { Window } from "../archive/window.ts";
import { FirnError } from "../errors.ts";
import type { ReadPlace } from "../reader/contract.ts";
import { isSignal, type Signal } from "../signal.ts";
import { millis, MINUTE, type Millis } from "../units.ts";
import type { Watermark } from "./contract.ts";

/** A position of the archive: everything before it was given. */
export interface Position {
  readonly signal: Signal;
  /** First instant of a minute. */
  readonly minute: Millis;
  /** `null`: nothing of the minute was given. */
  readonly place: ReadPlace | null;
  /** Items that were given of the minute. */
  readonly items: number;
}

/** Where a replay goes on, and what is known of the pages before. */
export interface Cursor {
  readonly position: Position;
  /** The signals after that of the position are still to come. */
  readonly isOfAll: boolean;
  /** `null`: every page before ended at or below its watermark. */
  readonly shortOf: Watermark | null;
  readonly hasSkipped: boolean;
}

const NUMBER = String.raw`(?:0|[1-9]\d{0,9})`;
const CURSOR = new RegExp(
  String.raw`^v([12])\.(all-)?([a-z]+)\.(${NUMBER})` +
    String.raw`(?:\.g(${NUMBER})-([\da-f]{16})-(${NUMBER})-(${NUMBER})-(${NUMBER}))?(?:\.w(u|${NUMBER}))?(\.u)?$`,
);

/** Formats a cursor; its characters need no escaping in a URL. */
export function formatCursor({ position, isOfAll, shortOf, hasSkipped }: Cursor): string {
  const { signal, minute, place, items } = position;
  const version = isOfAll || place !== null ? "v2" : "v1";
  const inside = place === null ? "" : `.g${place.generation}-${place.part}-${place.runs}-${place.fields}-${items}`;
  const watermark = shortOf === null ? "" : `.w${shortOf === "unknown" ? "u" : toMinutes(shortOf)}`;
  const scope = `${isOfAll ? "all-" : ""}${signal}`;
  return `${version}.${scope}.${toMinutes(minute)}${inside}${watermark}${hasSkipped ? ".u" : ""}`;
}

/** Of the request that a cursor comes with. */
export interface CursorRequest {
  readonly signal: Signal | "all";
  /** Those that are given. */
  readonly signals: readonly Signal[];
  readonly window: Window;
}

/**
 * Parses a cursor and holds it against the request that it came with.
 * @throws FirnError `invalid_request` unless it belongs to what is given and lies in this window
 */
export function parseCursor(text: string, { signal, signals, window }: CursorRequest): Cursor {
  const match = CURSOR.exec(text);
  const [, version, all, cursorSignal = "", minute = "", generation, part = "", ...counts] = match ?? [];
  const [runs, fields, items, watermark, skipped] = counts;
  if (match === null || !isSignal(cursorSignal)) throw refusal('it is not a "next" of this version');
  if (version === "1" && (all !== undefined || generation !== undefined)) {
    throw refusal('it is not a "next" of this version');
  }
  const cursorScope = all === undefined ? cursorSignal : "all";
  if (cursorScope !== signal) throw refusal(`it is of the signal "${cursorScope}", but signal is "${signal}"`);
  if (!signals.includes(cursorSignal)) throw refusal(`it is of ${cursorSignal}, which the filters leave out`);
  const place: ReadPlace | null =
    generation === undefined
      ? null
      : { generation: Number(generation), part, runs: Number(runs), fields: Number(fields) };
  const cursor: Cursor = {
    position: { signal: cursorSignal, minute: fromMinutes(minute), place, items: Number(items ?? 0) },
    isOfAll: all !== undefined,
    shortOf: watermark === undefined ? null : watermark === "u" ? "unknown" : fromMinutes(watermark),
    hasSkipped: skipped !== undefined,
  };
  const isInside = cursor.position.minute >= window.start && cursor.position.minute < window.end;
  if (!isInside) throw refusal("it lies outside of the window");
  return cursor;
}

function toMinutes(time: Millis): number {
  return Math.floor(time / MINUTE);
}

function fromMinutes(digits: string): Millis {
  return millis(Number(digits) * MINUTE);
}

function refusal(found: string): FirnError {
  const expected = 'expected the "next" of a mark with the same signal, start, end and filters';
  return new FirnError("invalid_request", `Cannot parse "cursor": ${found}, ${expected}`, { field: "cursor" });
}
