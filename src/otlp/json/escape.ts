/**
 * Escapes in strings of JSON (RFC 8259 section 7): how long they are and what they stand for. Part of the hot path of
 * `decode.ts`: `bench/otlp-json-decode.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";
import { hexDigit } from "./hex.ts";

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** Escapes of one letter: letter → byte that it stands for, 0 for none. */
const ESCAPED: Uint8Array = Uint8Array.from({ length: 256 }, (_, letter) => {
  const index = '"\\/bfnrt'.indexOf(String.fromCharCode(letter));
  return index < 0 ? 0 : '"\\/\b\f\n\r\t'.charCodeAt(index);
});

/** Length of the escape that begins with the backslash at `position`, 0 if it is none. */
export function escapeBytes(bytes: Uint8Array, position: number): number {
  const letter = bytes[position + 1] ?? 0;
  if (letter === LETTER_U) return readUnit(bytes, position) < 0 ? 0 : 6;
  return ESCAPED[letter] === 0 ? 0 : 2;
}

/**
 * Appends what the escape at `position` stands for, both halves of a surrogate pair; lone ones become U+FFFD
 * (otlp-http 5.1). There must be room for four bytes.
 * @returns position after it, -1 if it is no escape
 */
export function writeEscape(output: ByteWriter, bytes: Uint8Array, position: number): number {
  const letter = bytes[position + 1] ?? 0;
  if (letter !== LETTER_U) {
    const byte = ESCAPED[letter] ?? 0;
    output.bytes[output.length++] = byte;
    return byte === 0 ? -1 : position + 2;
  }
  const unit = readUnit(bytes, position);
  if (unit < 0) return -1;
  const isPair = isHighSurrogate(unit) && isLowSurrogate(readUnit(bytes, position + 6));
  writeCodePoint(output, isPair ? toCodePoint(unit, readUnit(bytes, position + 6)) : toScalar(unit));
  return position + (isPair ? 12 : 6);
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
