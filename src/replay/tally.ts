/** What was given of the minute that is being read, so that a position can say it: {@link openTally}. */
import type { ReadPlace } from "../reader/contract.ts";
import type { Millis } from "../units.ts";
import type { Position } from "./cursor.ts";
import type { Content, Skipped } from "./output.ts";

/** Counts along with one signal of an answer. */
export interface Tally {
  /** Content was given. */
  add(content: Content): void;
  /** The position before content that is not given; a minute's beginning if nothing of it was given. */
  before(content: Content): Position;
  /** The position where a read ended. */
  at(end: { readonly minute: Millis; readonly place: ReadPlace | null }): Position;
}

/** Opens a tally. @param skipped - of the output: what it leaves out was not given */
export function openTally(from: Position, skipped: Skipped): Tally {
  const { signal } = from;
  let begun: Millis | null = from.place === null ? null : from.minute;
  let items = from.items;
  let skippedBefore = 0;

  function at({ minute, place }: { readonly minute: Millis; readonly place: ReadPlace | null }): Position {
    const isBegun = begun === minute && place !== null;
    return { signal, minute, place, items: isBegun ? items - (skipped.items - skippedBefore) : 0 };
  }

  return {
    add: ({ minute, itemCount }) => {
      if (minute !== begun) {
        items = 0;
        skippedBefore = skipped.items;
      }
      begun = minute;
      items += itemCount;
    },
    before: ({ minute, place }) => at({ minute, place: begun === minute ? place : null }),
    at,
  };
}
