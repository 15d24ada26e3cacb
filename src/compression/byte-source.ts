/**
 * A window over a stream of bytes: what was read and not yet consumed, and more of it on demand. Holds one piece, or a
 * few joined ones while a header spans them.
 */

import { joinBytes, openPieceReader } from "../bytes.ts";
import { STREAM_PIECE_BYTES } from "../limits.ts";

/** Bytes from a store, as a stream or as pieces. */
export type ByteSource = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** A cursor over a {@link ByteSource}. */
export interface ByteWindow {
  /** Bytes that were read and not consumed; empty only at the start, after all was consumed, or at the end. */
  view(): Uint8Array;
  /** Marks the first bytes of the view as consumed. */
  consume(count: number): void;
  /** Reads until the view holds so many bytes, 1 or more. @returns whether it does; `false` at the source's end. */
  fill(count: number): Promise<boolean>;
  /** Tells the source that no more is wanted; also ends a read under way. */
  close(): Promise<void>;
}

/** Opens a window at the first byte of a source. */
export function openWindow(source: ByteSource): ByteWindow {
  const reader = openReader(source);
  let view: Uint8Array = new Uint8Array(0);
  return {
    view: () => view,
    consume: (count) => {
      view = view.subarray(count);
    },
    fill: async (count) => {
      const pieces = [view];
      let length = view.length;
      while (length < count) {
        const piece = await reader.read();
        if (piece === null) break;
        pieces.push(piece);
        length += piece.length;
      }
      view = join(pieces);
      return length >= count;
    },
    close: () => reader.close(),
  };
}

/** Consumes the next piece of a window that is not empty; at most `STREAM_PIECE_BYTES`. */
export function takePiece(input: ByteWindow): Uint8Array {
  const piece = input.view().subarray(0, STREAM_PIECE_BYTES);
  input.consume(piece.length);
  return piece;
}

/** Cuts bytes into pieces of at most `STREAM_PIECE_BYTES`, without copying. */
export function* cutPieces(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += STREAM_PIECE_BYTES) yield bytes.subarray(at, at + STREAM_PIECE_BYTES);
}

interface ByteReader {
  read(): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

/** A stream is read through its reader, since the iterator of a stream cannot be stopped while it waits. */
function openReader(source: ByteSource): ByteReader {
  if (!(source instanceof ReadableStream)) return openIterator(source[Symbol.asyncIterator]());
  const { read, cancel } = openPieceReader(source, STREAM_PIECE_BYTES);
  let isOpen = true;
  return {
    read: async () => {
      try {
        const piece = await read();
        isOpen = piece !== null;
        return piece;
      } catch (error) {
        isOpen = false;
        throw error;
      }
    },
    // Cancelling a stream that failed would throw its error once more, in place of the one that is on its way.
    close: async () => {
      if (isOpen) await cancel();
    },
  };
}

function openIterator(iterator: AsyncIterator<Uint8Array>): ByteReader {
  return {
    read: async () => {
      const result = await iterator.next();
      return result.done === true ? null : result.value;
    },
    close: async () => {
      await iterator.return?.();
    },
  };
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const filled = pieces.filter((piece) => piece.length > 0);
  const [first] = filled;
  return first !== undefined && filled.length === 1 ? first : joinBytes(filled);
}
