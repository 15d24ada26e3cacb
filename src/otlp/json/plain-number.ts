/**
 * Numbers the way nearly all are written: digits alone, a sign before them, a point between them. Everything else, such
 * as exponents, is left to `decimal.ts`, which reads all that JSON allows.
 * Part of the hot path of `decode.ts`: `bench/otlp-json-decode.ts`.
 */
import type { WordSource } from "./plain-run.ts";

const DIGIT_0 = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
const TWO_16 = 65_536;
const TWO_32 = 4_294_967_296;
/** Four times the same byte. */
const ZEROS = 0x3030_3030;
/** Lifts everything above nine to 0x80 and more. */
const ABOVE_NINE = 0x7676_7676;
const HIGH_BITS = 0x8080_8080 | 0;
/** Digits of the times of this century in nanoseconds, and of the largest 64-bit integers but few. */
const TIME_DIGITS = 19;
/** Digits that a double holds exactly. */
const EXACT_DIGITS = 15;
/** Integers up to this are doubles. */
const MAX_EXACT = 9_007_199_254_740_992;
/** Powers of ten that are exact as doubles. */
const EXACT_POWERS: Float64Array = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Digits beyond {@link EXACT_DIGITS} that are kept. */
const MAX_TAIL_DIGITS = 8;
/** Splits a double into two halves of 26 bits (Veltkamp 1968). */
const SPLITTER = 134_217_729;
/** More than one by far more than the error of the sums in {@link divide}, by far less than what they round off. */
const MARGIN = 1 + 2 ** -30;

/** The last number that was taken. */
export class PlainNumber {
  /** The last integer: 64 bits in two halves of 32, both as signed integers, which the engine holds best. */
  low = 0;
  high = 0;
  /** The last double. */
  value = 0;

  /** Puts an integer here that was read otherwise. */
  set(value: bigint): this {
    this.low = Number(BigInt.asIntN(32, value));
    this.high = Number(BigInt.asIntN(32, value >> 32n));
    return this;
  }

  /**
   * Takes digits alone; what follows them is the caller's to check.
   * @returns position after them, -1 if it is another way to write a number, or none
   */
  takeUnsigned({ bytes, view }: WordSource, start: number): number {
    if (start + TIME_DIGITS < bytes.length) {
      const first = readFourDigits(view.getInt32(start, true));
      if (first >= 1000 && !isDigit(bytes[start + TIME_DIGITS] ?? 0)) {
        const last = readFourDigits(view.getInt32(start + 15, true));
        if (last >= 0) return this.#takeTime(view, start, first, last);
      }
    }
    let position = start;
    let value = 0;
    let digit = (bytes[position] ?? 0) - DIGIT_0;
    while (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digit = (bytes[++position] ?? 0) - DIGIT_0;
    }
    const count = position - start;
    if (count === 0 || count > EXACT_DIGITS || (count > 1 && bytes[start] === DIGIT_0)) return -1;
    this.low = value | 0;
    this.high = (value * (1 / TWO_32)) | 0;
    return position;
  }

  /**
   * Takes digits alone or behind a minus sign.
   * @returns as {@link PlainNumber.takeUnsigned}; -1 also for what a signed integer cannot hold
   */
  takeSigned(source: WordSource, start: number): number {
    const isNegative = source.bytes[start] === MINUS;
    const end = this.takeUnsigned(source, isNegative ? start + 1 : start);
    if (end < 0 || this.high < 0) return -1;
    if (isNegative) {
      this.high = (~this.high + (this.low === 0 ? 1 : 0)) | 0;
      this.low = -this.low | 0;
    }
    return end;
  }

