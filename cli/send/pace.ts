/** A rate that is kept by waiting before each request. */
import type { World } from "../command.ts";

/** `null`: no bound. */
export interface Rate {
  /** Of OTLP protobuf, before compression. */
  readonly bytesPerSecond: number | null;
  readonly requestsPerSecond: number | null;
}

/** Waits until a request of so many bytes may go. */
export type Pace = (bodyBytes: number) => Promise<void>;

/** Opens a pace: the first request goes at once, each next one when the one before has had its time. */
export function openPace(
  { bytesPerSecond, requestsPerSecond }: Rate,
  { now, delay }: Pick<World, "now" | "delay">,
): Pace {
  let freeAt = 0;
  return async (bodyBytes) => {
    const wait = freeAt - now();
    if (wait > 0) await delay(wait);
    const forBytes = bytesPerSecond === null ? 0 : bodyBytes / bytesPerSecond;
    const forRequest = requestsPerSecond === null ? 0 : 1 / requestsPerSecond;
    freeAt = Math.max(freeAt, now()) + 1_000 * Math.max(forBytes, forRequest);
  };
}
