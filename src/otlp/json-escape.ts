/** Escapes in JSON strings (RFC 8259 section 7): how long one is, and what a string with escapes stands for. */
import type { ByteWriter } from "./byte-writer.ts";
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

/** Appends what the checked text `bytes[start, stop)` stands for; lone surrogates become U+FFFD (otlp-http 5.1). */
export function writeUnescaped(output: ByteWriter, bytes: Uint8Array, start: number, stop: number): void {
  let position = start;
  while (position < stop) {
    let end = position;
    while (end < stop && bytes[end] !== BACKSLASH) end += 1;
    output.copy(bytes, position, end);
    position = end;
    if (position === stop) break;
    const letter = bytes[position + 1] ?? 0;
    if (letter !== LETTER_U) {
      output.byte(ESCAPED[letter] ?? 0);
      position += 2;
      continue;
    }
    const unit = readUnit(bytes, position);
    const isPair = isHighSurrogate(unit) && isLowSurrogate(readUnit(bytes, position + 6));
    writeCodePoint(output, isPair ? toCodePoint(unit, readUnit(bytes, position + 6)) : toScalar(unit));
    position += isPair ? 12 : 6;
  }
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
