/**
 * The shape of a zstd frame, RFC 8878 section 3.1, without the meaning of its blocks:
 *
 * | bytes         | what                                                                          |
 * |---------------|-------------------------------------------------------------------------------|
 * | 4             | magic `28 b5 2f fd`                                                           |
 * | 1             | descriptor, see below                                                         |
 * | 0, 1          | window descriptor; none in a single segment, whose window is the content      |
 * | 0, 1, 2, 4    | dictionary id                                                                 |
 * | 0, 1, 2, 4, 8 | content size                                                                  |
 * | 3 + …         | a block: bit 0 last, 2-1 type (0 raw, 1 one byte repeated, 2 compressed), 23-3 size |
 * | …             | more blocks up to the last                                                    |
 * | 0, 4          | checksum of the content                                                       |
 *
 * Descriptor, bits: 7-6 content size, 5 single segment, 4 unused, 3 reserved, 2 checksum, 1-0 dictionary id.
 * A skippable frame has the magic `5? 2a 4d 18` and a length of 4 bytes. Little-endian throughout. Firn walks frames
 * itself because `node:zlib` inflates only the first of several, without an error.
 */
import { KIB } from "../units.ts";

/** Header of a frame that holds content. */
export interface ZstdFrameHeader {
  readonly kind: "frame";
  /** Length of the header; the first block follows. */
  readonly headerBytes: number;
  /** What a decoder has to look back at most; bytes. In a single segment it is the content size. */
  readonly windowBytes: number;
  readonly isSingleSegment: boolean;
  /** Length of the content as declared; not to be trusted. Above 2⁵³ it is rounded. */
  readonly contentBytes: number | null;
  readonly hasChecksum: boolean;
  /** 0 means none, as `null` does. */
  readonly dictionaryId: number | null;
}

/** What {@link parseZstdHeader} found. */
export type ZstdHeader =
  | ZstdFrameHeader
  /** The whole of it, header included, has `frameBytes`: perhaps more than there are. */
  | { readonly kind: "skippable"; readonly frameBytes: number }
  /** The bytes end inside of what may still become a header. */
  | { readonly kind: "short" }
  | { readonly kind: "bad"; readonly found: string };

/** Longest header: magic, descriptor, window, dictionary id, content size. */
export const ZSTD_HEADER_MAX_BYTES = 18;

const MAGIC_BYTES = 4;
const BLOCK_MAX_BYTES: number = 128 * KIB;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const SKIPPABLE_HEADER_BYTES = 8;
const FLAG_SINGLE_SEGMENT = 0x20;
const FLAG_RESERVED = 0x08;
const FLAG_CHECKSUM = 0x04;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/** Parses the header that begins at `start`. */
export function parseZstdHeader(bytes: Uint8Array, start: number): ZstdHeader {
  const isSkippable = ((bytes[start] ?? 0) & 0xf0) === 0x50;
  const magic = isSkippable ? [bytes[start], 0x2a, 0x4d, 0x18] : [0x28, 0xb5, 0x2f, 0xfd];
  for (const [index, expected] of magic.entries()) {
    const found = bytes[start + index];
    if (found === undefined) return { kind: "short" };
    if (found !== expected) return { kind: "bad", found: "no zstd magic" };
  }
  if (!isSkippable) return parseFrameHeader(bytes, start);
  if (start + SKIPPABLE_HEADER_BYTES > bytes.length) return { kind: "short" };
  return { kind: "skippable", frameBytes: SKIPPABLE_HEADER_BYTES + readUint(bytes, start + MAGIC_BYTES, 4) };
}

