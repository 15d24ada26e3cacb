/**
 * The shortest decimal of a double that reads back as the same, for fractions from 10^-6 to 2^53, without a string.
 *
 * Decimals of at most 15 digits never share a double: if one reads back as the value v, it is the shortest, and its
 * digits divided by a power of ten give v. For the others v is scaled to s = v · 10^k of 17 digits, exactly, as the sum
 * of two doubles. A decimal that reads back as v is nearer to it than half a unit in its last place, h when scaled: the
 * multiple of ten next to s if it is that near, which has 16 digits, else the integer next to s, since h > 1/2. Cases
 * that rounding might decide are left to the caller. Hot path: `bench/otlp-json-encode.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";
import { putEightDigits } from "./integer-text.ts";

const DIGIT_0 = 0x30;
const POINT = 0x2e;
/** `0.00` and `0000` as little-endian words. */
const ZERO_POINT = 0x3030_2e30;
const ZEROS = 0x3030_3030;
const MIN_VALUE = 1e-6;
const MAX_VALUE = 2 ** 53;
const TEN_6 = 1e6;
const TEN_8 = 1e8;
const TEN_9 = 1e9;
/** Digits of a scaled value, of which eight are kept apart. */
const SCALED_DIGITS = 17;
/** Decimals of at most so many digits never share a double. */
const UNIQUE_DIGITS = 15;
/** Zero, point, five zeros and the digits. */
const MAX_TEXT_BYTES = 32;
/** Powers of ten that are doubles. */
const POWERS: Float64Array = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
/** Powers of ten down to the smallest value, each as the double next to it. */
const FRACTIONS: readonly number[] = [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
/** Exponent of a double, in its upper word, and 53 of its steps. */
const EXPONENT_BITS = 0x7ff0_0000;
const HALF_UNIT_STEP = 53 << 20;
/** 2^27 + 1: cuts a double into halves whose products are exact (Veltkamp, Dekker). */
const SPLITTER = 134_217_729;
/** Distances nearer than this to what decides may be so by rounding. */
const MARGIN = 1e-6;

/**
 * Appends the shortest decimal of a value.
 * @param value not negative
 * @returns false, with nothing written, for integers, values out of range and the few that need more care
 */
export function writeShortestDecimal(output: ByteWriter, value: number): boolean {
  if (!(value >= MIN_VALUE && value < MAX_VALUE)) return false;
  output.reserve(MAX_TEXT_BYTES);
  const exponent = toDecimalExponent(value);
  const power = POWERS[UNIQUE_DIGITS - 1 - exponent] ?? 1;
  const digits = Math.floor(value * power + 0.5);
  if (digits / power === value) {
    const upper = Math.floor(digits / TEN_6);
    putDecimal(output, upper, (digits - upper * TEN_6) * 100, exponent);
    return true;
  }
  return writeLongDecimal(output, value, exponent);
}

/** Writes a decimal of 16 or 17 digits. */
function writeLongDecimal(output: ByteWriter, value: number, exponent: number): boolean {
  const power = POWERS[SCALED_DIGITS - 1 - exponent] ?? 1;
  const product = value * power;
  let upper = Math.floor(product / TEN_8);
  const rest = product - upper * TEN_8 + findProductError(value, power, product);
  const bound = findHalfUnit(output, value) * power;
  const ten = Math.floor(rest / 10 + 0.5) * 10;
  const distance = Math.abs(ten - rest);
  if (Math.abs(distance - bound) < MARGIN || Math.abs(distance - 5) < MARGIN) return false;
  let lower = ten;
  if (distance > bound) {
    lower = Math.floor(rest + 0.5);
    if (Math.abs(Math.abs(lower - rest) - 0.5) < MARGIN) return false;
  }
  if (lower >= TEN_8) {
    upper += 1;
    lower -= TEN_8;
  } else if (lower < 0) {
    upper -= 1;
    lower += TEN_8;
  }
  if (upper >= TEN_9) return false;
  putDecimal(output, upper, lower, exponent);
  return true;
}

/** Finds e with 10^e ≤ value < 10^(e + 1). No double lies between a power of ten and the double nearest to that. */
function toDecimalExponent(value: number): number {
  // A negated zero would not be an index: the compiled code would be thrown away again and again.
  if (value < 1) {
    let places = 1;
    while (value < (FRACTIONS[places] ?? 0)) places += 1;
    return 0 - places;
  }
  let exponent = 0;
  while (value >= (POWERS[exponent + 1] ?? 0)) exponent += 1;
  return exponent;
}

/** What rounding took from a product (Dekker): the two together are exact. */
function findProductError(value: number, factor: number, product: number): number {
  const valueHigh = SPLITTER * value - (SPLITTER * value - value);
  const factorHigh = SPLITTER * factor - (SPLITTER * factor - factor);
  const valueLow = value - valueHigh;
  const factorLow = factor - factorHigh;
  return valueHigh * factorHigh - product + valueHigh * factorLow + valueLow * factorHigh + valueLow * factorLow;
}

/** Half a unit in the last place of a value, found from its exponent in the spare room of the output. */
function findHalfUnit({ view, length }: ByteWriter, value: number): number {
  view.setFloat64(length, value, true);
  view.setUint32(length + 4, (view.getUint32(length + 4, true) & EXPONENT_BITS) - HALF_UNIT_STEP, true);
  view.setUint32(length, 0, true);
  return view.getFloat64(length, true);
}

/** Puts 17 digits, given as nine and eight, without their last zeros, the point behind the first `exponent` + 1. */
function putDecimal(output: ByteWriter, upper: number, lower: number, exponent: number): void {
  const { bytes, view, length } = output;
  const start = length + (exponent < 0 ? 1 - exponent : 1);
  if (exponent < 0) {
    view.setInt32(length, ZERO_POINT, true);
    view.setInt32(length + 4, ZEROS, true);
  }
  const first = (upper / TEN_8) | 0;
  bytes[start] = DIGIT_0 + first;
  putEightDigits(view, start + 1, upper - first * TEN_8);
  putEightDigits(view, start + 9, lower);
  let end = start + SCALED_DIGITS;
  while (bytes[end - 1] === DIGIT_0) end -= 1;
  if (exponent >= 0) {
    for (let index = length; index <= length + exponent; index++) bytes[index] = bytes[index + 1] ?? 0;
    bytes[start + exponent] = POINT;
  }
  output.length = end;
}
