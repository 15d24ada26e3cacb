/**
 * Reads the zstd frames of an object, in pieces. Frames are walked here, since `node:zlib` stops after the first one.
 * Small frames are inflated in one native call each. From the first large one on, everything goes through one engine:
 * each frame ends where a write ends, so that the engine goes on with the next one.
 */
import { createZstdDecompress } from "node:zlib";
import type { FirnError } from "../errors.ts";
import { ZSTD_OBJECT_WINDOW_MAX_BYTES } from "../limits.ts";
import { KIB, MIB } from "../units.ts";
import { cutPieces, type ByteWindow } from "./byte-source.ts";
import { toCorruptObject } from "./corrupt-object.ts";
import { ENGINE_OPTIONS, runEngine, type WritePiece } from "./inflate-engine.ts";
import { isEngineError } from "./zlib-error.ts";
import { inflateZstd } from "./zstd.ts";
import { isAtFrameEnd, openZstdWalk, parseZstdHeader, walkZstdBlocks, ZSTD_HEADER_MAX_BYTES } from "./zstd-frame.ts";
import type { ZstdFrameHeader } from "./zstd-frame.ts";

/**
 * A frame of so little that inflates to so little: all that Firn makes, and what most clients send. An engine costs
 * 0.1 ms, and its memory, a window of up to 32 MiB, waits for the garbage collector, which does not know of it.
 */
const SMALL_INPUT_BYTES: number = MIB;
const SMALL_OUTPUT_BYTES: number = 4 * MIB;
/** The same of a frame that says its size, such as members of hour objects: it may not compress at all. */
const SIZED_INPUT_BYTES: number = SMALL_OUTPUT_BYTES + 64 * KIB;
/** Read ahead while a frame is not whole; twice as much each time. */
const READ_AHEAD_BYTES: number = 64 * KIB;

/**
 * Inflates frames up to the end of the window's source; skippable ones are passed over.
 * @returns pieces of at most `STREAM_PIECE_BYTES`; checksums and content sizes are known to match when they end.
 * @throws FirnError `corrupt_object`; also for a dictionary and for a window above `ZSTD_OBJECT_WINDOW_MAX_BYTES`.
 */
export async function* inflateZstdFrames(input: ByteWindow): AsyncGenerator<Uint8Array, void, undefined> {
  for (let header = await readHeader(input); header !== null; header = await readHeader(input)) {
    const small = await inflateSmall(input, header);
    if (small === null) {
      yield* inflateRest(input, header);
      return;
    }
    yield* cutPieces(small);
  }
}

/** Skips to the next frame with content and parses its header, without consuming it; `null` at the source's end. */
async function readHeader(input: ByteWindow): Promise<ZstdFrameHeader | null> {
  while (await input.fill(1)) {
    await input.fill(ZSTD_HEADER_MAX_BYTES);
    const header = parseZstdHeader(input.view(), 0);
    if (header.kind === "short") throw corrupt("a truncated zstd frame header");
    if (header.kind === "bad") throw corrupt(header.found);
    if (header.kind === "frame") return checkHeader(header);
    await skip(input, header.frameBytes);
  }
  return null;
}

function checkHeader(header: ZstdFrameHeader): ZstdFrameHeader {
  const { dictionaryId, windowBytes } = header;
  if (dictionaryId !== null && dictionaryId !== 0) throw corrupt("a zstd frame that needs a dictionary");
  if (windowBytes <= ZSTD_OBJECT_WINDOW_MAX_BYTES) return header;
  throw corrupt(`a zstd window above ${ZSTD_OBJECT_WINDOW_MAX_BYTES} bytes`);
}

async function skip(input: ByteWindow, count: number): Promise<void> {
  for (let left = count; left > 0;) {
    if (!(await input.fill(1))) throw corrupt("a truncated skippable frame");
    const step = Math.min(left, input.view().length);
    input.consume(step);
    left -= step;
  }
}

/** Inflates the frame at the front of the window at once and consumes it; `null` when it is not small. */
async function inflateSmall(input: ByteWindow, header: ZstdFrameHeader): Promise<Uint8Array | null> {
  if ((header.contentBytes ?? 0) > SMALL_OUTPUT_BYTES) return null;
  const maxInputBytes = header.contentBytes === null ? SMALL_INPUT_BYTES : SIZED_INPUT_BYTES;
  for (let isMore = true; ;) {
    const walk = openZstdWalk(header);
    const end = walkZstdBlocks(walk, input.view(), 0);
    // Blocks are split wherever that compresses better: what they may hold at most says little where the size is known.
    if (end > maxInputBytes || (header.contentBytes ?? walk.maxBytes) > SMALL_OUTPUT_BYTES) return null;
    if (isAtFrameEnd(walk)) {
      const output = inflateWhole(input.view().subarray(0, end));
      input.consume(end);
      return output;
    }
    if (walk.fault !== null) throw corrupt(walk.fault);
    const available = input.view().length;
    if (available > maxInputBytes) return null;
    if (!isMore) throw corrupt("a truncated zstd frame");
    isMore = await input.fill(Math.min(Math.max(2 * available, READ_AHEAD_BYTES), maxInputBytes + 1));
  }
}

function inflateWhole(frame: Uint8Array): Uint8Array {
  const outcome = inflateZstd(frame, SMALL_OUTPUT_BYTES);
  if (outcome.kind === "inflated") return outcome.output;
  throw corrupt("a broken zstd frame", outcome.kind === "broken" ? outcome.cause : undefined);
}

/** Yields everything from the frame at the front of the window to the source's end. */
async function* inflateRest(input: ByteWindow, first: ZstdFrameHeader): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = createZstdDecompress(ENGINE_OPTIONS);
  let isAtEnd = false;
  const feed = async (write: WritePiece): Promise<void> => {
    for (let header: ZstdFrameHeader | null = first; header !== null; header = await readHeader(input)) {
      if (!(await writeFrame(input, header, write))) return;
    }
    isAtEnd = true;
    engine.end();
  };
  try {
    yield* runEngine(engine, input, feed);
  } catch (error) {
    throw isEngineError(error) ? corrupt("a broken zstd frame", error) : error;
  }
  if (!isAtEnd) throw corrupt("a zstd frame that ends too early");
}

/** Writes and consumes one frame, its last byte as the last of a write. @returns whether all of it was taken */
async function writeFrame(input: ByteWindow, header: ZstdFrameHeader, write: WritePiece): Promise<boolean> {
  const walk = openZstdWalk(header);
  for (;;) {
    const piece = input.view().subarray(0, walkZstdBlocks(walk, input.view(), 0));
    if (piece.length > 0 && (await write(piece)) < piece.length) return false;
    input.consume(piece.length);
    if (isAtFrameEnd(walk)) return true;
    if (walk.fault !== null) throw corrupt(walk.fault);
    // Either bytes of a block are missing, or a block header is not whole.
    if (!(await input.fill(input.view().length + 1))) throw corrupt("a truncated zstd frame");
  }
}

function corrupt(found: string, cause?: unknown): FirnError {
  return toCorruptObject(found, "zstd frames", cause);
}
