/**
 * The window grammar: `start` and `end` → half-open instants. RFC 3339 with any offset and fraction,
 * `YYYY-MM-DD HH:MM[:SS[.fraction]]` with a space or `T`, and `YYYY-MM-DD`, the last two in UTC (collector-s3 4).
 * Only dates that the calendar has, in the years 1970 to 9999.
 */
import { FirnError, shorten } from "../errors.ts";
import { millis, type Millis } from "../units.ts";

/** Half-open: start ≤ t < end. */
export interface Window {
  readonly start: Millis;
  readonly end: Millis;
}

/** An instant as it was written. */
interface Instant {
  /** To the second. */
  readonly wholeMillis: number;
  /** Digits of the second's fraction. */
  readonly fraction: string;
}

const NANOS_PER_MILLI = 1_000_000n;
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?([Zz]|[+-]\d\d:\d\d)?)?$/;
const FIRST_INSTANT = 0;
const LAST_INSTANT = Date.UTC(10_000, 0, 1);
const EXPECTED =
  'expected RFC 3339 such as "2026-05-01T14:00:00Z" (in a URL write "+" as "%2B"), ' +
  '"2026-05-01 14:00" or "2026-05-01", ' +
  "both in UTC, in the years 1970 to 9999";

/**
 * Parses a window.
 * @param start - text of the parameter `start`, `null` when it is missing; `end` likewise
 * @throws FirnError `invalid_request` that names the parameter and everything that is accepted
 */
export function parseWindow(start: string | null, end: string | null): Window {
  const window = { start: parseInstant("start", start), end: parseInstant("end", end) };
  if (window.end > window.start) return window;
  throw refuseOrder(start, end);
}

/** A window to the nanosecond, and in milliseconds all that it touches. */
export interface NanoWindow {
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
  readonly window: Window;
}

/** Parses a window that is held against times of items. @throws FirnError as {@link parseWindow} does */
export function parseEventWindow(start: string | null, end: string | null): NanoWindow {
  const startUnixNano = toNanos(readEnd("start", start));
  const endUnixNano = toNanos(readEnd("end", end));
  if (endUnixNano <= startUnixNano) throw refuseOrder(start, end);
  const window = {
    start: millis(Number(startUnixNano / NANOS_PER_MILLI)),
    end: millis(Number((endUnixNano + NANOS_PER_MILLI - 1n) / NANOS_PER_MILLI)),
  };
  return { startUnixNano, endUnixNano, window };
}

/**
 * Parses one end of a window.
 * @throws FirnError `invalid_request` that names the parameter and everything that is accepted
 */
export function parseInstant(name: "start" | "end", text: string | null): Millis {
  return toMillis(readEnd(name, text));
}

function refuseOrder(start: string | null, end: string | null): FirnError {
  const message = `Cannot read the window: end "${shorten(end ?? "")}" is not after start "${shorten(start ?? "")}"`;
  return new FirnError("invalid_request", `${message}, expected a later end`, { field: "end" });
}

function readEnd(name: "start" | "end", text: string | null): Instant {
  if (text === null) {
    throw new FirnError("invalid_request", `Cannot read a window without "${name}": ${EXPECTED}`, { field: name });
  }
  const time = readInstant(text);
  if (time !== null) return time;
  throw new FirnError("invalid_request", `Cannot parse "${name}": found "${shorten(text)}", ${EXPECTED}`, {
    field: name,
  });
}

function readInstant(text: string): Instant | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const local = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  // The calendar rolls over what it does not have; what reads the same afterwards was there. Years below 100 never do.
  const written = text.slice(0, 10) + (match[4] === undefined ? "T00:00" : `T${text.slice(11, 16)}`);
  const whole = written + (match[6] === undefined ? ":00" : `:${match[6]}`);
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 19) !== whole) return null;
  const offset = readOffset(match[8]);
  if (offset === null) return null;
  const instant = { wholeMillis: local - offset, fraction: match[7] ?? "" };
  const time = toMillis(instant);
  return time >= FIRST_INSTANT && time <= LAST_INSTANT ? instant : null;
}

/** Rounded up: what is compared with it are whole minutes, so that nothing is lost or won by it. */
function toMillis({ wholeMillis, fraction }: Instant): Millis {
  return millis(wholeMillis + roundUp(fraction, 3));
}

/** Rounded up: there is nothing between two nanoseconds. */
function toNanos({ wholeMillis, fraction }: Instant): bigint {
  return BigInt(wholeMillis) * NANOS_PER_MILLI + BigInt(roundUp(fraction, 9));
}

/** The first digits of a fraction as a number, one more where other digits follow. */
function roundUp(fraction: string, digitCount: number): number {
  return (
    Number(fraction.slice(0, digitCount).padEnd(digitCount, "0")) + (/[1-9]/.test(fraction.slice(digitCount)) ? 1 : 0)
  );
}

function readOffset(text: string | undefined): number | null {
  if (text === undefined || text === "Z" || text === "z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4, 6));
  if (hours > 23 || minutes > 59) return null;
  return (text.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
