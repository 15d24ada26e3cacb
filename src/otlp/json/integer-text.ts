/**
 * Integers as decimal text. Two digits are looked up at once and eight written as two words: division is what takes
 * time. Hot path: `bench/otlp-json-encode.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";

const QUOTE = 0x22;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const TWO_32 = 4_294_967_296;
/** Integers below are exact as doubles. */
const MAX_EXACT = 2 ** 53;
const TEN_8 = 100_000_000;
/** Digits of 2^64 - 1, a sign, two quotes and a word of which one byte counts. */
const MAX_INTEGER_BYTES = 26;
/** Below 10^4, a product with this, shifted, is a hundredth: a division takes several times as long. */
const HUNDREDTH = 5243;
const HUNDREDTH_SHIFT = 19;
/** 0 to 99 → two digits as a little-endian pair. */
const PAIRS: Uint16Array = Uint16Array.from({ length: 100 }, (_, value) => {
  return (DIGIT_0 + Math.floor(value / 10)) | ((DIGIT_0 + (value % 10)) << 8);
});

/** Appends an integer of 64 bits, given as two int32 halves, in quotes: 64-bit integers are strings in JSON. */
export function writeQuoted64(output: ByteWriter, low: number, high: number, isSigned: boolean): void {
  output.reserve(MAX_INTEGER_BYTES);
  const { view } = output;
  let at = output.length;
  view.setUint8(at++, QUOTE);
  if (isSigned && high < 0) {
    view.setUint8(at++, MINUS);
    at = putInteger64(view, at, -low | 0, (~high + (low === 0 ? 1 : 0)) | 0);
  } else at = putInteger64(view, at, low, high);
  view.setUint8(at, QUOTE);
  output.length = at + 1;
}

/** Appends an int32. */
export function writeInt32(output: ByteWriter, value: number): void {
  if (value < 0) output.byte(MINUS);
  writeInteger(output, Math.abs(value));
}

/** Appends an unsigned integer below 2^53. */
export function writeInteger(output: ByteWriter, value: number): void {
  output.reserve(MAX_INTEGER_BYTES);
  output.length = putInteger(output.view, output.length, value);
}

/** Puts eight digits, leading zeros included. @param value integer below 10^8 */
export function putEightDigits(view: DataView, position: number, value: number): number {
  const integer = value | 0;
  const upper = (integer / 10_000) | 0;
  view.setInt32(position, toFourDigits(upper), true);
  view.setInt32(position + 4, toFourDigits((integer - Math.imul(upper, 10_000)) | 0), true);
  return position + 8;
}

/** Puts an unsigned integer of 64 bits, given as two int32 halves. */
export function putInteger64(view: DataView, position: number, low: number, high: number): number {
  const value = (high >>> 0) * TWO_32 + (low >>> 0);
  if (value < MAX_EXACT) return putInteger(view, position, value);
  // The dividend is exact up to 2^-53 of it, so that the quotient is off by one at most: the remainder tells.
  let upper = Math.floor(value / TEN_8);
  let lower = (low - Math.imul(upper | 0, TEN_8)) | 0;
  if (lower < 0) {
    upper -= 1;
    lower += TEN_8;
  } else if (lower >= TEN_8) {
    upper += 1;
    lower -= TEN_8;
  }
  return putEightDigits(view, putInteger(view, position, upper), lower);
}

/** Puts an unsigned integer below 2^53. */
function putInteger(view: DataView, position: number, value: number): number {
  if (value < TEN_8) return putSmall(view, position, value | 0);
  const upper = Math.floor(value / TEN_8);
  return putEightDigits(view, putSmall(view, position, upper), value - upper * TEN_8);
}

/** Puts an unsigned integer below 10^8. */
function putSmall(view: DataView, position: number, value: number): number {
  if (value < 10_000) return putFour(view, position, value);
  const upper = (value / 10_000) | 0;
  const next = putFour(view, position, upper);
  view.setInt32(next, toFourDigits((value - Math.imul(upper, 10_000)) | 0), true);
  return next + 4;
}

/** Puts an unsigned integer below 10^4. */
function putFour(view: DataView, position: number, value: number): number {
  if (value < 10) {
    view.setUint8(position, DIGIT_0 + value);
    return position + 1;
  }
  const digits = toFourDigits(value);
  const leadingZeros = value < 100 ? 2 : value < 1000 ? 1 : 0;
  view.setInt32(position, digits >>> (8 * leadingZeros), true);
  return position + 4 - leadingZeros;
}

/** Four digits of an integer below 10^4 as a little-endian word. */
function toFourDigits(value: number): number {
  const upper = Math.imul(value, HUNDREDTH) >>> HUNDREDTH_SHIFT;
  return (PAIRS[upper] ?? 0) | ((PAIRS[value - Math.imul(upper, 100)] ?? 0) << 16);
}
