/** What the command line reads in a cursor, which is otherwise the server's: see `src/replay/cursor.ts`. Pure. */

const MINUTE_CURSOR = /^v1\.[a-z]+\.(\d{1,10})(?:\.w(?:u|\d{1,10}))?(?:\.u)?$/;
const ANY_CURSOR = /^v\d+\.[a-z]+\.(\d{1,10})(?:\.|$)/;
const MINUTE_MILLIS = 60_000;

/** Says whether a cursor stands between two minutes, where compaction cannot take it away; an unknown form does not. */
export function isMinuteCursor(cursor: string): boolean {
  return MINUTE_CURSOR.test(cursor);
}

/** The minute that a cursor has come to, in milliseconds since 1970; `null` if that cannot be seen. */
export function cursorMinute(cursor: string): number | null {
  const minutes = ANY_CURSOR.exec(cursor)?.[1];
  return minutes === undefined ? null : Number(minutes) * MINUTE_MILLIS;
}
