/**
 * Members in which the bytes stand as they are: gzip with stored blocks (RFC 1951 section 3.2.4), zstd with raw blocks
 * (RFC 8878 section 3.1.1.2.2). Meant for tiny texts: what compression would gain is less than a member's own bytes.
 */
import { crc32 } from "node:zlib";
import { joinBytes } from "../bytes.ts";
import { KIB } from "../units.ts";

/** Magic, method, no flags, no time, no extra flags, unknown system. */
const GZIP_HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
const STORED_BLOCK_MAX_BYTES = 65_535;
const ZSTD_MAGIC: Uint8Array = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const RAW_BLOCK_MAX_BYTES: number = 128 * KIB;

/** Makes one gzip member. */
export function literalGzip(raw: Uint8Array): Uint8Array {
  const blocks = cutBlocks(raw, STORED_BLOCK_MAX_BYTES).flatMap(({ bytes, isLast }) => {
    const length = bytes.length;
    return [writeUint(isLast ? 1 : 0, 1), writeUint(length, 2), writeUint(length ^ 0xffff, 2), bytes];
  });
  return joinBytes([GZIP_HEADER, ...blocks, writeUint(crc32(raw), 4), writeUint(raw.length % 2 ** 32, 4)]);
}

/** Makes one zstd frame: a single segment with its content size and without a checksum. */
export function literalZstd(raw: Uint8Array): Uint8Array {
  const blocks = cutBlocks(raw, RAW_BLOCK_MAX_BYTES).flatMap(({ bytes, isLast }) => [
    writeUint(bytes.length * 8 + (isLast ? 1 : 0), 3),
    bytes,
  ]);
  return joinBytes([ZSTD_MAGIC, ...writeContentSize(raw.length), ...blocks]);
}

/** Descriptor and content size; two bytes count from 256 on. */
function writeContentSize(length: number): readonly Uint8Array[] {
  if (length < 256) return [Uint8Array.of(0x20), writeUint(length, 1)];
  if (length < 65_536 + 256) return [Uint8Array.of(0x60), writeUint(length - 256, 2)];
  return [Uint8Array.of(0xa0), writeUint(length, 4)];
}

interface LiteralBlock {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** At least one block, which may be empty. */
function cutBlocks(raw: Uint8Array, maxBytes: number): readonly LiteralBlock[] {
  const count = Math.max(1, Math.ceil(raw.length / maxBytes));
  return Array.from({ length: count }, (_, index) => ({
    bytes: raw.subarray(index * maxBytes, (index + 1) * maxBytes),
    isLast: index === count - 1,
  }));
}

/** Little-endian. */
function writeUint(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
}
