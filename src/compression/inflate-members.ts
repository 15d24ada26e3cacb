/**
 * Reads an object for those who take much of it at once and copy what they keep: as many members of gzip in a piece as
 * fit into it, whole unless one alone is longer, in memory that is used again. What {@link inflateStream} gives of the
 * same object is the same, in small pieces that each have memory of their own. Compressions other than gzip, and
 * runtimes without such engines, take its way.
 */
import { constants, crc32 } from "node:zlib";
import type { FirnError } from "../errors.ts";
import { KIB, MIB } from "../units.ts";
import { openWindow, type ByteSource, type ByteWindow } from "./byte-source.ts";
import { toCorruptObject } from "./corrupt-object.ts";
import { readGzipHeader, readGzipTrailer } from "./inflate-gzip.ts";
import { inflateStream } from "./inflate-stream.ts";
import type { Compression } from "./member.ts";
import { PIECE_INFLATER_BYTES, PIECE_INFLATERS, type PieceSize } from "./deflate-engines.ts";
import type { SyncEngine } from "./sync-engine.ts";

/** What an input may make behind a piece; more comes in an array of its own, which is left to the collector. */
const RESERVED_BYTES: number = 256 * KIB;
/** Deflate makes at most 1,032 bytes of one: what so short an input makes fits always. */
const SHORT_INPUT_BYTES: number = Math.floor(RESERVED_BYTES / 1100);
/**
 * Each call leaves objects behind, so that an input is as long as can be expected to fit. One that is dense all of a
 * sudden makes 1,032 times as much in one call: 8 MiB, and as much again while its parts are joined.
 */
const LONG_INPUT_BYTES: number = 8 * KIB;
/** So much is not kept waiting for a source that may be slow: there are clients that give up after a minute. */
const WAITING_BYTES: number = MIB;
/** The next input may be so many times as dense as the one before. */
const DENSITY_RESERVE = 4;

/**
 * Inflates the bytes of an object.
 * @param source of pieces that are each valid until the next is asked for; is closed at the end, after a failure, and
 *   when the consumer stops
 * @param size of the pieces
 * @returns pieces of up to 3.2 MiB, 8.1 where a member is dense all of a sudden, each valid until the next is asked
 *   for; what the source throws is thrown as it is
 * @throws FirnError `corrupt_object` on truncation, a wrong checksum or length, and on anything that is not a member
 */
export async function* inflateMembers(
  source: ByteSource,
  compression: Compression,
  size: PieceSize = "long",
): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = compression === "gzip" ? PIECE_INFLATERS[size].take() : null;
  if (engine === null) {
    yield* inflateStream(keepPieces(source), compression);
    return;
  }
  const input = openWindow(source, "passing");
  const pieceBytes = PIECE_INFLATER_BYTES[size] - RESERVED_BYTES;
  const gathered: Gathered = { memory: engine.memory, pieceBytes, filled: 0, proven: 0 };
  try {
    if (!(await input.fill(1))) throw toCorruptObject("no bytes", "gzip data");
    for (;;) {
      yield* giveBeforeWait(gathered, input);
      if (!(await input.fill(1))) break;
      await readGzipHeader(input);
      yield* inflateMember(input, engine, gathered);
    }
    yield* give(gathered, gathered.filled);
  } catch (error) {
    yield* give(gathered, gathered.proven);
    throw error;
  } finally {
    PIECE_INFLATERS[size].give(engine);
    await input.close();
  }
}

/** Content on its way into a piece, which takes as many members as it has room for. */
interface Gathered {
  /** Of the engine, which writes its output behind what is there. */
  readonly memory: Uint8Array;
  /** With so many it is given. */
  readonly pieceBytes: number;
  filled: number;
  /** Bytes at its beginning whose members were read to their ends, and were right. */
  proven: number;
}

/** Yields so many bytes from the beginning and moves what is behind them there. */
function* give(gathered: Gathered, length: number): Generator<Uint8Array, void, void> {
  if (length === 0) return;
  const { memory, filled } = gathered;
  yield memory.subarray(0, length);
  memory.copyWithin(0, length, filled);
  gathered.filled = filled - length;
  gathered.proven = 0;
}

/** Yields what is known to be right before more input is waited for, unless it is little. */
function* giveBeforeWait(gathered: Gathered, input: ByteWindow): Generator<Uint8Array, void, void> {
  if (gathered.proven >= WAITING_BYTES && input.view().length === 0) yield* give(gathered, gathered.proven);
}

async function* keepPieces(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of source) yield piece.slice();
}

/**
 * Gathers the content of the member at the front of the window, whose header is consumed, and consumes the rest of it;
 * yields pieces that are full. What fits into a piece is given only when it is known to be right.
 */
async function* inflateMember(
  input: ByteWindow,
  engine: SyncEngine,
  gathered: Gathered,
): AsyncGenerator<Uint8Array, void, undefined> {
  engine.reset();
  let crc = 0;
  let length = 0;
  // How dense a member is, it has to show first.
  let inputBytes = SHORT_INPUT_BYTES;
  for (let isEnd = false; !isEnd;) {
    yield* giveBeforeWait(gathered, input);
    // The stream is known to have ended when it leaves input, and there always is some: the trailer.
    if (!(await input.fill(1))) throw corrupt("a truncated deflate stream");
    const slice = input.view().subarray(0, inputBytes);
    const output = run(engine, slice, gathered.filled);
    input.consume(engine.consumedBytes);
    isEnd = engine.consumedBytes < slice.length;
    crc = crc32(output, crc);
    length += output.length;
    if (isEnd) await readGzipTrailer(input, { crc, length });
    inputBytes = planInput(slice.length, output.length);
    if (output.length > 0 && output.buffer !== engine.memory.buffer) {
      yield* give(gathered, gathered.filled);
      yield output;
      continue;
    }
    gathered.filled += output.length;
    if (isEnd) gathered.proven = gathered.filled;
    if (gathered.filled >= gathered.pieceBytes) yield* give(gathered, gathered.proven || gathered.filled);
  }
}

/** Says how long an input may be after one that made so much. */
function planInput(inputBytes: number, outputBytes: number): number {
  const expected = (RESERVED_BYTES * inputBytes) / (DENSITY_RESERVE * Math.max(1, outputBytes));
  return Math.max(SHORT_INPUT_BYTES, Math.min(LONG_INPUT_BYTES, Math.floor(expected)));
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
