/**
 * Finds where an object, an array or a string of JSON ends, in pieces of any size. It looks at brackets and quotes
 * only: what it finds is read afterwards, and that meets every fault, since no valid value has another end.
 * Hot path, each byte of an archive of JSON passes here once: `bench/otlp-json-decode.ts`.
 */
import { countUnmarked, type WordSource } from "./plain-run.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Four times the same byte. */
const QUOTES = 0x2222_2222;
const BACKSLASHES = 0x5c5c_5c5c;
const ONES = 0x0101_0101;
const HIGH_BITS = 0x8080_8080 | 0;
const OPENS = 1;
const CLOSES = 2;
const QUOTES_TEXT = 3;
/** What a byte outside of strings does, 0 for nothing. */
const STEPS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x7b || byte === 0x5b) return OPENS;
  if (byte === 0x7d || byte === 0x5d) return CLOSES;
  return byte === QUOTE ? QUOTES_TEXT : 0;
});

/** Where the scan stands inside a value; one is used for one value after the other. */
export class ValueScan {
  #depth = 0;
  #isInString = false;
  #isAfterBackslash = false;

  /**
   * Goes on from where the piece before ended; the first byte of a value is its opening bracket or quote.
   * @returns position after the value, -1 if it does not end in this piece
   */
  findEnd(piece: WordSource, start: number): number {
    const { bytes } = piece;
    let depth = this.#depth;
    let position = start;
    if (this.#isInString) {
      position = this.#skipString(piece, start);
      if (position < 0 || depth === 0) return position;
    }
    for (const stop = bytes.length; position < stop;) {
      const step = STEPS[bytes[position++] ?? 0] ?? 0;
      if (step === 0) continue;
      if (step === QUOTES_TEXT) {
        position = this.#skipString(piece, position);
        if (position < 0) break;
        if (depth === 0) return position;
      } else if (step === OPENS) depth += 1;
      else if (--depth === 0) {
        this.#depth = 0;
        return position;
      }
    }
    this.#depth = depth;
    return -1;
  }

  /** Passes the rest of a string; -1 if it does not end in this piece. */
  #skipString({ bytes, view }: WordSource, start: number): number {
    const lastWord = bytes.length - 4;
    let position = this.#isAfterBackslash ? start + 1 : start;
    while (position < bytes.length) {
      if (position <= lastWord) {
        const marks = markQuotes(view.getInt32(position, true));
        position += marks === 0 ? 4 : countUnmarked(marks);
        if (marks === 0) continue;
      }
      const byte = bytes[position++];
      if (byte === BACKSLASH) position += 1;
      else if (byte === QUOTE) {
        this.#isInString = false;
        this.#isAfterBackslash = false;
        return position;
      }
    }
    this.#isInString = true;
    this.#isAfterBackslash = position > bytes.length;
    return -1;
  }
}

/** Marks quotes and backslashes in a word; see `markSpecial` in `plain-run.ts`. */
function markQuotes(word: number): number {
  return (((word ^ QUOTES) - ONES) | ((word ^ BACKSLASHES) - ONES)) & ~word & HIGH_BITS;
}
