/** Base64 (RFC 4648) between bytes, without a detour through text. Encodes the standard alphabet, decodes both. */
import type { ByteWriter } from "./byte-writer.ts";

const ALPHABET: Uint8Array = new TextEncoder().encode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);
const PADDING = 0x3d;
const MINUS = 0x2d;
const UNDERSCORE = 0x5f;
const INVALID = 0xff;
/** Character → six bits. */
const SEXTETS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === MINUS) return 62;
  if (byte === UNDERSCORE) return 63;
  const sextet = ALPHABET.indexOf(byte);
  return sextet < 0 ? INVALID : sextet;
});

/**
 * Says where the characters end that carry bits: padding may be absent, but if it is there it is complete.
 *
 * @returns position before the padding, or -1 if the text is not base64
 */
export function findBase64End(text: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start && end - last < 2 && text[last - 1] === PADDING) last -= 1;
  if ((last - start) % 4 === 1) return -1;
  if (last < end && (end - start) % 4 !== 0) return -1;
  for (let position = start; position < last; position++) {
    if (SEXTETS[text[position] ?? 0] === INVALID) return -1;
  }
  return last;
}

/** Number of bytes that so many characters without padding stand for. */
export function base64Bytes(characters: number): number {
  return Math.floor((characters * 3) / 4);
}

/** Appends the bytes of a text that {@link findBase64End} found good. @param end as it was returned */
export function decodeBase64(text: Uint8Array, start: number, end: number, output: ByteWriter): void {
  output.reserve(base64Bytes(end - start));
  let bits = 0;
  let bitCount = 0;
  for (let position = start; position < end; position++) {
    bits = ((bits << 6) | (SEXTETS[text[position] ?? 0] ?? 0)) & 0xffff;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    output.bytes[output.length++] = bits >> bitCount;
  }
}

/** Appends the base64 of `source[start, end)`, with padding. */
export function encodeBase64(source: Uint8Array, start: number, end: number, output: ByteWriter): void {
  output.reserve(Math.ceil((end - start) / 3) * 4);
  const { bytes } = output;
  let { length } = output;
  for (let position = start; position < end; position += 3) {
    const group = ((source[position] ?? 0) << 16) | ((source[position + 1] ?? 0) << 8) | (source[position + 2] ?? 0);
    const count = Math.min(3, end - position);
    const masked = count === 3 ? group : group & (count === 2 ? 0xffff00 : 0xff0000);
    bytes[length] = ALPHABET[masked >> 18] ?? 0;
    bytes[length + 1] = ALPHABET[(masked >> 12) & 63] ?? 0;
    bytes[length + 2] = count > 1 ? (ALPHABET[(masked >> 6) & 63] ?? 0) : PADDING;
    bytes[length + 3] = count > 2 ? (ALPHABET[masked & 63] ?? 0) : PADDING;
    length += 4;
  }
  output.length = length;
}
