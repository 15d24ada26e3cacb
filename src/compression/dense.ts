/**
 * The members of hour objects: compressed densely, and each with an entry before it that says what it holds, where
 * foreign readers pass over it. What an entry says is `archive/member-table.ts`'s.
 *
 * | compression | a member is                                                                               |
 * |-------------|-------------------------------------------------------------------------------------------|
 * | zstd        | `5d 2a 4d 18`, 4 bytes of length, entry (a skippable frame); frames with content          |
 * | gzip        | `1f 8b 08 04`, six bytes, 2 bytes of length of all subfields, subfield `FN` (its id, 2 bytes |
 * |             | of length, entry); deflate stream; CRC-32; length of the content                            |
 *
 * Numbers are little-endian. RFC 8878 section 3.1.2, RFC 1952 section 2.3.1.1.
 */
import { joinBytes } from "../bytes.ts";
import type { FirnError } from "../errors.ts";
import { toCorruptObject } from "./corrupt-object.ts";
import { compressDenseGzip, holdGzipContent, PLAIN_GZIP_HEADER, useGzipContent } from "./dense-gzip.ts";
import {
  compressDenseZstd,
  DENSE_FRAME_MAX_BYTES,
  holdZstdContent,
  useZstdContent,
  type DenseEffort,
} from "./dense-zstd.ts";
import { parseGzipHeader } from "./gzip-format.ts";
import type { HeldContent } from "./sync-engine.ts";
import { inflateZstd } from "./zstd.ts";
import { isAtFrameEnd, openZstdWalk, parseZstdHeader, walkZstdBlocks } from "./zstd-frame.ts";

/** Compressions that hour objects may have. */
export type DenseCompression = "gzip" | "zstd";

/** How dense members are made. */
export interface DenseOptions extends DenseEffort {
  readonly compression: DenseCompression;
}

/** What stands before the compressed bytes of a member. */
export type MemberHeader =
  | {
      readonly kind: "entry";
      /** The entry, a view. */
      readonly entry: Uint8Array;
      /** Where the header ends: the first frame, or the deflate stream. */
      readonly end: number;
    }
  /** A member without entry begins here. */
  | { readonly kind: "none" }
  /** The bytes end inside of what may still become a header. */
  | { readonly kind: "short" }
  | { readonly kind: "bad"; readonly found: string };

const ENTRY_MAGIC: Uint8Array = Uint8Array.of(0x5d, 0x2a, 0x4d, 0x18);
const SKIPPABLE_HEADER_BYTES = 8;
const GZIP_FLAGS_AT = 3;
const GZIP_FLAG_EXTRA = 4;
const SUBFIELD_ID: Uint8Array = Uint8Array.of(0x46, 0x4e);
const SUBFIELD_HEADER_BYTES = 4;

/**
 * Compresses a member, as yet without its entry.
 * @param raw of any length but 0
 */
export function compressDense(raw: Uint8Array, options: DenseOptions): Uint8Array {
  return options.compression === "zstd" ? compressDenseZstd(raw, options) : compressDenseGzip(raw, options.level);
}

/**
 * Puts the entry before a member that {@link compressDense} made.
 * @param entry at most 65,531 bytes
 */
export function addMemberEntry(member: Uint8Array, compression: DenseCompression, entry: Uint8Array): Uint8Array {
  if (compression === "zstd") return joinBytes([ENTRY_MAGIC, writeUint(entry.length, 4), entry, member]);
  const header = Uint8Array.from(PLAIN_GZIP_HEADER);
  header[GZIP_FLAGS_AT] = GZIP_FLAG_EXTRA;
  const extraBytes = writeUint(SUBFIELD_HEADER_BYTES + entry.length, 2);
  const content = member.subarray(PLAIN_GZIP_HEADER.length);
  return joinBytes([header, extraBytes, SUBFIELD_ID, writeUint(entry.length, 2), entry, content]);
}

/** Reads what stands before a member that begins at `start`. */
export function readMemberHeader(bytes: Uint8Array, start: number, compression: DenseCompression): MemberHeader {
  return compression === "zstd" ? readZstdEntry(bytes, start) : readGzipEntry(bytes, start);
}

/**
 * Inflates a whole member, whose entry is passed over, in memory that is used again.
 * @param member exactly one, of `rawBytes` once inflated
 * @param use takes what it holds, which is right only while it runs
 * @returns what `use` returns
 * @throws FirnError `corrupt_object` when it is not exactly one member of so many bytes
 */
export function useDense<Result>(
  { member, compression, rawBytes }: DenseMember,
  use: (raw: Uint8Array) => Result,
): Result {
  if (compression === "gzip")
    return useGzipContent(member, rawBytes, (raw) => use(checkLength(raw, compression, rawBytes)));
  const useWhole = (raw: Uint8Array): { readonly value: Result } => ({
    value: use(checkLength(raw, compression, rawBytes)),
  });
  const frame = findOnlyFrame(member, rawBytes);
  const used = frame === null ? null : useZstdContent(frame, useWhole);
  return (used ?? useWhole(inflateFrames(member, rawBytes))).value;
}