function parseFrameHeader(bytes: Uint8Array, start: number): ZstdHeader {
  const descriptorAt = start + MAGIC_BYTES;
  const descriptor = bytes[descriptorAt];
  if (descriptor === undefined) return { kind: "short" };
  if ((descriptor & FLAG_RESERVED) !== 0) return { kind: "bad", found: "a reserved bit in a zstd frame header" };
  const isSingleSegment = (descriptor & FLAG_SINGLE_SEGMENT) !== 0;
  const windowAt = descriptorAt + 1;
  const dictionaryIdAt = windowAt + (isSingleSegment ? 0 : 1);
  const dictionaryIdBytes = DICTIONARY_ID_BYTES[descriptor & 3] ?? 0;
  const contentSizeAt = dictionaryIdAt + dictionaryIdBytes;
  const contentSizeFlag = descriptor >> 6;
  const contentSizeBytes = isSingleSegment && contentSizeFlag === 0 ? 1 : (CONTENT_SIZE_BYTES[contentSizeFlag] ?? 0);
  const end = contentSizeAt + contentSizeBytes;
  if (end > bytes.length) return { kind: "short" };
  // A size of two bytes counts from 256 on, since a smaller one fits in one byte.
  const contentSize = readUint(bytes, contentSizeAt, contentSizeBytes) + (contentSizeBytes === 2 ? 256 : 0);
  return {
    kind: "frame",
    headerBytes: end - start,
    windowBytes: isSingleSegment ? contentSize : toWindowBytes(bytes[windowAt] ?? 0),
    isSingleSegment,
    contentBytes: contentSizeBytes === 0 ? null : contentSize,
    hasChecksum: (descriptor & FLAG_CHECKSUM) !== 0,
    dictionaryId: dictionaryIdBytes === 0 ? null : readUint(bytes, dictionaryIdAt, dictionaryIdBytes),
  };
}

/** Five bits of exponent and three of mantissa: 1 KiB to 3.75 TiB. */
function toWindowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** A walk over one frame to its end; may go on in other bytes than those where it began. */
export interface ZstdWalk {
  readonly blockMaxBytes: number;
  readonly hasChecksum: boolean;
  /** The walk stops at the block with which the frame inflates to more than this. */
  readonly limit: number;
  /** Bytes up to the next block header, or up to the frame's end when `isLast`. Begins with those of the header. */
  left: number;
  isLast: boolean;
  /** What the blocks seen so far inflate to at least and at most; bytes. */
  minBytes: number;
  maxBytes: number;
  /** What is wrong with the block at which the walk stopped. */
  fault: string | null;
}

/** Begins at a frame's first byte. @param limit what the frame may inflate to, in bytes */
export function openZstdWalk(header: ZstdFrameHeader, limit: number = Infinity): ZstdWalk {
  return {
    blockMaxBytes: Math.min(header.windowBytes, BLOCK_MAX_BYTES),
    hasChecksum: header.hasChecksum,
    limit,
    left: header.headerBytes,
    isLast: false,
    minBytes: 0,
    maxBytes: 0,
    fault: null,
  };
}

/** Whether the walk has reached the frame's end. */
export function isAtFrameEnd(walk: ZstdWalk): boolean {
  return walk.isLast && walk.left === 0;
}

/**
 * Walks on.
 * @param start where the walk stands in these bytes.
 * @returns where it stopped: at the frame's end, at a fault, above the limit, at the end of the bytes, or at a block
 *   header that they do not hold whole.
 */
export function walkZstdBlocks(walk: ZstdWalk, bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const step = Math.min(walk.left, bytes.length - at);
    walk.left -= step;
    at += step;
    if (walk.left > 0 || walk.isLast || at + BLOCK_HEADER_BYTES > bytes.length) return at;
    if (!enterBlock(walk, readUint(bytes, at, BLOCK_HEADER_BYTES))) return at;
  }
}

/** @returns whether the walk may go on */
function enterBlock(walk: ZstdWalk, header: number): boolean {
  const type = (header >> 1) & 3;
  const size = header >> 3;
  if (type === 3) walk.fault = "a reserved block type in a zstd frame";
  else if (size > walk.blockMaxBytes) walk.fault = "a block above the maximum of its zstd frame";
  if (walk.fault !== null) return false;
  const isCompressed = type === 2;
  walk.minBytes += isCompressed ? 0 : size;
  if (walk.minBytes > walk.limit) return false;
  walk.maxBytes += isCompressed ? walk.blockMaxBytes : size;
  walk.isLast = (header & 1) === 1;
  walk.left = BLOCK_HEADER_BYTES + (type === 1 ? 1 : size) + (walk.isLast && walk.hasChecksum ? CHECKSUM_BYTES : 0);
  return true;
}

function readUint(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
