/**
 * The query of `GET /archive` → {@link ArchiveQuery}, and its cursor. Every parameter is understood or refused with a
 * sentence that names it.
 *
 *     v1.<hour>.<signal>[.<key>]
 *
 * A cursor says where the next page begins: the hour in minutes since 1970, the signal, and, inside of a partition, the
 * last key that was listed, in base64url. Nothing in it is trusted: it reaches only what the window and the grant do.
 */
import { hourListPrefix, type Layout } from "../archive/key.ts";
import { parseWindow, type Window } from "../archive/window.ts";
import { FirnError, shorten } from "../errors.ts";
import { ARCHIVE_PAGE_DEFAULT, ARCHIVE_PAGE_MAX } from "../limits.ts";
import { isSignal, SIGNALS, type Signal } from "../signal.ts";
import { HOUR, millis, MINUTE, type Millis } from "../units.ts";

/** What of the archive is to be shown. */
export interface ArchiveQuery {
  readonly signals: readonly Signal[];
  /** Every hour that it touches is shown whole. */
  readonly window: Window;
  /** Most objects of a page; without objects, most partitions. */
  readonly limit: number;
  readonly hasObjects: boolean;
  /** Where the page begins; `null`: with the window. */
  readonly position: ArchivePosition | null;
}

/** A place in the order of hours, signals and keys. */
export interface ArchivePosition {
  /** First instant of the hour. */
  readonly hour: Millis;
  readonly signal: Signal;
  /** The last key of this partition that was listed; `null`: none was. */
  readonly afterKey: string | null;
}

const KNOWN = ["signal", "start", "end", "limit", "objects", "cursor"];
const CURSOR = /^v1\.(0|[1-9]\d{0,9})\.([a-z]+)(?:\.([\w-]{1,2000}))?$/;

/**
 * Parses the query.
 * @throws FirnError `invalid_request` with the parameter's name as its field
 */
export function parseArchiveQuery(query: URLSearchParams, layout: Layout): ArchiveQuery {
  refuseNames(query);
  const signals = parseSignals(query.get("signal"));
  const window = parseWindow(query.get("start"), query.get("end"));
  const objects = query.get("objects") ?? "true";
  if (objects !== "true" && objects !== "false") throw wrongValue("objects", objects, "true or false");
  const cursor = query.get("cursor");
  return {
    signals,
    window,
    limit: parseLimit(query.get("limit")),
    hasObjects: objects === "true",
    position: cursor === null ? null : parsePosition(cursor, { signals, window, layout }),
  };
}

function refuseNames(query: URLSearchParams): void {
  for (const name of query.keys()) {
    const isTwice = query.getAll(name).length > 1;
    if (KNOWN.includes(name) && !isTwice) continue;
    const found = isTwice ? "it is given more than once" : `unknown parameter, expected one of ${KNOWN.join(", ")}`;
    throw refusal(name, `Cannot use "${shorten(name)}": ${found}`);
  }
}

function parseSignals(text: string | null): readonly Signal[] {
  if (text === null || text === "all") return SIGNALS;
  if (isSignal(text)) return [text];
  throw wrongValue("signal", text, [...SIGNALS, "all"].join(" or "));
}

function parseLimit(text: string | null): number {
  if (text === null) return ARCHIVE_PAGE_DEFAULT;
  const limit = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= ARCHIVE_PAGE_MAX) return limit;
  throw wrongValue("limit", text, `a whole number from 1 to ${ARCHIVE_PAGE_MAX}`);
}

/** Formats a cursor; its characters need no escaping in a URL. */
export function formatPosition({ hour, signal, afterKey }: ArchivePosition): string {
  const key = afterKey === null ? "" : `.${encodeKey(afterKey)}`;
  return `v1.${Math.floor(hour / MINUTE)}.${signal}${key}`;
}

interface PositionContext extends Pick<ArchiveQuery, "signals" | "window"> {
  readonly layout: Layout;
}

function parsePosition(text: string, { signals, window, layout }: PositionContext): ArchivePosition {
  const match = CURSOR.exec(text);
  const [, minutes = "", signal = "", encoded] = match ?? [];
  if (match === null || !isSignal(signal)) throw refuseCursor('it is not a "next" of this version');
  if (!signals.includes(signal)) throw refuseCursor(`it is of the signal "${signal}"`);
  const hour = millis(Number(minutes) * MINUTE);
  if (hour % HOUR !== 0 || hour + HOUR <= window.start || hour >= window.end) {
    throw refuseCursor("it lies outside of the window");
  }
  const afterKey = encoded === undefined ? null : decodeKey(encoded);
  const isOfHour = afterKey === null || afterKey.startsWith(hourListPrefix(layout, hour));
  if (!isOfHour) throw refuseCursor("it names no key of its hour");
  return { hour, signal, afterKey };
}

function encodeKey(key: string): string {
  return new TextEncoder().encode(key).toBase64({ alphabet: "base64url", omitPadding: true });
}

function decodeKey(encoded: string): string {
  try {
    const bytes = Uint8Array.fromBase64(encoded, { alphabet: "base64url" });
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuseCursor("it names no key");
  }
}

function refuseCursor(found: string): FirnError {
  const expected = 'expected the "next" of an answer with the same signal, start and end';
  return refusal("cursor", `Cannot parse "cursor": ${found}, ${expected}`);
}

function wrongValue(name: string, text: string, expected: string): FirnError {
  return refusal(name, `Cannot parse "${name}": found "${shorten(text)}", expected ${expected}`);
}

function refusal(field: string, message: string): FirnError {
  return new FirnError("invalid_request", message, { field: shorten(field) });
}
