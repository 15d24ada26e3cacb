/**
 * Scalars as OTLP JSON text, appended as UTF-8: strings with their escapes, integers of 64 bits, doubles in their
 * shortest form. Writes what pdata writes (`opentelemetry-collector`, `pdata/internal/json`), but infinities as
 * ProtoJSON has them.
 * Hot path: `bench/otlp-json.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";
import { skipPlain } from "./escape.ts";
import { isUtf8 } from "../wire/utf8.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const TWO_16 = 65_536;
const TWO_32 = 4_294_967_296;
/** Digits that are written at once, as one int32. */
const GROUP_DIGITS = 9;
const GROUP_FACTOR = 1_000_000_000;
/** Digits of 2^64 - 1. */
const MAX_INTEGER_DIGITS = 20;
/** Longest escape: a `u` and four hex digits behind the backslash. */
const MAX_ESCAPE_BYTES = 6;
const HEX_DIGITS: Uint8Array = new TextEncoder().encode("0123456789abcdef");

/** Appends ASCII text as it is. */
export function writeAscii(output: ByteWriter, text: string): void {
  output.reserve(text.length);
  for (let index = 0; index < text.length; index++) output.bytes[output.length++] = text.charCodeAt(index);
}

/** Appends a string with its quotes. Text that is not UTF-8, which foreign writers may have stored, gets U+FFFD. */
export function writeString(output: ByteWriter, source: Uint8Array, start: number, end: number): void {
  const position = skipPlain(source, start, end);
  output.byte(QUOTE);
  if (position === end) output.copy(source, start, end);
  else if (isUtf8(source, position, end)) writeEscaped(output, source, start, end);
  else {
    const repaired = new TextEncoder().encode(
      new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(source.subarray(start, end)),
    );
    writeEscaped(output, repaired, 0, repaired.length);
  }
  output.byte(QUOTE);
}

/** Appends an unsigned integer below 2^53. */
export function writeInteger(output: ByteWriter, value: number): void {
  output.reserve(MAX_INTEGER_DIGITS);
  const upper = Math.floor(value / GROUP_FACTOR);
  if (upper > 0) putDigits(output, upper, digitCount(upper));
  const lower = value - upper * GROUP_FACTOR;
  putDigits(output, lower, upper > 0 ? GROUP_DIGITS : digitCount(lower));
}

/** Appends an integer of 64 bits, given as two unsigned halves, in quotes: 64-bit integers are strings in JSON. */
export function writeQuoted64(output: ByteWriter, low: number, high: number, isSigned: boolean): void {
  const isNegative = isSigned && high >= 0x8000_0000;
  const magnitudeLow = isNegative ? -low >>> 0 : low;
  const magnitudeHigh = isNegative ? (~high + (low === 0 ? 1 : 0)) >>> 0 : high;
  output.byte(QUOTE);
  if (isNegative) output.byte(MINUS);
  if (magnitudeHigh === 0) writeInteger(output, magnitudeLow);
  else {
    // Divide by 10^9 in steps of 16 bits: every intermediate stays below 2^53.
    const top = Math.floor(magnitudeHigh / GROUP_FACTOR);
    const middle = (magnitudeHigh - top * GROUP_FACTOR) * TWO_16 + (magnitudeLow >>> 16);
    const middleQuotient = Math.floor(middle / GROUP_FACTOR);
    const bottom = (middle - middleQuotient * GROUP_FACTOR) * TWO_16 + (magnitudeLow & 0xffff);
    const bottomQuotient = Math.floor(bottom / GROUP_FACTOR);
    writeInteger(output, top * TWO_32 + middleQuotient * TWO_16 + bottomQuotient);
    output.reserve(GROUP_DIGITS);
    putDigits(output, bottom - bottomQuotient * GROUP_FACTOR, GROUP_DIGITS);
  }
  output.byte(QUOTE);
}

/** Appends an int32. */
export function writeInt32(output: ByteWriter, value: number): void {
  if (value < 0) output.byte(MINUS);
  writeInteger(output, Math.abs(value));
}

/** Appends a double in the shortest form that reads back as the same; what JSON has no number for is a string. */
export function writeDouble(output: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value)) {
    if (value < 0 || Object.is(value, -0)) output.byte(MINUS);
    writeInteger(output, Math.abs(value));
  } else if (Number.isFinite(value)) writeAscii(output, String(value));
  else writeAscii(output, `"${value}"`);
}

function writeEscaped(output: ByteWriter, source: Uint8Array, start: number, end: number): void {
  output.reserve(end - start);
  let { bytes, length } = output;
  for (let position = start; position < end; position++) {
    const byte = source[position] ?? 0;
    if (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH) {
      bytes[length++] = byte;
      continue;
    }
    output.length = length;
    writeEscape(output, byte);
    output.reserve(end - position);
    ({ bytes, length } = output);
  }
  output.length = length;
}

function writeEscape(output: ByteWriter, byte: number): void {
  output.reserve(MAX_ESCAPE_BYTES);
  output.byte(BACKSLASH);
  if (byte === QUOTE || byte === BACKSLASH) return output.byte(byte);
  if (byte === 0x0a) return output.byte(0x6e);
  if (byte === 0x0d) return output.byte(0x72);
  if (byte === 0x09) return output.byte(0x74);
  writeAscii(output, "u00");
  output.byte(HEX_DIGITS[byte >> 4] ?? 0);
  return output.byte(HEX_DIGITS[byte & 15] ?? 0);
}

function digitCount(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count += 1;
  return count;
}

/** Writes the last `count` digits of a value, where room is. @param value integer below 2^35 */
function putDigits(output: ByteWriter, value: number, count: number): void {
  const { bytes, length } = output;
  let rest = value;
  for (let index = length + count - 1; index >= length; index--) {
    const quotient = Math.floor(rest / 10);
    bytes[index] = DIGIT_0 + rest - quotient * 10;
    rest = quotient;
  }
  output.length = length + count;
}
