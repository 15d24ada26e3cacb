/**
 * Makes and reads gzip members of hour objects, without entries: a plain header, one deflate stream, a trailer. Engines
 * are used again, as for zstd; without them the plain calls do the same.
 */
import { constants, crc32, deflateRawSync } from "node:zlib";
import { joinBytes } from "../bytes.ts";
import type { FirnError } from "../errors.ts";
import { MIB } from "../units.ts";
import { toCorruptObject } from "./corrupt-object.ts";
import { inflateDeflate } from "./deflate.ts";
import { deflatersOf, MEMBER_INFLATERS } from "./deflate-engines.ts";
import { findTrailerFault, GZIP_TRAILER_BYTES, parseGzipHeader } from "./gzip-format.ts";
import { holdOutput, type HeldContent, type SyncEngine } from "./sync-engine.ts";

/** Magic, method, no flags, no time, no extra flags, unknown system. */
export const PLAIN_GZIP_HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** A search takes as long as it takes: what comes out is kept for years. */
const BEST_LEVEL = 9;
const OUTPUT_PIECE_BYTES = MIB;

/** Compresses bytes of any length but 0. @param level 1 to 9; `null` for the one that is best for archives */
export function compressDenseGzip(raw: Uint8Array, level: number | null): Uint8Array {
  const pool = deflatersOf(level ?? BEST_LEVEL);
  const engine = pool.take();
  const made = engine === null ? null : deflate(engine, raw);
  const stream = made ?? deflateRawSync(raw, { level: level ?? BEST_LEVEL, chunkSize: OUTPUT_PIECE_BYTES });
  const trailer = [writeUint32(crc32(raw)), writeUint32(raw.length)];
  const member = joinBytes([PLAIN_GZIP_HEADER, stream, ...trailer]);
  if (engine !== null) pool.give(engine);
  return member;
}

/**
 * Inflates a whole member in memory that is used again.
 * @param use takes what it holds, which is right only while it runs
 * @throws FirnError `corrupt_object` when it is not exactly one member
 */
export function useGzipContent<Result>(
  member: Uint8Array,
  rawBytes: number,
  use: (content: Uint8Array) => Result,
): Result {
  const header = parseGzipHeader(member, 0);
  if (header.kind !== "header") throw corrupt("no gzip header");
  const stream = member.subarray(header.end);
  const engine = MEMBER_INFLATERS.take();
  const inflated = (engine === null ? null : inflate(engine, stream)) ?? inflateAlone(stream, rawBytes);
  const { content, consumed } = inflated;
  if (consumed + GZIP_TRAILER_BYTES !== stream.length) throw corrupt("no end behind the deflate stream");
  const fault = findTrailerFault(stream, consumed, { crc: crc32(content), length: content.length });
  if (fault !== null) throw corrupt(fault);
  const result = use(content);
  if (engine !== null) MEMBER_INFLATERS.give(engine);
  return result;
}

/** Inflates a whole member in memory that is the caller's until it is released; `null` if it cannot be done so. */
export function holdGzipContent(member: Uint8Array): HeldContent | null {
  const header = parseGzipHeader(member, 0);
  const engine = header.kind === "header" ? MEMBER_INFLATERS.take() : null;
  if (header.kind !== "header" || engine === null) return null;
  const stream = member.subarray(header.end);
  const inflated = inflate(engine, stream);
  if (inflated === null) return null;
  const { content, consumed } = inflated;
  const held = holdOutput(content, engine, MEMBER_INFLATERS);
  const trailer = { crc: crc32(content), length: content.length };
  const isWhole = consumed + GZIP_TRAILER_BYTES === stream.length;
  if (isWhole && findTrailerFault(stream, consumed, trailer) === null) return held;
  held.release();
  return null;
}

interface Inflated {
  readonly content: Uint8Array;
  /** Bytes of the deflate stream. */
  readonly consumed: number;
}

function deflate(engine: SyncEngine, raw: Uint8Array): Uint8Array | null {
  try {
    engine.reset();
    return engine.run(raw, constants.Z_FINISH);
  } catch {
    return null;
  }
}

function inflate(engine: SyncEngine, stream: Uint8Array): Inflated | null {
  try {
    engine.reset();
    const content = engine.run(stream, constants.Z_SYNC_FLUSH);
    return { content, consumed: engine.consumedBytes };
  } catch {
    return null;
  }
}

function inflateAlone(stream: Uint8Array, rawBytes: number): Inflated {
  const outcome = inflateDeflate(stream, { limit: rawBytes, pieceBytes: OUTPUT_PIECE_BYTES });
  if (outcome.kind !== "inflated") throw corrupt("a broken deflate stream");
  return { content: outcome.output, consumed: outcome.consumed };
}

/** Little-endian, modulo 2^32. */
function writeUint32(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

function corrupt(found: string): FirnError {
  return toCorruptObject(found, "one gzip member");
}
