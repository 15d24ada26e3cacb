/**
 * The mark: the end of a response that OTLP decoders skip, and the only thing that means complete (protocol 6.5).
 *
 * - `jsonl`: a last line `{"resourceSpans":[],"firn":{…}}`, with the other signals' list for those; all have the first.
 * - `json`: the last member `"firn"` of the document.
 * - `proto`: a field number {@link MARK_FIELD_NUMBER}, length-delimited, that holds the same JSON object as UTF-8.
 * - `proto-delimited`: a message with only that field.
 *
 * What lies past the watermark: a window may reach into minutes into which a shard can still publish. Their items are
 * given as far as they are stored, because a batch that waits for its store would otherwise hide everything after it
 * for as long as it waits. Then `complete` is false, `next` is null (no position tells what is still to come from what
 * was given) and `watermark` says from where on the answer is provisional. A client that wants every item exactly once
 * asks for windows that end at or below the watermark; one that wants the newest data now takes them, and later replays
 * [watermark, end) and puts that in place of what it has from there. `next` is a text only where the response ended
 * itself at a position: everything before it was given, nothing from it on.
 */
import { joinBytes } from "../bytes.ts";
import { unreachable } from "../errors.ts";
import { jsonHead } from "../otlp/json/envelope.ts";
import { SIGNALS, type Signal } from "../signal.ts";
import { TAG_STEP, varintBytes, WIRE_LENGTH, writeVarint } from "../otlp/wire/format.ts";
import { millis, type Millis } from "../units.ts";
import { formatCursor, type Cursor, type Position } from "./cursor.ts";
import type { Watermark } from "./contract.ts";
import { encodeLength } from "./delimited.ts";
import type { ReplayFormat } from "./format.ts";
import type { ReplayQuery } from "./parameters.ts";

/** Far above OTLP's fields and outside of 19000 to 19999, which protobuf keeps to itself. */
export const MARK_FIELD_NUMBER = 100_000;

/** What a mark says; its JSON has these names in this order. */
export interface Mark {
  /** Items in this response. */
  readonly items: number;
  /** Bytes of this response before the mark. */
  readonly bytes: number;
  /** Nothing of the window is missing: here, in the pages before, and in what shards still held. */
  readonly complete: boolean;
  /** Cursor of the rest; `null` when the response reached the window's end. */
  readonly next: string | null;
  /** RFC 3339, or `unknown`: the lowest of this page and of those before that ran past theirs. */
  readonly watermark: string;
  /** Objects that this response skipped. */
  readonly unreadable: number;
  /** Hours of this response from which retention has removed something; that is nothing missing. */
  readonly retired: number;
  /** Hours of this response from which the bucket's own lifecycle has deleted something; nothing missing, likewise. */
  readonly expired: number;
  /** Only of all signals with filters: those that have them, and that were looked through. */
  readonly signals?: readonly Signal[];
  /** Only of a window of event time, as the two after it. */
  readonly time?: "event";
  /** First minute of arrival in which its items were looked for; RFC 3339. */
  readonly arrivals_from?: string;
  /** First minute in which not all of them were: later ones may have arrived since. RFC 3339, or `unknown`. */
  readonly arrivals_until?: string;
}

/** How a response ended. */
export interface ReplayEnd {
  readonly items: number;
  readonly bytes: number;
  readonly unreadable: number;
  readonly retired: number;
  readonly expired: number;
  /** Where the response ended itself; `null` when the window was read to its end. */
  readonly next: Position | null;
  /** Of the signals that were read: one, unless the replay is of all. */
  readonly reached: readonly Reached[];
}

/** How far a signal was read, and what was known of it then. */
export interface Reached {
  /** Nothing before this instant is given by a later page. */
  readonly end: Millis;
  readonly watermark: Watermark;
}

