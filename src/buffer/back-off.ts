/** How long a failure waits before the next try. */
import { FLUSH_BACKOFF_MAX, FLUSH_BACKOFF_MIN } from "../limits.ts";

/**
 * Delay before the next try: doubles from the shortest to the longest, half of it by chance, without end.
 * @param attempts - failures so far, from 1
 * @param random - uniform in [0, 1)
 * @returns milliseconds
 */
export function toBackoff(attempts: number, random: number): number {
  const full = Math.min(FLUSH_BACKOFF_MAX, FLUSH_BACKOFF_MIN * 2 ** Math.min(attempts - 1, 20));
  return Math.round(full / 2 + (full / 2) * random);
}
