/**
 * Runs of bytes that stand for themselves in a JSON string: all of ASCII but quotes, backslashes and control
 * characters. They are looked at and copied four bytes a step. Hot path of both codecs: `bench/otlp-json-decode.ts`
 * and `bench/otlp-json-encode.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";

/** Bytes that are read by the word. */
export interface WordSource {
  readonly bytes: Uint8Array;
  /** The same bytes. */
  readonly view: DataView;
}

/** Makes bytes readable by the word. */
export function toWordSource(bytes: Uint8Array): WordSource {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** Four times the same byte; the first makes spaces of quotes and leaves control characters what they are. */
const QUOTES_TO_SPACES = 0x0202_0202;
const ABOVE_SPACES = 0x2121_2121;
const BACKSLASHES = 0x5c5c_5c5c;
const ONES = 0x0101_0101;
const HIGH_BITS = 0x8080_8080 | 0;

/**
 * Marks the highest bit of every byte of a word that does not stand for itself. Bytes above a marked one may be marked
 * without need: the subtractions borrow from them.
 */
export function markSpecial(word: number): number {
  return (((word ^ QUOTES_TO_SPACES) - ABOVE_SPACES) | ((word ^ BACKSLASHES) - ONES) | word) & HIGH_BITS;
}

/** Number of bytes of a little-endian word below the lowest marked one. */
export function countUnmarked(marks: number): number {
  return (31 - Math.clz32(marks & -marks)) >> 3;
}

/** Position of the first byte from `start` on that does not stand for itself, or the end of the source. */
export function skipPlain({ bytes, view }: WordSource, start: number): number {
  let position = start;
  for (const lastWord = bytes.length - 4; position <= lastWord; position += 4) {
    const marks = markSpecial(view.getInt32(position, true));
    if (marks !== 0) return position + countUnmarked(marks);
  }
  while (position < bytes.length && !isSpecial(bytes[position] ?? 0)) position += 1;
  return position;
}

/**
 * Copies up to the first byte that does not stand for itself; room for `end - start` bytes and a word is needed.
 * @returns its position, `end` if there is none
 */
export function copyPlain(output: ByteWriter, source: WordSource, start: number, end: number): number {
  const from = source.view;
  const to = output.view;
  let at = output.length;
  let position = start;
  for (const lastWord = end - 4; position <= lastWord; position += 4) {
    const word = from.getInt32(position, true);
    to.setInt32(at, word, true);
    const marks = markSpecial(word);
    if (marks !== 0) {
      const plainBytes = countUnmarked(marks);
      output.length = at + plainBytes;
      return position + plainBytes;
    }
    at += 4;
  }
  output.length = at;
  return position === end ? end : copyLastBytes(output, source, position, end);
}

/** As {@link copyPlain}, for fewer than four bytes. */
function copyLastBytes(output: ByteWriter, { bytes, view }: WordSource, start: number, end: number): number {
  const rest = end - start;
  if (start + 4 <= bytes.length) {
    const word = view.getInt32(start, true);
    const marks = markSpecial(word) & ((1 << (8 * rest)) - 1);
    const plainBytes = marks === 0 ? rest : countUnmarked(marks);
    output.view.setInt32(output.length, word, true);
    output.length += plainBytes;
    return start + plainBytes;
  }
  for (let position = start; position < end; position++) {
    const byte = bytes[position] ?? 0;
    if (isSpecial(byte)) return position;
    output.bytes[output.length++] = byte;
  }
  return end;
}

function isSpecial(byte: number): boolean {
  return (markSpecial(byte) & 0x80) !== 0;
}
