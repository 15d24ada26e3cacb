/**
 * A clock that follows the store's: signatures are refused when they are 15 minutes off, and a machine whose clock is
 * wrong should say so and go on. What was learnt once holds for every later call.
 */
import { readServerTime } from "../http/answer-headers.ts";

/** The time as the store sees it. */
export interface StoreClock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds by which `now()` is ahead of the platform's clock. */
  readonly skew: () => number;
  /**
   * Looks at the `Date` of an answer that may mean a wrong clock, and follows it when it is far off.
   * @param signedSkew the clock's skew when the refused request was signed; another call may have corrected it since
   * @returns whether another signature is worth a try
   */
  readonly learn: (headers: Headers, signedSkew: number) => boolean;
  /** Milliseconds by which the store is ahead of the platform's clock; `null` when the answer does not say. */
  readonly measure: (headers: Headers) => number | null;
}

/** AWS takes up to 15 minutes; below five the clock is not what was wrong. */
const FAR_OFF_MILLIS = 300_000;

/** @param now the platform's clock, milliseconds since the epoch */
export function openStoreClock(now: () => number): StoreClock {
  let skew = 0;
  const measure = (headers: Headers): number | null => {
    const serverTime = readServerTime(headers);
    return serverTime === null ? null : serverTime - now();
  };
  return {
    measure,
    now: () => now() + skew,
    skew: () => skew,
    learn: (headers, signedSkew) => {
      const measured = measure(headers);
      if (measured === null || Math.abs(measured - signedSkew) < FAR_OFF_MILLIS) return false;
      skew = measured;
      return true;
    },
  };
}
