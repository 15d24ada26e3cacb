/**
 * Reads an object for those who take much of it at once and copy what they keep: members of gzip whole, as far as they
 * have 2 MiB, in memory that is used again. What {@link inflateStream} gives of the same object is the same, in small
 * pieces that each have memory of their own. Compressions other than gzip, and runtimes without such engines, take its
 * way.
 */
import { constants, crc32 } from "node:zlib";
import type { FirnError } from "../errors.ts";
import type { PieceKind } from "../piece-reader.ts";
import { KIB } from "../units.ts";
import { openWindow, type ByteSource, type ByteWindow } from "./byte-source.ts";
import { toCorruptObject } from "./corrupt-object.ts";
import { readGzipHeader, readGzipTrailer } from "./inflate-gzip.ts";
import { inflateStream } from "./inflate-stream.ts";
import type { Compression } from "./member.ts";
import { PIECE_INFLATER_BYTES, PIECE_INFLATERS } from "./deflate-engines.ts";
import type { SyncEngine } from "./sync-engine.ts";

const INPUT_BYTES: number = 4 * KIB;
/** What an input may make behind a piece; more comes in an array of its own, which is left to the collector. */
const RESERVED_BYTES: number = 256 * KIB;
const PIECE_BYTES: number = PIECE_INFLATER_BYTES - RESERVED_BYTES;
/** Deflate makes at most 1,032 bytes of one: what so short an input makes fits always. */
const SHORT_INPUT_BYTES: number = Math.floor(RESERVED_BYTES / 1100);
/** From here on an input has made so much that the next one is short. */
const DENSE_OUTPUT_RATIO: number = RESERVED_BYTES / INPUT_BYTES / 2;
/** Read ahead, so that an input is seldom cut short by the end of a piece. */
const READ_AHEAD_BYTES: number = 64 * KIB;

/**
 * Inflates the bytes of an object.
 * @param source is closed at the end, after a failure, and when the consumer stops
 * @param kind `passing`: a piece of the source is valid until the next is asked for
 * @returns pieces of up to 4.2 MiB, each valid until the next is asked for; what the source throws is thrown as it is
 * @throws FirnError `corrupt_object` on truncation, a wrong checksum or length, and on anything that is not a member
 */
export async function* inflateMembers(
  source: ByteSource,
  compression: Compression,
  kind: PieceKind = "kept",
): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = compression === "gzip" ? PIECE_INFLATERS.take() : null;
  if (engine === null) {
    yield* inflateStream(kind === "kept" ? source : keepPieces(source), compression);
    return;
  }
  const input = openWindow(source, kind);
  try {
    if (!(await input.fill(1))) throw toCorruptObject("no bytes", "gzip data");
    while (await input.fill(1)) {
      await readGzipHeader(input);
      yield* inflateMember(input, engine, kind === "kept" ? INPUT_BYTES : 0);
    }
  } finally {
    PIECE_INFLATERS.give(engine);
    await input.close();
  }
}

async function* keepPieces(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of source) yield piece.slice();
}

/**
 * Yields the bytes of the member at the front of the window, whose header is consumed, and consumes the rest of it.
 * @param aheadBytes with fewer there is read ahead; none where pieces are long, and joining two would copy both
 */
async function* inflateMember(
  input: ByteWindow,
  engine: SyncEngine,
  aheadBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  engine.reset();
  let crc = 0;
  let length = 0;
  let filled = 0;
  // How dense a member is, it has to show first.
  let inputBytes = SHORT_INPUT_BYTES;
  for (let isEnd = false; !isEnd;) {
    // The stream is known to have ended when it leaves input, and there always is some: the trailer.
    if (!(await input.fill(1))) throw corrupt("a truncated deflate stream");
    if (input.view().length < aheadBytes) await input.fill(READ_AHEAD_BYTES);
    const slice = input.view().subarray(0, inputBytes);
    const output = run(engine, slice, filled);
    input.consume(engine.consumedBytes);
    isEnd = engine.consumedBytes < slice.length;
    crc = crc32(output, crc);
    length += output.length;
    // What fits into a piece is given only when it is known to be right.
    if (isEnd) await readGzipTrailer(input, { crc, length });
    inputBytes = output.length > DENSE_OUTPUT_RATIO * slice.length ? SHORT_INPUT_BYTES : INPUT_BYTES;
    if (output.length > 0 && output.buffer !== engine.memory.buffer) {
      if (filled > 0) yield engine.memory.subarray(0, filled);
      yield output;
      filled = 0;
      continue;
    }
    filled += output.length;
    if (filled >= PIECE_BYTES || (isEnd && filled > 0)) {
      yield engine.memory.subarray(0, filled);
      filled = 0;
    }
  }
}

function run(engine: SyncEngine, input: Uint8Array, outputAt: number): Uint8Array {
  try {
    return engine.run(input, constants.Z_SYNC_FLUSH, outputAt);
  } catch (error) {
    throw corrupt("a broken deflate stream", error);
  }
}

function corrupt(found: string, cause?: unknown): FirnError {
  return toCorruptObject(found, "gzip members", cause);
}
