/** How long to wait before another attempt, and what a server asks for. Pure. */

/** The first wait; each further one doubles, up to the longest, and half of it is chance. */
const FIRST_MILLIS = 1_000;
const LONGEST_MILLIS = 60_000;
/** A server that asks for more is asked again after this: nobody wants to find the command asleep. */
const RETRY_AFTER_MAX_MILLIS = 600_000;
/** Of proxies before a server, and of Cloudflare before a worker (520 to 530): passing faults. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Says whether a request that was answered so may succeed later. */
export function isPassing(status: number): boolean {
  return PASSING.has(status) || (status >= 520 && status <= 530);
}

/**
 * Says how long to wait.
 * @param failures - how many attempts have failed, from 1
 * @param random - from 0 to below 1
 * @param retryAfter - the header of the last answer
 */
export function toWaitMillis(failures: number, random: number, retryAfter: string | null, now: number): number {
  const bound = Math.min(FIRST_MILLIS * 2 ** Math.min(failures - 1, 16), LONGEST_MILLIS);
  return Math.max(bound / 2 + (bound / 2) * random, parseRetryAfter(retryAfter, now));
}

/** The end of a sentence that gives up. */
export function countFailures(failures: number): string {
  return failures === 1 ? "" : `, ${failures} times in a row`;
}

/** Reads `Retry-After`, seconds or a date. @returns milliseconds, 0 for none */
export function parseRetryAfter(text: string | null, now: number): number {
  if (text === null) return 0;
  const wait = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), RETRY_AFTER_MAX_MILLIS);
}
