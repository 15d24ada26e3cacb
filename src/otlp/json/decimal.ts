/**
 * Decimal numbers in every way that JSON allows, turned into integers exactly or into the nearest double.
 *
 * Integers never pass through a double: `1544712660300000001` and `"15447126603000000.01e2"` are the same exact value.
 * Nearly all numbers are read by `plain-number.ts`; those left over come here.
 */

const DIGIT_0 = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const LETTER_E = 0x65;
/** Digits of 2^64 - 1. */
const MAX_INTEGER_DIGITS = 20;

/** A number and where its parts lie. */
export interface Decimal {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** First digit. */
  readonly digits: number;
  /** Position after the digits before the point. */
  readonly integerEnd: number;
  /** Position after the digits behind the point; equal to `integerEnd` without a point. */
  readonly fractionEnd: number;
  /** Position after the number; what follows is the caller's to check. */
  readonly end: number;
}

/** Scans the number that begins at `start`; null if none is there. */
export function scanDecimal(bytes: Uint8Array, start: number): Decimal | null {
  const digits = bytes[start] === MINUS ? start + 1 : start;
  const integerEnd = skipDigits(bytes, digits);
  if (integerEnd === digits || (bytes[digits] === DIGIT_0 && integerEnd > digits + 1)) return null;
  let fractionEnd = integerEnd;
  if (bytes[integerEnd] === POINT) {
    fractionEnd = skipDigits(bytes, integerEnd + 1);
    if (fractionEnd === integerEnd + 1) return null;
  }
  let end = fractionEnd;
  if (((bytes[end] ?? 0) | 0x20) === LETTER_E) {
    const sign = bytes[end + 1];
    const exponent = sign === MINUS || sign === PLUS ? end + 2 : end + 1;
    end = skipDigits(bytes, exponent);
    if (end === exponent) return null;
  }
  return { bytes, start, digits, integerEnd, fractionEnd, end };
}

/** The number as an integer; null if it has a fraction, or more digits than any integer of 64 bits. */
export function toInteger(decimal: Decimal): bigint | null {
  const { bytes, start, digits, integerEnd, fractionEnd, end } = decimal;
  let first = digits;
  while (first < fractionEnd && !isSignificant(bytes[first])) first += 1;
  if (first === fractionEnd) return 0n;
  let last = fractionEnd - 1;
  while (!isSignificant(bytes[last])) last -= 1;
  const exponent = end === fractionEnd ? 0 : Number(toText(bytes, fractionEnd + 1, end));
  const zeros = exponent + (last < integerEnd ? integerEnd - 1 - last : integerEnd - last);
  const hasPoint = first < integerEnd && last > integerEnd;
  const count = last - first + (hasPoint ? 0 : 1);
  if (zeros < 0 || count + zeros > MAX_INTEGER_DIGITS) return null;
  const magnitude = BigInt(toText(bytes, first, last + 1).replace(".", "") + "0".repeat(zeros));
  return bytes[start] === MINUS ? -magnitude : magnitude;
}

/** The nearest double; infinite if the number is too large for any. */
export function toDouble({ bytes, start, end }: Decimal): number {
  return Number(toText(bytes, start, end));
}

function skipDigits(bytes: Uint8Array, start: number): number {
  let position = start;
  let digit = (bytes[position] ?? 0) - DIGIT_0;
  while (digit >= 0 && digit <= 9) digit = (bytes[++position] ?? 0) - DIGIT_0;
  return position;
}

/** Says whether a byte of the digits is neither zero nor the point. */
function isSignificant(byte: number | undefined): boolean {
  return byte !== DIGIT_0 && byte !== POINT;
}

function toText(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}