/** Decides what the mark says. */
export function toMark(query: MarkedQuery, end: ReplayEnd): Mark {
  const { signal, cursor, window, filter } = query;
  const short = end.reached.filter((each) => each.watermark === "unknown" || each.end > each.watermark);
  const before = cursor?.shortOf ?? null;
  const shortOf = lowest([...(before === null ? [] : [before]), ...short.map(({ watermark }) => watermark)]);
  const hasSkipped = end.unreadable > 0 || cursor?.hasSkipped === true;
  const next: Cursor | null =
    end.next === null ? null : { position: end.next, isOfAll: signal === "all", shortOf, hasSkipped };
  const watermark = shortOf ?? lowest(end.reached.map((each) => each.watermark)) ?? "unknown";
  return {
    items: end.items,
    bytes: end.bytes,
    // A window of event time is whole when its own minutes are, though late items may always come.
    complete: next === null && (shortOf === null || reaches(shortOf, window.end)) && !hasSkipped,
    next: next === null ? null : formatCursor(next),
    watermark: formatTime(watermark),
    unreadable: end.unreadable,
    retired: end.retired,
    expired: end.expired,
    ...(signal === "all" && filter !== null ? { signals: query.signals } : {}),
    ...describeArrivals(query, end.next?.minute ?? query.arrivals.end, shortOf),
  };
}

/** What of a query the mark depends on. */
type MarkedQuery = Pick<ReplayQuery, "signal" | "signals" | "cursor" | "window" | "arrivals" | "filter">;

/** Arrival windows never reach to their end when a page of them ran past its watermark. */
function reaches(watermark: Watermark, end: Millis): boolean {
  return watermark !== "unknown" && watermark >= end;
}

function describeArrivals({ arrivals, filter }: MarkedQuery, readTo: Millis, shortOf: Watermark | null): Partial<Mark> {
  if (filter === null || filter.eventTime === null) return {};
  const until = lowest([readTo, ...(shortOf === null ? [] : [shortOf])]) ?? readTo;
  return { time: "event", arrivals_from: formatTime(arrivals.start), arrivals_until: formatTime(until) };
}

function formatTime(time: Watermark): string {
  return time === "unknown" ? time : new Date(time).toISOString();
}

/** The earliest of several watermarks; `null` of none. */
export function lowest(watermarks: readonly Watermark[]): Watermark | null {
  if (watermarks.length === 0) return null;
  const known = watermarks.filter((each) => each !== "unknown");
  return known.length < watermarks.length ? "unknown" : millis(Math.min(...known));
}

/** How a response is framed. */
export type Framing = Pick<ReplayQuery, "format" | "signal">;

/** Encodes a mark as the end of a response. */
export function encodeMark(mark: Mark, { format, signal }: Framing): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(mark));
  switch (format) {
    case "jsonl":
      return joinBytes([jsonHead(toListSignal(signal)), toBytes('],"firn":'), json, toBytes("}\n")]);
    case "json":
      return joinBytes([toBytes(',"firn":'), json, toBytes("}\n")]);
    case "proto":
      return encodeField(json);
    case "proto-delimited": {
      const message = encodeField(json);
      return joinBytes([encodeLength(message.length), message]);
    }
    default:
      return unreachable(format, "format");
  }
}

/** The signal whose list the last line of all has, empty as it is. */
function toListSignal(signal: Signal | "all"): Signal {
  return signal === "all" ? SIGNALS[0] : signal;
}

/** What ends a response that leaves the mark out. */
export function encodeUnmarked(format: ReplayFormat): Uint8Array {
  return toBytes(format === "json" ? "}\n" : "");
}

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function encodeField(payload: Uint8Array): Uint8Array {
  const tag = MARK_FIELD_NUMBER * TAG_STEP + WIRE_LENGTH;
  const headBytes = varintBytes(tag) + varintBytes(payload.length);
  const field = new Uint8Array(headBytes + payload.length);
  writeVarint(field, writeVarint(field, 0, tag), payload.length);
  field.set(payload, headBytes);
  return field;
}
