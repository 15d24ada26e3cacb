/**
 * Strings of JSON (RFC 8259 section 7): which bytes stand for themselves, how long an escape is, and what a string with
 * escapes stands for. Part of the hot path of both codecs: `bench/otlp-json.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";
import { hexDigit } from "./hex.ts";

const QUOTE = 0x22;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** 0 for ASCII that stands for itself in a string. */
const SPECIAL: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  return byte < SPACE || byte === QUOTE || byte === BACKSLASH || byte >= 0x80 ? 1 : 0;
});

/** Escapes of one letter: letter → byte that it stands for, 0 for none. */
const ESCAPED: Uint8Array = Uint8Array.from({ length: 256 }, (_, letter) => {
  const index = '"\\/bfnrt'.indexOf(String.fromCharCode(letter));
  return index < 0 ? 0 : '"\\/\b\f\n\r\t'.charCodeAt(index);
});

/**
 * Finds the first byte that does not stand for itself: a quote, a backslash, a control character or not ASCII.
 * Four bytes a step, since what takes time are the long strings.
 * @returns its position, `stop` if there is none
 */
export function skipPlain(bytes: Uint8Array, start: number, stop: number): number {
  let position = start;
  for (const last = stop - 4; position <= last; position += 4) {
    const special =
      (SPECIAL[bytes[position] ?? 0] ?? 0) |
      (SPECIAL[bytes[position + 1] ?? 0] ?? 0) |
      (SPECIAL[bytes[position + 2] ?? 0] ?? 0) |
      (SPECIAL[bytes[position + 3] ?? 0] ?? 0);
    if (special !== 0) break;
  }
  while (position < stop && SPECIAL[bytes[position] ?? 0] === 0) position += 1;
  return position;
}

/** Length of the escape that begins with the backslash at `position`, 0 if it is none. */
export function escapeBytes(bytes: Uint8Array, position: number): number {
  const letter = bytes[position + 1] ?? 0;
  if (letter === LETTER_U) return readUnit(bytes, position) < 0 ? 0 : 6;
  return ESCAPED[letter] === 0 ? 0 : 2;
}

/** Appends what the checked text `bytes[start, stop)` stands for; lone surrogates become U+FFFD (otlp-http 5.1). */
export function writeUnescaped(output: ByteWriter, bytes: Uint8Array, start: number, stop: number): void {
  // No escape stands for more bytes than it has itself.
  output.reserve(stop - start);
  const target = output.bytes;
  let { length } = output;
  for (let position = start; position < stop;) {
    const byte = bytes[position] ?? 0;
    if (byte !== BACKSLASH) {
      target[length++] = byte;
      position += 1;
      continue;
    }
    const letter = bytes[position + 1] ?? 0;
    if (letter !== LETTER_U) {
      target[length++] = ESCAPED[letter] ?? 0;
      position += 2;
      continue;
    }
    const unit = readUnit(bytes, position);
    const isPair = isHighSurrogate(unit) && isLowSurrogate(readUnit(bytes, position + 6));
    output.length = length;
    writeCodePoint(output, isPair ? toCodePoint(unit, readUnit(bytes, position + 6)) : toScalar(unit));
    length = output.length;
    position += isPair ? 12 : 6;
  }
  output.length = length;
}

/** UTF-16 unit of the `\uXXXX` at `position`, -1 if none is there. */
function readUnit(bytes: Uint8Array, position: number): number {
  if (bytes[position] !== BACKSLASH || bytes[position + 1] !== LETTER_U) return -1;
  let unit = 0;
  for (let index = 2; index < 6; index++) {
    const digit = hexDigit(bytes[position + index] ?? 0);
    if (digit > 15) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function toCodePoint(high: number, low: number): number {
  return 0x1_0000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
}

function toScalar(unit: number): number {
  return isHighSurrogate(unit) || isLowSurrogate(unit) ? 0xfffd : unit;
}

function writeCodePoint(output: ByteWriter, point: number): void {
  if (point < 0x80) return output.byte(point);
  if (point < 0x800) output.byte(0xc0 | (point >> 6));
  else {
    if (point < 0x1_0000) output.byte(0xe0 | (point >> 12));
    else {
      output.byte(0xf0 | (point >> 18));
      output.byte(0x80 | ((point >> 12) & 0x3f));
    }
    output.byte(0x80 | ((point >> 6) & 0x3f));
  }
  return output.byte(0x80 | (point & 0x3f));
}
