/**
 * Makes the members of fresh objects. Compaction compresses them again, densely, so speed comes first here: level 1 of
 * both, measured in docs/decisions/0006-zstd.md.
 */
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { joinBytes } from "../bytes.ts";
import { KIB } from "../units.ts";
import { literalGzip, literalZstd } from "./literal.ts";
import { isAtFrameEnd, openZstdWalk, parseZstdHeader, walkZstdBlocks } from "./zstd-frame.ts";

/** Compression of an object; all its members have the same. */
export type Compression = "gzip" | "zstd" | "none";

const GZIP_OPTIONS = { level: 1 } as const;
const ZSTD_OPTIONS = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
} as const;

/**
 * `zstdCompressSync` of workerd 1.20261023 fails when it makes more than 40,960 bytes, so that a long body becomes
 * several frames, each from a piece that should make 32 KiB. Engines of `createZstdCompress` have no such limit, but
 * hold their memory, 0.1 to 1 MB each and unknown to the garbage collector, until they happen to be collected.
 */
const ZSTD_FRAME_BYTES: number = 32 * KIB;
const ZSTD_FIRST_PIECE_BYTES: number = 128 * KIB;
/** Makes less than 40,960 bytes whatever it holds. */
const ZSTD_PIECE_MIN_BYTES: number = 32 * KIB;
/** The window of level 1: longer pieces compress no better. */
const ZSTD_PIECE_MAX_BYTES: number = 512 * KIB;

/**
 * Makes a member: one gzip member, one or more zstd frames with checksums, or the bytes themselves. It holds no trace
 * of where and when it was made.
 * @param raw of any length but 0: an empty member is legal, but is never kept in an object.
 */
export function compressMember(raw: Uint8Array, compression: Compression): Uint8Array {
  return COMPRESS[compression](raw);
}

/** Makes a member in which the bytes stand as they are: always the same for the same bytes, whatever the runtime. */
export function literalMember(raw: Uint8Array, compression: Compression): Uint8Array {
  return LITERAL[compression](raw);
}

type MakeMember = (raw: Uint8Array) => Uint8Array;
const passBytes: MakeMember = (raw) => raw;
const COMPRESS: Readonly<Record<Compression, MakeMember>> = {
  gzip: (raw) => toPlain(gzipSync(raw, GZIP_OPTIONS)),
  zstd: compressZstd,
  none: passBytes,
};
const LITERAL: Readonly<Record<Compression, MakeMember>> = { gzip: literalGzip, zstd: literalZstd, none: passBytes };

/** Each piece is as long as the ratio of the one before it lets it be; one that does not fit is halved. */
function compressZstd(raw: Uint8Array): Uint8Array {
  const frames: Uint8Array[] = [];
  let pieceBytes = ZSTD_FIRST_PIECE_BYTES;
  for (let at = 0; at < raw.length || frames.length === 0;) {
    const piece = raw.subarray(at, at + pieceBytes);
    const frame = compressFrame(piece);
    if (frame === null && piece.length > ZSTD_PIECE_MIN_BYTES) {
      pieceBytes = Math.max(piece.length >> 1, ZSTD_PIECE_MIN_BYTES);
      continue;
    }
    frames.push(frame ?? literalZstd(piece));
    at += piece.length;
    const wanted = frame === null ? 0 : Math.floor((piece.length * ZSTD_FRAME_BYTES) / frame.length);
    pieceBytes = Math.min(Math.max(wanted, ZSTD_PIECE_MIN_BYTES), ZSTD_PIECE_MAX_BYTES);
  }
  const [only] = frames;
  return only !== undefined && frames.length === 1 ? only : joinBytes(frames);
}

/** @returns exactly one whole frame of all the bytes, or `null` when the runtime could not make it */
function compressFrame(raw: Uint8Array): Uint8Array | null {
  let made: Uint8Array;
  try {
    made = toPlain(zstdCompressSync(raw, ZSTD_OPTIONS));
  } catch (error) {
    if (error instanceof Error && error.message === "Unexpected end of file") return null;
    throw error;
  }
  const header = parseZstdHeader(made, 0);
  if (header.kind !== "frame" || header.contentBytes !== raw.length) return null;
  const walk = openZstdWalk(header);
  const end = walkZstdBlocks(walk, made, 0);
  // Output that fills the runtime's buffer to the last byte is followed by an empty frame.
  return isAtFrameEnd(walk) ? made.slice(0, end) : null;
}

/** A Buffer's `slice` does not copy; callers get a plain array. */
function toPlain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
