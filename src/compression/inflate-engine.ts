/**
 * Runs one inflating engine of `node:zlib` between a window of input and a reader of output, at the reader's pace. What
 * is written, and when the input ends, is for the caller to say.
 */
import { STREAM_PIECE_BYTES } from "../limits.ts";
import type { ByteWindow } from "./byte-source.ts";

/** Engines give pieces of this size, and pause while one waits to be read. */
export const ENGINE_OPTIONS: { readonly chunkSize: number; readonly readableHighWaterMark: number } = {
  chunkSize: STREAM_PIECE_BYTES,
  readableHighWaterMark: 1,
};

/** What is asked of an engine: bytes are written, what they inflate to is iterated. */
export interface Engine extends AsyncIterable<Uint8Array> {
  /** Input consumed so far, in spite of its name; bytes. */
  readonly bytesWritten: number;
  write(chunk: Uint8Array, done: () => void): boolean;
  destroy(error?: Error): unknown;
}

/**
 * Writes a piece.
 * @returns how many of its bytes the engine took: fewer when its stream ended inside of them, or when nobody reads the
 *   output any more.
 */
export type WritePiece = (piece: Uint8Array) => Promise<number>;

/**
 * Yields what an engine makes of what is written.
 * @param input is closed when the iteration ends before the engine does.
 * @param feed writes everything, and ends the engine unless its stream ends by itself. What it throws is thrown here.
 */
export async function* runEngine(
  engine: Engine,
  input: ByteWindow,
  feed: (write: WritePiece) => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const end = Promise.withResolvers<void>();
  const write: WritePiece = async (piece) => {
    const before = engine.bytesWritten;
    const written = new Promise<void>((resolve) => {
      engine.write(piece, () => resolve());
    });
    // When the output has ended, a write may stay unanswered, but the engine has counted what it took.
    await Promise.race([written, end.promise]);
    return engine.bytesWritten - before;
  };
  // A failure of the source destroys the engine with it, and so reaches the reader of the output.
  const feeding = feed(write).catch((error: unknown) => {
    engine.destroy(error instanceof Error ? error : new Error("Cannot read source", { cause: error }));
  });
  let isComplete = false;
  try {
    yield* engine;
    isComplete = true;
  } finally {
    engine.destroy();
    end.resolve();
    if (!isComplete) await input.close();
    await feeding;
  }
}
