/** What the command line reads in a cursor, which is otherwise the server's: see `src/replay/cursor.ts`. Pure. */
import { isSignal, SIGNALS } from "../../src/signal.ts";

/** A place inside a minute begins with `g`, and goes when the minute is compacted. */
const MINUTE_CURSOR = /^v[12]\.(?:all-)?[a-z]+\.\d{1,10}(?:\.w(?:u|\d{1,10}))?(?:\.u)?$/;
const ANY_CURSOR = /^v\d+\.(all-)?([a-z]+)\.(\d{1,10})(?:\.|$)/;
const MINUTE_MILLIS = 60_000;

/** Where a cursor has come to. */
export interface CursorPlace {
  /** Milliseconds since 1970. */
  readonly minute: number;
  /** Of the signals of a replay of all that are done, from 0 to below 1; 0 for a replay of one. */
  readonly signalShare: number;
  /** What of the whole replay the signal that it is in makes. */
  readonly signalWeight: number;
}

/** Says whether a cursor stands between two minutes, where no compaction takes it away; an unknown form does not. */
export function isMinuteCursor(cursor: string): boolean {
  return MINUTE_CURSOR.test(cursor);
}

/** Reads where a cursor has come to; `null` if that cannot be seen. */
export function readCursorPlace(cursor: string): CursorPlace | null {
  const [, all, signal = "", minutes] = ANY_CURSOR.exec(cursor) ?? [];
  if (minutes === undefined || !isSignal(signal)) return null;
  const minute = Number(minutes) * MINUTE_MILLIS;
  if (all === undefined) return { minute, signalShare: 0, signalWeight: 1 };
  return { minute, signalShare: SIGNALS.indexOf(signal) / SIGNALS.length, signalWeight: 1 / SIGNALS.length };
}
