/** How far a replay has come: what its finished pages hold, and where the next one begins. Pure. */
import type { Mark } from "../../src/replay/mark.ts";
import { isMinuteCursor } from "./minute-cursor.ts";

/** The pages that are finished. */
export interface Progress {
  /** Bytes of the replay that they make. */
  readonly length: number;
  /** Where the next page begins; `null`: with the window. */
  readonly cursor: string | null;
  readonly items: number;
  readonly unreadable: number;
  readonly retired: number;
  readonly expired: number;
  /** Of the last page of the window; `null` as long as there are more. */
  readonly lastMark: Mark | null;
}

/** Progress, and the last place that no compaction can take away. */
export interface ReplayState {
  readonly at: Progress;
  /**
   * A page may end inside a minute, in the order that its objects have at that moment. When the minute is compacted
   * that order is gone, and whoever wants each item once begins again at the last page that ended between two minutes.
   */
  readonly safe: Progress;
}

const NOTHING: Progress = { length: 0, cursor: null, items: 0, unreadable: 0, retired: 0, expired: 0, lastMark: null };

/** A replay that has not begun. */
export const BEGINNING: ReplayState = { at: NOTHING, safe: NOTHING };

/** Adds a finished page. @param length - bytes of the replay with it */
export function addPage({ at, safe }: ReplayState, mark: Mark, length: number): ReplayState {
  const next: Progress = {
    length,
    cursor: mark.next,
    items: at.items + mark.items,
    unreadable: at.unreadable + mark.unreadable,
    retired: at.retired + mark.retired,
    expired: at.expired + mark.expired,
    lastMark: mark.next === null ? mark : null,
  };
  return { at: next, safe: mark.next === null || isMinuteCursor(mark.next) ? next : safe };
}

/** The mark of all pages together; the last page speaks for those before, and only the sums are ours. */
export function toWholeMark({ items, unreadable, retired, expired }: Progress, lastMark: Mark, bytes: number): Mark {
  return { ...lastMark, items, bytes, unreadable, retired, expired };
}
