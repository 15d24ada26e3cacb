/** What the headers of any answer over HTTP tell a store: when to ask again, and what time it is there. */
import { seconds, type Seconds } from "../../units.ts";

/**
 * Reads `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3).
 * @param now milliseconds since the epoch
 * @returns whole seconds from now, 0 or more; `undefined` when the store named no time, or nothing that is one
 */
export function readRetryAfter(headers: Headers, now: number): Seconds | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return seconds(Number(value));
  const time = parseDate(value);
  return time === null ? undefined : seconds(Math.max(0, Math.ceil((time - now) / 1000)));
}

/**
 * Reads the store's clock.
 * @returns milliseconds since the epoch, exact to a second; `null` when the answer has no `Date`
 */
export function readServerTime(headers: Headers): number | null {
  return parseDate(headers.get("date")?.trim() ?? "");
}

/** Only what looks like an HTTP date, since `Date.parse` guesses at anything. */
function parseDate(value: string): number | null {
  if (!/^[A-Z][a-z]{2,8}, .*GMT$/.test(value)) return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : time;
}
