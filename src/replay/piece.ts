/** Gathers small runs of bytes into pieces that are worth a write: {@link openPieces}. */
import { REPLAY_PIECE_BYTES, REPLAY_RUN_UNCOPIED_BYTES } from "../limits.ts";

/** What is being gathered; what comes out is valid until the next call, or the next is asked for. */
export interface Pieces {
  /** Bytes that were added so far. */
  readonly addedBytes: number;
  /** Takes bytes and yields the pieces that they fill. */
  add(bytes: Uint8Array): Iterable<Uint8Array>;
  /** Yields what is gathered, however little. */
  flush(): Iterable<Uint8Array>;
}

/** Opens an empty piece, whose memory is used again and again. */
export function openPieces(): Pieces {
  /** Made when it is needed: most of what is passed on comes in long runs. */
  let memory = new Uint8Array(0);
  let length = 0;
  let addedBytes = 0;

  function* add(bytes: Uint8Array): Generator<Uint8Array, void, void> {
    addedBytes += bytes.length;
    let position = 0;
    if (bytes.length >= REPLAY_RUN_UNCOPIED_BYTES) {
      yield* flush();
      yield bytes;
      return;
    }
    if (memory.length === 0) memory = new Uint8Array(REPLAY_PIECE_BYTES);
    while (position < bytes.length) {
      const taken = bytes.subarray(position, position + memory.length - length);
      memory.set(taken, length);
      length += taken.length;
      position += taken.length;
      if (length === memory.length) yield* flush();
    }
  }

  function* flush(): Generator<Uint8Array, void, void> {
    if (length === 0) return;
    const full = memory.subarray(0, length);
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
