/** How far the clock here and a store's are apart: stores refuse signatures that are 15 minutes off (platform 5.2). */
import type { StorageConfig } from "../../config/storage-config.ts";
import { DOCTOR_CLOCK_TIMEOUT } from "../../limits.ts";
import { millis, type Millis } from "../../units.ts";

/** Asks a URL, unsigned, for the time of its server. */
export type FetchDate = (url: string) => Promise<number | null>;

/** The address whose clock decides about signatures; `null` where nothing is signed. */
export function clockUrlOf(config: StorageConfig): string | null {
  switch (config.kind) {
    case "r2":
      return null;
    case "azure":
      return config.endpoint;
    default:
      return config.endpoint ?? `https://s3.${config.region}.amazonaws.com`;
  }
}

/** Any answer will do, a refusal too. @returns milliseconds since the epoch, or `null` when nobody says */
export async function fetchDate(url: string): Promise<number | null> {
  try {
    const signal = AbortSignal.timeout(DOCTOR_CLOCK_TIMEOUT);
    const response = await fetch(url, { method: "HEAD", redirect: "manual", signal });
    await response.body?.cancel();
    const at = Date.parse(response.headers.get("date") ?? "");
    return Number.isNaN(at) ? null : at;
  } catch {
    return null; // the probe says why the store cannot be reached
  }
}

/**
 * Measures the difference of the clocks.
 * @returns positive when the clock here is ahead; `null` when the store's is not known
 */
export async function measureSkew(ask: FetchDate, url: string, now: () => number): Promise<Millis | null> {
  const asked = now();
  const theirs = await ask(url);
  // A `Date` header is up to a second old; the answer was written somewhere between asking and now.
  return theirs === null ? null : millis(Math.round((asked + now()) / 2 - theirs));
}
