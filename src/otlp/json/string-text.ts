/**
 * Strings of protobuf as JSON strings, escaped as pdata escapes them (jsoniter `WriteString`): quote, backslash, `\n`,
 * `\r`, `\t`, other control characters as `\u00xx`, everything else as it is.
 *
 * Four bytes are looked at and copied at once. Hot path: `bench/otlp-json-encode.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";
import { isUtf8 } from "../wire/utf8.ts";
import { HEX_PAIRS } from "./hex.ts";
import { copyPlain, countUnmarked, markSpecial, toWordSource, type WordSource } from "./plain-run.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `\u00` as a little-endian word. */
const UNICODE_ESCAPE = 0x3030_755c;
/** What is written beyond the text itself: two quotes, the longest escape and a word of which one byte counts. */
const EXTRA_BYTES = 16;
/** Byte → second letter of its escape behind the backslash, 0 for those that have none of two letters. */
const LETTERS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const index = '"\\\n\r\t'.indexOf(String.fromCharCode(byte));
  return index < 0 ? 0 : '"\\nrt'.charCodeAt(index);
});

/**
 * Appends `source.bytes[start, end)` as a string with its quotes. Text that is not UTF-8, which other writers may have
 * stored, gets U+FFFD.
 */
export function writeString(output: ByteWriter, source: WordSource, start: number, end: number): void {
  const begin = output.length;
  output.reserve(end - start + EXTRA_BYTES);
  output.bytes[output.length++] = QUOTE;
  const position = copyPlain(output, source, start, end);
  if (position < end && !writeEscaped(output, source, position, end)) {
    const repaired = repair(source.bytes, start, end);
    output.length = begin;
    return writeString(output, toWordSource(repaired), 0, repaired.length);
  }
  output.bytes[output.length++] = QUOTE;
}

/** Writes a text from its first special byte on. @returns false if it is not UTF-8 */
function writeEscaped(output: ByteWriter, source: WordSource, start: number, end: number): boolean {
  for (let position = start; position < end;) {
    position = writeSpecial(output, source.bytes, position, end);
    if (position < 0) return false;
    position = copyWithEscapes(output, source, position, end);
    if (position < end) position = copyPlain(output, source, position, end);
  }
  return true;
}

/**
 * As {@link copyPlain}, for texts with many special bytes: writes escapes of two letters on its way, as long as there
 * is room for them, and leaves the last bytes. The loop calls nothing, so that its state stays in registers.
 */
function copyWithEscapes(output: ByteWriter, source: WordSource, start: number, end: number): number {
  const from = source.view;
  const to = output.view;
  const room = output.capacity - EXTRA_BYTES - end;
  let at = output.length;
  let position = start;
  for (const lastWord = end - 4; position <= lastWord && at - position <= room;) {
    const word = from.getInt32(position, true);
    to.setInt32(at, word, true);
    const marks = markSpecial(word);
    const plainBytes = marks === 0 ? 4 : countUnmarked(marks);
    position += plainBytes;
    at += plainBytes;
    if (marks === 0) continue;
    const letter = LETTERS[(word >>> (8 * plainBytes)) & 0xff] ?? 0;
    if (letter === 0) break;
    to.setUint16(at, BACKSLASH | (letter << 8), true);
    at += 2;
    position += 1;
  }
  output.length = at;
  return position;
}

/**
 * Writes the escape of one byte, or a run that is not ASCII, and makes room for the rest of the text.
 * @returns position behind it, -1 if it is not UTF-8
 */
function writeSpecial(output: ByteWriter, bytes: Uint8Array, position: number, end: number): number {
  const byte = bytes[position] ?? 0;
  if (byte >= 0x80) {
    let next = position + 1;
    while (next < end && (bytes[next] ?? 0) >= 0x80) next += 1;
    if (!isUtf8(bytes, position, next)) return -1;
    output.copy(bytes, position, next);
    return next;
  }
  const letter = LETTERS[byte] ?? 0;
  if (letter !== 0) {
    output.view.setUint16(output.length, BACKSLASH | (letter << 8), true);
    output.length += 2;
  } else {
    output.view.setInt32(output.length, UNICODE_ESCAPE, true);
    output.view.setUint16(output.length + 4, HEX_PAIRS[byte] ?? 0, true);
    output.length += 6;
  }
  output.reserve(end - position + EXTRA_BYTES);
  return position + 1;
}

function repair(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  return new TextEncoder().encode(decoder.decode(bytes.subarray(start, end)));
}
