/**
 * Reads the bytes of an object, inflated, in small pieces and at the pace of the consumer, whatever the object's size.
 *
 * Gzip members are walked one after another: the frame is parsed here, the deflate stream goes through zlib's raw
 * inflate. Neither of the platform's own ways would do: `DecompressionStream` refuses several members, and `gunzip`
 * drops, without an error, what follows a zero byte between them. Every member's CRC and length are checked, but only
 * after its bytes were given out: a consumer trusts them when the iteration has ended.
 */
import { crc32, createInflateRaw, type InflateRaw } from "node:zlib";
import { FirnError } from "../errors.ts";
import { STREAM_PIECE_BYTES } from "../limits.ts";
import { KIB } from "../units.ts";
import { openWindow, type ByteSource, type ByteWindow } from "./byte-source.ts";
import { inflateDeflate } from "./deflate.ts";
import { findTrailerFault, GZIP_TRAILER_BYTES, parseGzipHeader } from "./gzip-format.ts";

/** Longest header: 64 KiB of extra field and as much of name and comment. */
const HEADER_MAX_BYTES = 128 * KIB;
/**
 * A member that inflates to so little, out of so little, is inflated in one call: an engine of its own costs 0.1 ms,
 * five times the work on a member of 10 KB.
 */
const SMALL_OUTPUT_BYTES = 256 * KIB;
const SMALL_INPUT_BYTES = 64 * KIB;
const SMALL_PIECE_BYTES = 32 * KIB;

/**
 * Inflates the bytes of an object.
 * @param source is closed at the end, after a failure, and when the consumer stops.
 * @returns pieces of at most `STREAM_PIECE_BYTES`; what the source throws is thrown as it is.
 * @throws FirnError `corrupt_object` on truncation, a wrong CRC or length, and on anything that is not a member.
 */
export async function* inflateStream(
  source: ByteSource,
  compression: "gzip" | "none",
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = openWindow(source);
  try {
    if (compression === "none") yield* passPieces(input);
    else yield* inflateMembers(input);
  } finally {
    await input.close();
  }
}

async function* passPieces(input: ByteWindow): AsyncGenerator<Uint8Array, void, undefined> {
  while (await input.fill(1)) yield takePiece(input);
}

async function* inflateMembers(input: ByteWindow): AsyncGenerator<Uint8Array, void, undefined> {
  if (!(await input.fill(1))) throw corrupt("no bytes");
  let isSmallLikely = true;
  while (await input.fill(1)) {
    await readHeader(input);
    const small = isSmallLikely ? await inflateSmall(input) : null;
    let length = 0;
    for await (const piece of small === null ? inflateLarge(input) : cut(small)) {
      length += piece.length;
      yield piece;
    }
    isSmallLikely = length <= SMALL_OUTPUT_BYTES;
  }
}

/** Consumes the header at the front of the window. */
async function readHeader(input: ByteWindow): Promise<void> {
  for (;;) {
    const header = parseGzipHeader(input.view(), 0);
    if (header.kind === "header") {
      input.consume(header.end);
      return;
    }
    if (header.kind === "bad") throw corrupt(header.found);
    if (input.view().length > HEADER_MAX_BYTES) throw corrupt(`a gzip header above ${HEADER_MAX_BYTES} bytes`);
    if (!(await input.fill(input.view().length + 1))) throw corrupt("a truncated gzip header");
  }
}

/** Inflates the member at the front of the window at once and consumes it; `null` when it is not small. */
async function inflateSmall(input: ByteWindow): Promise<Uint8Array | null> {
  await input.fill(SMALL_INPUT_BYTES);
  const outcome = inflateDeflate(input.view(), { limit: SMALL_OUTPUT_BYTES, pieceBytes: SMALL_PIECE_BYTES });
  if (outcome.kind === "broken") throw corrupt("a broken deflate stream", outcome.cause);
  if (outcome.kind !== "inflated") return null;
  input.consume(outcome.consumed);
  await readTrailer(input, { crc: crc32(outcome.output), length: outcome.output.length });
  return outcome.output;
}

/** Yields the bytes of the member at the front of the window and consumes it. */
async function* inflateLarge(input: ByteWindow): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = createInflateRaw({ chunkSize: STREAM_PIECE_BYTES, readableHighWaterMark: 1 });
  const end = Promise.withResolvers<void>();
  const feeding = feed(engine, input, end.promise);
  let crc = 0;
  let length = 0;
  let isComplete = false;
  try {
    for await (const piece of engine) {
      crc = crc32(piece, crc);
      length += piece.length;
      yield piece;
    }
    isComplete = true;
  } catch (error) {
    throw isZlibError(error) ? corrupt("a broken or truncated deflate stream", error) : error;
  } finally {
    engine.destroy();
    end.resolve();
    if (!isComplete) await input.close();
    await feeding;
  }
  await readTrailer(input, { crc, length });
}

/** Consumes the trailer of a member. */
async function readTrailer(
  input: ByteWindow,
  inflated: { readonly crc: number; readonly length: number },
): Promise<void> {
  if (!(await input.fill(GZIP_TRAILER_BYTES))) throw corrupt("a truncated gzip trailer");
  const fault = findTrailerFault(input.view(), 0, inflated);
  if (fault !== null) throw corrupt(fault);
  input.consume(GZIP_TRAILER_BYTES);
}

/**
 * Writes input until the deflate stream has ended, at the pace at which the output is read. Never rejects: a failure of
 * the source destroys the engine with it, and so reaches the reader of the output.
 * @param ended resolves when the output has ended or nobody reads it any more: a write may then stay unanswered, but
 *   the engine has counted what it consumed.
 */
async function feed(engine: InflateRaw, input: ByteWindow, ended: Promise<void>): Promise<void> {
  try {
    for (;;) {
      if (!(await input.fill(1))) {
        engine.end();
        return;
      }
      const offered = input.view();
      const before = engine.bytesWritten;
      const written = new Promise<void>((resolve) => {
        engine.write(offered, () => resolve());
      });
      await Promise.race([written, ended]);
      const consumed = engine.bytesWritten - before;
      input.consume(consumed);
      // What was left over follows the deflate stream.
      if (consumed < offered.length) return;
    }
  } catch (error) {
    engine.destroy(error instanceof Error ? error : new Error("Cannot read source", { cause: error }));
  }
}

/** Consumes the next piece of the window, which is not empty. */
function takePiece(input: ByteWindow): Uint8Array {
  const piece = input.view().subarray(0, STREAM_PIECE_BYTES);
  input.consume(piece.length);
  return piece;
}

function* cut(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += STREAM_PIECE_BYTES) yield bytes.subarray(at, at + STREAM_PIECE_BYTES);
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("Z_");
}

function corrupt(found: string, cause?: unknown): FirnError {
  return new FirnError(
    "corrupt_object",
    `Cannot inflate object: found ${found}, expected gzip members`,
    cause === undefined ? {} : { cause },
  );
}
