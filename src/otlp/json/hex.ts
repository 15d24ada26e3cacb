/** Hex between bytes, without a detour through text: reads any case, writes lower case as pdata does. */
import type { ByteWriter } from "../byte-writer.ts";

const DIGITS: Uint8Array = new TextEncoder().encode("0123456789abcdef");
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
export function encodeHex(source: Uint8Array, start: number, end: number, output: ByteWriter): boolean {
  output.reserve((end - start) * 2);
  const { view } = output;
  let { length } = output;
  let union = 0;
  for (let position = start; position < end; position++) {
    const byte = source[position] ?? 0;
    union |= byte;
    view.setUint16(length, HEX_PAIRS[byte] ?? 0, true);
    length += 2;
  }
  output.length = length;
  return union !== 0;
}