/**
 * Inflates a whole member, whose entry is passed over, in memory that is used again.
 * @returns what it holds, until it is released; `null` where it has to be read in another way, or is no such member
 */
export function holdDense({ member, compression, rawBytes }: DenseMember): HeldContent | null {
  if (rawBytes > DENSE_FRAME_MAX_BYTES) return null;
  if (compression === "gzip") return checkHeld(holdGzipContent(member), rawBytes);
  const frame = findOnlyFrame(member, rawBytes);
  return frame === null ? null : checkHeld(holdZstdContent(frame), rawBytes);
}

function checkHeld(held: HeldContent | null, rawBytes: number): HeldContent | null {
  if (held === null || held.content.length === rawBytes) return held;
  held.release();
  return null;
}

/** A member that {@link compressDense} made, with or without an entry. */
export interface DenseMember {
  readonly member: Uint8Array;
  readonly compression: DenseCompression;
  readonly rawBytes: number;
}

function checkLength(raw: Uint8Array, compression: DenseCompression, rawBytes: number): Uint8Array {
  if (raw.length === rawBytes) return raw;
  throw corrupt(compression, `${raw.length} bytes instead of ${rawBytes}`);
}

/** Finds the frame of a member that has one, of so many bytes, behind skippable ones; `null` for any other member. */
function findOnlyFrame(member: Uint8Array, rawBytes: number): Uint8Array | null {
  let header = parseZstdHeader(member, 0);
  let at = 0;
  for (; header.kind === "skippable"; header = parseZstdHeader(member, at)) at += header.frameBytes;
  if (header.kind !== "frame" || header.contentBytes !== rawBytes || rawBytes > DENSE_FRAME_MAX_BYTES) return null;
  const walk = openZstdWalk(header);
  const end = walkZstdBlocks(walk, member, at);
  return end === member.length && isAtFrameEnd(walk) ? member.subarray(at) : null;
}

function readZstdEntry(bytes: Uint8Array, start: number): MemberHeader {
  const header = parseZstdHeader(bytes, start);
  if (header.kind === "short" || header.kind === "bad") return header;
  if (header.kind === "frame" || bytes[start] !== ENTRY_MAGIC[0]) return { kind: "none" };
  const end = start + header.frameBytes;
  if (end > bytes.length) return { kind: "short" };
  return { kind: "entry", entry: bytes.subarray(start + SKIPPABLE_HEADER_BYTES, end), end };
}

function readGzipEntry(bytes: Uint8Array, start: number): MemberHeader {
  const header = parseGzipHeader(bytes, start);
  if (header.kind !== "header") return header;
  if (!header.hasExtra) return { kind: "none" };
  const extraAt = start + PLAIN_GZIP_HEADER.length;
  const extraEnd = extraAt + 2 + readUint16(bytes, extraAt);
  for (let at = extraAt + 2; at + SUBFIELD_HEADER_BYTES <= extraEnd;) {
    const valueAt = at + SUBFIELD_HEADER_BYTES;
    const valueEnd = valueAt + readUint16(bytes, at + 2);
    if (valueEnd > extraEnd) return { kind: "bad", found: "a subfield that is longer than the extra field" };
    const isEntry = bytes[at] === SUBFIELD_ID[0] && bytes[at + 1] === SUBFIELD_ID[1];
    if (isEntry) return { kind: "entry", entry: bytes.subarray(valueAt, valueEnd), end: header.end };
    at = valueEnd;
  }
  return { kind: "none" };
}

function inflateFrames(member: Uint8Array, rawBytes: number): Uint8Array {
  const outputs: Uint8Array[] = [];
  let left = rawBytes;
  for (let at = 0; at < member.length;) {
    const header = parseZstdHeader(member, at);
    if (header.kind === "short" || header.kind === "bad") throw corrupt("zstd", "no zstd frame");
    if (header.kind === "skippable") {
      at += header.frameBytes;
      continue;
    }
    const walk = openZstdWalk(header);
    const end = walkZstdBlocks(walk, member, at);
    const outcome = isAtFrameEnd(walk) ? inflateZstd(member.subarray(at, end), left) : null;
    if (outcome?.kind !== "inflated") throw corrupt("zstd", "a broken zstd frame");
    outputs.push(outcome.output);
    left -= outcome.output.length;
    at = end;
  }
  const [only] = outputs;
  return only !== undefined && outputs.length === 1 ? only : joinBytes(outputs);
}

function corrupt(compression: DenseCompression, found: string): FirnError {
  return toCorruptObject(found, `one ${compression} member`);
}

/** Little-endian. */
function writeUint(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
}

function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}