  /** Takes 19 digits, whose first and last four were read. */
  #takeTime(view: DataView, start: number, first: number, last: number): number {
    const second = readFourDigits(view.getInt32(start + 4, true));
    const third = readFourDigits(view.getInt32(start + 7, true));
    const fourth = readFourDigits(view.getInt32(start + 11, true));
    if ((second | third | fourth) < 0) return -1;
    // The third word repeats the last digit of the second. Eleven digits times 10^8, plus eight digits, in two halves
    // of the eleven, so that no product has more than 53 bits.
    const upper = (first * 10_000 + second) * 1000 + (third % 1000);
    const upperHigh = (upper * (1 / TWO_16)) | 0;
    const bottom = (upper - upperHigh * TWO_16) * 100_000_000 + (fourth * 10_000 + last);
    const top = upperHigh * 100_000_000;
    const low = (bottom >>> 0) + ((top << 16) >>> 0);
    const carry = low >= TWO_32 ? 1 : 0;
    this.low = low | 0;
    this.high = (((top * (1 / TWO_16)) | 0) + ((bottom * (1 / TWO_32)) | 0) + carry) | 0;
    return start + TIME_DIGITS;
  }

  /**
   * Takes a number without exponent and finds the nearest double.
   * @returns position after it, -1 if it is another way to write a number, one that is hard to round, or none
   */
  takeDouble({ bytes, view }: WordSource, start: number): number {
    const isNegative = bytes[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    const lastWord = bytes.length - 4;
    let position = first;
    let point = -1;
    // The first digits as one exact double, the others as another.
    let head = 0;
    let tail = 0;
    let count = 0;
    let tailDigits = 0;
    for (;;) {
      const four = position <= lastWord ? readFourDigits(view.getInt32(position, true)) : -1;
      if (four >= 0) {
        if (count + 4 <= EXACT_DIGITS) head = head * 10_000 + four;
        else {
          tail = tail * 10_000 + four;
          tailDigits += 4;
        }
        count += 4;
        position += 4;
        continue;
      }
      const byte = bytes[position] ?? 0;
      if (isDigit(byte)) {
        if (tailDigits === 0 && count < EXACT_DIGITS) head = head * 10 + byte - DIGIT_0;
        else {
          tail = tail * 10 + byte - DIGIT_0;
          tailDigits += 1;
        }
        count += 1;
        position += 1;
      } else if (byte === POINT && point < 0) point = position++;
      else break;
    }
    const integerEnd = point < 0 ? position : point;
    const fractionDigits = point < 0 ? 0 : position - point - 1;
    if (integerEnd === first || (bytes[first] === DIGIT_0 && integerEnd > first + 1)) return -1;
    if (point >= 0 && fractionDigits === 0) return -1;
    if (tailDigits > MAX_TAIL_DIGITS || fractionDigits >= EXACT_POWERS.length) return -1;
    if (((bytes[position] ?? 0) | 0x20) === 0x65) return -1;
    const magnitude = compose(head, tail, EXACT_POWERS[tailDigits] ?? 1, EXACT_POWERS[fractionDigits] ?? 1);
    this.value = isNegative ? -magnitude : magnitude;
    return magnitude < 0 ? -1 : position;
  }
}

/** Value of the four digits of a little-endian word, -1 if some byte is none. */
function readFourDigits(word: number): number {
  const digits = word - ZEROS;
  if (((digits | (digits + ABOVE_NINE)) & HIGH_BITS) !== 0) return -1;
  const pairs = (Math.imul(digits, 10) + (digits >>> 8)) & 0x00ff_00ff;
  return Math.imul(pairs & 0xff, 100) + (pairs >>> 16);
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_0 + 9;
}

/** The double nearest to (head · factor + tail) / power; -1 if it lies too close to the middle of two doubles. */
function compose(head: number, tail: number, factor: number, power: number): number {
  // One operation on exact doubles is rounded correctly (Clinger 1990).
  if (factor === 1) return head / power;
  const product = head * factor;
  const sum = product + tail;
  if (sum <= MAX_EXACT) return sum / power;
  return divide(sum, productError(head, factor, product) + (tail - (sum - product)), power);
}

/**
 * The double nearest to (upper + lower) / power, -1 if that is not certain. The quotient is found as a sum of two
 * doubles with an error below 2^-100 of it (Dekker 1971), and is certain if a little more would round to the same.
 */
function divide(upper: number, lower: number, power: number): number {
  const quotient = upper / power;
  const product = quotient * power;
  const rest = (upper - product - productError(quotient, power, product) + lower) / power;
  const value = quotient + rest;
  const roundedOff = rest - (value - quotient);
  return value + roundedOff * MARGIN === value ? value : -1;
}

/** What rounding took from a product. */
function productError(a: number, b: number, product: number): number {
  const aScaled = a * SPLITTER;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = b * SPLITTER;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
