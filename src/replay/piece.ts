/** Gathers small runs of bytes into pieces that are worth a write: {@link openPieces}. */
import { STREAM_PIECE_BYTES } from "../limits.ts";

/** What is being gathered; what comes out has memory of its own. */
export interface Pieces {
  /** Bytes that were added so far. */
  readonly addedBytes: number;
  /** Takes bytes and yields the pieces that they fill. */
  add(bytes: Uint8Array): Iterable<Uint8Array>;
  /** Yields what is gathered, however little. */
  flush(): Iterable<Uint8Array>;
}

/** Opens an empty piece. */
export function openPieces(): Pieces {
  let buffer = new Uint8Array(STREAM_PIECE_BYTES);
  let length = 0;
  let addedBytes = 0;

  function* add(bytes: Uint8Array): Generator<Uint8Array, void, void> {
    addedBytes += bytes.length;
    let position = 0;
    while (position < bytes.length) {
      const taken = bytes.subarray(position, position + buffer.length - length);
      buffer.set(taken, length);
      length += taken.length;
      position += taken.length;
      if (length === buffer.length) yield* flush();
    }
  }

  function* flush(): Generator<Uint8Array, void, void> {
    if (length === 0) return;
    const full = buffer.subarray(0, length);
    buffer = new Uint8Array(STREAM_PIECE_BYTES);
    length = 0;
    yield full;
  }

  return {
    get addedBytes() {
      return addedBytes;
    },
    add,
    flush,
  };
}
