/**
 * Reads the gzip members of an object, in pieces. Members are walked here: the frame is parsed, the deflate stream goes
 * through zlib's raw inflate. Neither of the platform's own ways would do: `DecompressionStream` refuses several
 * members, and `gunzip` drops, without an error, what follows a zero byte between them.
 */
import { crc32, createInflateRaw } from "node:zlib";
import type { FirnError } from "../errors.ts";
import { KIB } from "../units.ts";
import { cutPieces, type ByteWindow } from "./byte-source.ts";
import { toCorruptObject } from "./corrupt-object.ts";
import { inflateDeflate } from "./deflate.ts";
import { findTrailerFault, GZIP_HEADER_MAX_BYTES, GZIP_TRAILER_BYTES, parseGzipHeader } from "./gzip-format.ts";
import { ENGINE_OPTIONS, runEngine, type WritePiece } from "./inflate-engine.ts";
import { isEngineError } from "./zlib-error.ts";

/**
 * A member that inflates to so little, out of so little, is inflated in one call: an engine of its own costs 0.1 ms,
 * five times the work on a member of 10 KB.
 */
const SMALL_OUTPUT_BYTES = 256 * KIB;
const SMALL_INPUT_BYTES = 64 * KIB;
const SMALL_PIECE_BYTES = 32 * KIB;

/**
 * Inflates members up to the end of the window's source.
 * @returns pieces of at most `STREAM_PIECE_BYTES`; a member's CRC and length are known to match when its pieces end.
 * @throws FirnError `corrupt_object`
 */
export async function* inflateGzipMembers(input: ByteWindow): AsyncGenerator<Uint8Array, void, undefined> {
  let isSmallLikely = true;
  while (await input.fill(1)) {
    await readGzipHeader(input);
    const small = isSmallLikely ? await inflateSmall(input) : null;
    let length = 0;
    for await (const piece of small === null ? inflateGzipMember(input) : cutPieces(small)) {
      length += piece.length;
      yield piece;
    }
    isSmallLikely = length <= SMALL_OUTPUT_BYTES;
  }
}

/** Consumes the header at the front of the window and gives its bytes. */
export async function readGzipHeader(input: ByteWindow): Promise<Uint8Array> {
  for (;;) {
    const header = parseGzipHeader(input.view(), 0);
    if (header.kind === "header") {
      const bytes = input.view().subarray(0, header.end);
      input.consume(header.end);
      return bytes;
    }
    if (header.kind === "bad") throw corrupt(header.found);
    if (input.view().length > GZIP_HEADER_MAX_BYTES)
      throw corrupt(`a gzip header above ${GZIP_HEADER_MAX_BYTES} bytes`);
    const available = input.view().length;
    await input.fill(2 * available);
    if (input.view().length === available) throw corrupt("a truncated gzip header");
  }
}

/** Inflates the member at the front of the window at once and consumes it; `null` when it is not small. */
async function inflateSmall(input: ByteWindow): Promise<Uint8Array | null> {
  await input.fill(SMALL_INPUT_BYTES);
  const outcome = inflateDeflate(input.view(), { limit: SMALL_OUTPUT_BYTES, pieceBytes: SMALL_PIECE_BYTES });
  if (outcome.kind === "broken") throw corrupt("a broken deflate stream", outcome.cause);
  if (outcome.kind !== "inflated") return null;
  input.consume(outcome.consumed);
  await readGzipTrailer(input, { crc: crc32(outcome.output), length: outcome.output.length });
  return outcome.output;
}

/** Yields the bytes of the member at the front of the window, whose header is consumed, and consumes the rest of it. */
export async function* inflateGzipMember(input: ByteWindow): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = createInflateRaw(ENGINE_OPTIONS);
  const feed = async (write: WritePiece): Promise<void> => {
    while (await input.fill(1)) {
      const offered = input.view();
      const taken = await write(offered);
      input.consume(taken);
      // What was left over follows the deflate stream.
      if (taken < offered.length) return;
    }
    engine.end();
  };
  let crc = 0;
  let length = 0;
  try {
    for await (const piece of runEngine(engine, input, feed)) {
      crc = crc32(piece, crc);
      length += piece.length;
      yield piece;
    }
  } catch (error) {
    throw isEngineError(error) ? corrupt("a broken or truncated deflate stream", error) : error;
  }
  await readGzipTrailer(input, { crc, length });
}

/** Consumes the trailer of a member. */
export async function readGzipTrailer(
  input: ByteWindow,
  inflated: { readonly crc: number; readonly length: number },
): Promise<void> {
  if (!(await input.fill(GZIP_TRAILER_BYTES))) throw corrupt("a truncated gzip trailer");
  const fault = findTrailerFault(input.view(), 0, inflated);
  if (fault !== null) throw corrupt(fault);
  input.consume(GZIP_TRAILER_BYTES);
}

function corrupt(found: string, cause?: unknown): FirnError {
  return toCorruptObject(found, "gzip members", cause);
}
