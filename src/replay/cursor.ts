/**
 * Cursors: the text in `next` that a client sends back as `cursor`. {@link formatCursor} and {@link parseCursor} are
 * inverse to each other.
 *
 *     v1.<signal>.<position>[.w<watermark> | .wu][.u]
 *
 * | piece       | what                                                                                           |
 * |-------------|------------------------------------------------------------------------------------------------|
 * | `v1`        | version; a position inside a minute (representation and ordinal, protocol 6.3) will be another |
 * | `position`  | minutes since 1970 of the first minute that was not given                                       |
 * | `w…`        | earliest watermark in minutes that an earlier page ran past; `wu` if one was unknown            |
 * | `u`         | an earlier page skipped an unreadable object                                                    |
 *
 * The last two make `complete` in the last page speak for all pages: what was published late behind a page's back, or
 * skipped in it, stays missing however complete the rest is. Nothing in a cursor is trusted; whoever forges one
 * deceives himself only, since what it may reach is decided by the window and the grant.
 */
import type { Window } from "../archive/window.ts";
import { FirnError } from "../errors.ts";
import { isSignal, type Signal } from "../signal.ts";
import { millis, MINUTE, type Millis } from "../units.ts";
import type { Watermark } from "./contract.ts";

/** Where a replay goes on, and what is known of the pages before. */
export interface Cursor {
  readonly signal: Signal;
  /** First instant of a minute. */
  readonly position: Millis;
  /** `null`: every page before ended at or below its watermark. */
  readonly shortOf: Watermark | null;
  readonly hasSkipped: boolean;
}

const CURSOR = /^v1\.([a-z]+)\.(0|[1-9]\d{0,9})(?:\.w(u|0|[1-9]\d{0,9}))?(\.u)?$/;

/** Formats a cursor; its characters need no escaping in a URL. */
export function formatCursor({ signal, position, shortOf, hasSkipped }: Cursor): string {
  const watermark = shortOf === null ? "" : `.w${shortOf === "unknown" ? "u" : toMinutes(shortOf)}`;
  return `v1.${signal}.${toMinutes(position)}${watermark}${hasSkipped ? ".u" : ""}`;
}

/**
 * Parses a cursor and holds it against the request that it came with.
 * @throws FirnError `invalid_request` unless it belongs to this signal and lies in this window
 */
export function parseCursor(text: string, { signal, window }: { signal: Signal; window: Window }): Cursor {
  const match = CURSOR.exec(text);
  const [, cursorSignal = "", position = "", watermark, skipped] = match ?? [];
  if (match === null || !isSignal(cursorSignal)) throw refusal('it is not a "next" of this version');
  if (cursorSignal !== signal) throw refusal(`it is of the signal "${cursorSignal}", but signal is "${signal}"`);
  const cursor: Cursor = {
    signal: cursorSignal,
    position: fromMinutes(position),
    shortOf: watermark === undefined ? null : watermark === "u" ? "unknown" : fromMinutes(watermark),
    hasSkipped: skipped !== undefined,
  };
  if (cursor.position < window.start || cursor.position >= window.end) throw refusal("it lies outside of the window");
  return cursor;
}

function toMinutes(time: Millis): number {
  return Math.floor(time / MINUTE);
}

function fromMinutes(digits: string): Millis {
  return millis(Number(digits) * MINUTE);
}

function refusal(found: string): FirnError {
  const expected = 'expected the "next" of a mark with the same signal, start and end';
  return new FirnError("invalid_request", `Cannot parse "cursor": ${found}, ${expected}`, { field: "cursor" });
}
