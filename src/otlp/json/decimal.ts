/**
 * Decimal numbers as JSON writes them, turned into 64-bit integers exactly or into the nearest double.
 *
 * Integers never pass through a double: `1544712660300000001` and `"15447126603000000.01e2"` are the same exact value.
 * Hot path, hence a class that is reused for every number: `bench/otlp-json.ts`.
 */

const DIGIT_0 = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const TWO_16 = 65_536;
const TWO_32 = 4_294_967_296;
/** Digits of 2^64 - 1. */
const MAX_INTEGER_DIGITS = 20;
/** Digits that one multiplication handles: the last nine, and the eleven before them. */
const LOW_DIGITS = 9;
const LOW_FACTOR = 1_000_000_000;
/** Integers up to this are doubles. */
const MAX_EXACT = 9_007_199_254_740_992;
/** Powers of ten that are exact as doubles; one multiplication with them is rounded correctly (Clinger 1990). */
const EXACT_POWERS: Float64Array = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** The last number that was scanned. */
export class Decimal {
  /** Magnitude after {@link Decimal.readInteger}, then possibly negated, as two unsigned halves. */
  low = 0;
  high = 0;
  isNegative = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #digits = 0;
  /** Position after the digits before the point. */
  #integerEnd = 0;
  /** Position after the digits behind the point; equal to `#integerEnd` without a point. */
  #fractionEnd = 0;
  #end = 0;

  /**
   * Scans the number that begins at `start`.
   *
   * @returns position after it, or -1 if none is there; what follows the number is the caller's to check
   */
  scan(bytes: Uint8Array, start: number): number {
    let position = start;
    this.#bytes = bytes;
    this.#start = start;
    this.isNegative = bytes[position] === MINUS;
    if (this.isNegative) position += 1;
    this.#digits = position;
    position = skipDigits(bytes, position);
    if (position === this.#digits) return -1;
    if (bytes[this.#digits] === DIGIT_0 && position > this.#digits + 1) return -1;
    this.#integerEnd = position;
    if (bytes[position] === POINT) {
      const fraction = position + 1;
      position = skipDigits(bytes, fraction);
      if (position === fraction) return -1;
    }
    this.#fractionEnd = position;
    if (((bytes[position] ?? 0) | 0x20) === 0x65) {
      const sign = bytes[position + 1];
      const exponent = sign === MINUS || sign === PLUS ? position + 2 : position + 1;
      position = skipDigits(bytes, exponent);
      if (position === exponent) return -1;
    }
    this.#end = position;
    return position;
  }

  /** Puts the magnitude into `low` and `high`; false if the number has a fraction or needs more than 64 bits. */
  readInteger(): boolean {
    const digitCount = this.#integerEnd - this.#digits;
    if (this.#end === this.#integerEnd && digitCount <= MAX_INTEGER_DIGITS) {
      return this.#accumulate(this.#bytes, this.#digits, this.#integerEnd);
    }
    const digits = this.#toIntegerDigits();
    return digits !== null && this.#accumulate(digits, 0, digits.length);
  }

  /** Reads a signed integer of 64 bits into two's complement; false if it is none. */
  readSigned(): boolean {
    if (!this.readInteger()) return false;
    if (!this.isNegative) return this.high < 0x8000_0000;
    if (this.high > 0x8000_0000 || (this.high === 0x8000_0000 && this.low !== 0)) return false;
    this.high = (~this.high + (this.low === 0 ? 1 : 0)) >>> 0;
    this.low = -this.low >>> 0;
    return true;
  }

  /** Reads an unsigned integer of 64 bits; false if it is none. Minus zero is zero. */
  readUnsigned(): boolean {
    return this.readInteger() && (!this.isNegative || (this.low === 0 && this.high === 0));
  }

  /** The nearest double; infinite if the number is too large for any. */
  toDouble(): number {
    const bytes = this.#bytes;
    const fractionDigits = Math.max(0, this.#fractionEnd - this.#integerEnd - 1);
    if (this.#fractionEnd - this.#digits <= MAX_INTEGER_DIGITS) {
      let mantissa = 0;
      for (let position = this.#digits; position < this.#fractionEnd; position++) {
        if (position !== this.#integerEnd) mantissa = mantissa * 10 + (bytes[position] ?? 0) - DIGIT_0;
      }
      const scale = this.#exponent() - fractionDigits;
      if (mantissa <= MAX_EXACT && Math.abs(scale) < EXACT_POWERS.length) {
        const power = EXACT_POWERS[Math.abs(scale)] ?? 1;
        const value = scale < 0 ? mantissa / power : mantissa * power;
        return this.isNegative ? -value : value;
      }
    }
    return Number(toAsciiText(bytes, this.#start, this.#end));
  }

  #exponent(): number {
    if (this.#end === this.#fractionEnd) return 0;
    return Number(toAsciiText(this.#bytes, this.#fractionEnd + 1, this.#end));
  }

  /** Turns digits into `low` and `high`; false above 64 bits. */
  #accumulate(bytes: Uint8Array, start: number, end: number): boolean {
    let upper = 0;
    let lower = 0;
    let position = start;
    for (const split = end - LOW_DIGITS; position < split; position++)
      upper = upper * 10 + (bytes[position] ?? 0) - DIGIT_0;
    for (; position < end; position++) lower = lower * 10 + (bytes[position] ?? 0) - DIGIT_0;
    if (upper === 0) {
      this.low = lower;
      this.high = 0;
      return true;
    }
    const middle = Math.floor(upper / TWO_16) * LOW_FACTOR;
    const bottom = (upper % TWO_16) * LOW_FACTOR + lower + (middle % TWO_16) * TWO_16;
    const high = Math.floor(middle / TWO_16) + Math.floor(bottom / TWO_32);
    if (high >= TWO_32) return false;
    this.low = bottom % TWO_32;
    this.high = high;
    return true;
  }

  /** Writes a number with point or exponent out as plain digits; null if it has a fraction or too many of them. */
  #toIntegerDigits(): Uint8Array | null {
    const bytes = this.#bytes;
    const fractionEnd = this.#fractionEnd;
    let first = this.#digits;
    while (first < fractionEnd && !isSignificant(bytes[first])) first += 1;
    if (first === fractionEnd) return Uint8Array.of(DIGIT_0);
    let last = fractionEnd - 1;
    while (!isSignificant(bytes[last])) last -= 1;
    const scale = this.#exponent() + (last < this.#integerEnd ? this.#integerEnd - 1 - last : this.#integerEnd - last);
    const hasPoint = first < this.#integerEnd && last > this.#integerEnd;
    const digitCount = last - first + (hasPoint ? 0 : 1);
    if (scale < 0 || digitCount + scale > MAX_INTEGER_DIGITS) return null;
    const digits = new Uint8Array(digitCount + scale).fill(DIGIT_0);
    let length = 0;
    for (let position = first; position <= last; position++) {
      if (position !== this.#integerEnd) digits[length++] = bytes[position] ?? 0;
    }
    return digits;
  }
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

function toAsciiText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 64) return new TextDecoder().decode(bytes.subarray(start, end));
  let text = "";
  for (let position = start; position < end; position++) text += String.fromCharCode(bytes[position] ?? 0);
  return text;
}
