/** Hex between bytes, without a detour through text: reads any case, writes lower case as pdata does. */
import type { ByteWriter } from "../byte-writer.ts";

const DIGITS: Uint8Array = new TextEncoder().encode("0123456789abcdef");
/** Four times the same byte. */
const ONES = 0x0101_0101;
const SIXES = 0x0606_0606;
const ZEROS = 0x3030_3030;
/** Between the digit after 9 and `a`. */
const LETTER_GAP = 39;
/** Byte → its two digits as a little-endian pair. */
export const HEX_PAIRS: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  return (DIGITS[byte >> 4] ?? 0) | ((DIGITS[byte & 15] ?? 0) << 8);
});
/** Value of an ASCII hex digit; anything else sets a bit above the four. */
const VALUES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = DIGITS.indexOf(byte >= 0x41 && byte <= 0x46 ? byte + 0x20 : byte);
  return value < 0 ? 0xff : value;
});

/** Value of one hex digit, 0xff for any other byte. */
export function hexDigit(byte: number): number {
  return VALUES[byte] ?? 0xff;
}

/**
 * Appends the bytes of pairs of hex digits.
 * @returns false if some character is none; what was appended then is to be dropped
 */
export function decodeHex(text: Uint8Array, start: number, end: number, output: ByteWriter): boolean {
  output.reserve((end - start) / 2);
  const { bytes } = output;
  let { length } = output;
  let union = 0;
  for (let position = start; position < end; position += 2) {
    const upper = VALUES[text[position] ?? 0] ?? 0xff;
    const lower = VALUES[text[position + 1] ?? 0] ?? 0xff;
    union |= upper | lower;
    bytes[length++] = (upper << 4) | lower;
  }
  output.length = length;
  return union < 16;
}

/**
 * Appends the hex of `source[start, end)`.
 * @returns whether a byte was not zero
 */
export function encodeHex(source: DataView, start: number, end: number, output: ByteWriter): boolean {
  output.reserve((end - start) * 2);
  const { view } = output;
  // `| 0` keeps V8 from holding them as objects that may be any number: it would unpack them in every round.
  let at = output.length | 0;
  let position = start | 0;
  let union = 0;
  for (const lastWord = ((end | 0) - 4) | 0; position <= lastWord; position = (position + 4) | 0) {
    const word = source.getInt32(position, true);
    union |= word;
    view.setInt32(at, toFourDigits(word), true);
    view.setInt32(at + 4, toFourDigits(word >>> 16), true);
    at = (at + 8) | 0;
  }
  for (; position < end; position++) {
    const byte = source.getUint8(position);
    union |= byte;
    view.setUint16(at, HEX_PAIRS[byte] ?? 0, true);
    at += 2;
  }
  output.length = at;
  return union !== 0;
}

/** Puts the 16 digits of eight bytes. @returns position behind them */
export function putHex(view: DataView, position: number, source: DataView, start: number): number {
  const first = source.getInt32(start, true);
  const second = source.getInt32(start + 4, true);
  view.setInt32(position, toFourDigits(first), true);
  view.setInt32(position + 4, toFourDigits(first >>> 16), true);
  view.setInt32(position + 8, toFourDigits(second), true);
  view.setInt32(position + 12, toFourDigits(second >>> 16), true);
  return position + 16;
}

/** Four digits of the lower two bytes, as a little-endian word: all at once, which takes less than to look them up. */
function toFourDigits(word: number): number {
  const values = ((word & 0xf0) >>> 4) | ((word & 0x0f) << 8) | ((word & 0xf000) << 4) | ((word & 0x0f00) << 16);
  const letters = ((values + SIXES) >>> 4) & ONES;
  return (values + ZEROS + Math.imul(letters, LETTER_GAP)) | 0;
}
