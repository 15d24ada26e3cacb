/** What the minutes of outputs decide: which of them a window needs, and how much of each is fetched at once. */
import { HOUR_CHUNK_MAX_BYTES, HOUR_CHUNK_MIN_BYTES, HOUR_CHUNKS_MAX_BYTES } from "../limits.ts";
import { bytes, MINUTE, type Bytes, type Millis } from "../units.ts";

/** First and last minute of the hour that an output holds, 0 to 59. */
export interface MinuteSpan {
  readonly firstMinute: number;
  readonly lastMinute: number;
}

/** A window as an hour meets it: start ≤ minute < end. */
export interface HourWindow {
  readonly hour: Millis;
  readonly start: Millis;
  readonly end: Millis;
}

/** Says whether an output may hold minutes of a window. */
export function meetsWindow({ firstMinute, lastMinute }: MinuteSpan, { hour, start, end }: HourWindow): boolean {
  return hour + lastMinute * MINUTE >= start && hour + firstMinute * MINUTE < end;
}

/** Bytes of a chunk. Those that go on over the end of a minute are open together; one more begins or ends there. */
export function chunkBytesFor(outputs: readonly MinuteSpan[]): Bytes {
  let together = 0;
  for (const { firstMinute } of outputs) {
    const others = outputs.filter((other) => other.firstMinute <= firstMinute && other.lastMinute > firstMinute);
    together = Math.max(together, others.length);
  }
  const share = Math.floor(HOUR_CHUNKS_MAX_BYTES / (2 * (together + 1)));
  return bytes(Math.max(HOUR_CHUNK_MIN_BYTES, Math.min(HOUR_CHUNK_MAX_BYTES, share)));
}
