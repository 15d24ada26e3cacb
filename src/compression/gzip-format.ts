/**
 * The frame of a gzip member, RFC 1952 section 2.3, without the deflate stream in it:
 *
 * | bytes | what                                                                        |
 * |-------|-----------------------------------------------------------------------------|
 * | 2     | magic `1f 8b`                                                               |
 * | 1     | method, 8                                                                   |
 * | 1     | flags: 1 text, 2 header CRC, 4 extra, 8 name, 16 comment; the rest reserved |
 * | 6     | time, extra flags, operating system                                         |
 * | …     | extra (2 bytes of length), name and comment (each up to a zero), header CRC |
 * | …     | deflate stream                                                              |
 * | 4 + 4 | CRC-32 and length modulo 2³² of the inflated bytes                          |
 *
 * Little-endian throughout. Firn walks members itself because `gunzip` of zlib's Node binding drops what follows a
 * zero byte between members, silently (otlp-http 3.2).
 */
import { crc32 } from "node:zlib";
import { KIB } from "../units.ts";

/** What {@link parseGzipHeader} found. */
export type GzipHeader =
  /** A header that ends before `end`, where the deflate stream begins. */
  | { readonly kind: "header"; readonly end: number; readonly hasExtra: boolean }
  /** The bytes end inside of what may still become a header. */
  | { readonly kind: "short" }
  | { readonly kind: "bad"; readonly found: string };

/** Longest header with which a member is read from an object: 64 KiB of extra field, as much of name and comment. */
export const GZIP_HEADER_MAX_BYTES: number = 128 * KIB;
/** Bytes after the deflate stream. */
export const GZIP_TRAILER_BYTES = 8;

const FIXED_BYTES = 10;
const FLAG_HEADER_CRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;
const FLAGS_RESERVED = 0xe0;

/** Parses the header that begins at `start`. */
export function parseGzipHeader(bytes: Uint8Array, start: number): GzipHeader {
  const magic = [0x1f, 0x8b, 8];
  for (const [index, expected] of magic.entries()) {
    const found = bytes[start + index];
    if (found === undefined) return { kind: "short" };
    if (found !== expected) return { kind: "bad", found: index < 2 ? "no gzip magic" : "unknown compression method" };
  }
  const flags = bytes[start + 3];
  if (flags === undefined) return { kind: "short" };
  if ((flags & FLAGS_RESERVED) !== 0) return { kind: "bad", found: "reserved header flags" };
  const optionalEnd = skipOptionalFields(bytes, start + FIXED_BYTES, flags);
  if (optionalEnd === null) return { kind: "short" };
  const hasExtra = (flags & FLAG_EXTRA) !== 0;
  if ((flags & FLAG_HEADER_CRC) === 0) return { kind: "header", end: optionalEnd, hasExtra };
  if (optionalEnd + 2 > bytes.length) return { kind: "short" };
  const expected = crc32(bytes.subarray(start, optionalEnd)) & 0xffff;
  if (readUint16(bytes, optionalEnd) !== expected) return { kind: "bad", found: "a header CRC that does not match" };
  return { kind: "header", end: optionalEnd + 2, hasExtra };
}

/** Says what is wrong with a member's trailer at `start`, of which all bytes are there; `null` when it matches. */
export function findTrailerFault(
  bytes: Uint8Array,
  start: number,
  inflated: { readonly crc: number; readonly length: number },
): string | null {
  if (readUint32(bytes, start) !== inflated.crc >>> 0) return "a CRC-32 that does not match";
  if (readUint32(bytes, start + 4) !== inflated.length % 2 ** 32) return "a length that does not match";
  return null;
}

/** @returns where the fields end, `null` when the bytes end before. */
function skipOptionalFields(bytes: Uint8Array, start: number, flags: number): number | null {
  let at = start;
  if (at > bytes.length) return null;
  if ((flags & FLAG_EXTRA) !== 0) {
    if (at + 2 > bytes.length) return null;
    at += 2 + readUint16(bytes, at);
  }
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if ((flags & flag) === 0) continue;
    const zeroAt = at < bytes.length ? bytes.indexOf(0, at) : -1;
    if (zeroAt < 0) return null;
    at = zeroAt + 1;
  }
  return at > bytes.length ? null : at;
}

function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (readUint16(bytes, at) | (readUint16(bytes, at + 2) << 16)) >>> 0;
}
