/** Reads a store's stream piece by piece, each within a time: the platform would wait for a stalled one for ever. */
import { FirnError } from "./errors.ts";
import { PASSING_MIN_BYTES, STORE_CALL_TIMEOUT } from "./limits.ts";
import { openPieceReader, type PieceOptions, type Room } from "./piece-reader.ts";
import { watchStalls } from "./stall-watch.ts";
import type { Millis } from "./units.ts";

/** The reader of a stream; one read at a time. It is read to its end or cancelled. */
export interface BoundedReader {
  /**
   * The next piece; `null` at the end.
   * @param room - as a `PieceReader` takes it
   * @throws FirnError `store_unavailable` when it takes too long, and ever after; the stream was cancelled then. A
   *   passing piece, or one in a room, is waited for until it is worth it, so that a source which trickles may take too
   *   long
   * @throws what the stream fails with
   */
  read(room?: Room): Promise<Uint8Array | null>;
  /** Gives back the connection; may be called at any time and repeatedly. Never rejects. */
  cancel(): Promise<void>;
}

/**
 * Takes a stream over.
 * @param timeout how long a read may give nothing
 * @param pieces what they are to be like; how much the long ones have is decided here
 */
export function openBoundedReader(
  stream: ReadableStream<Uint8Array>,
  timeout: Millis,
  pieces: Omit<PieceOptions, "minBytes"> = {},
): BoundedReader {
  const minBytes = toMinBytes(timeout);
  const reader = openPieceReader(stream, { ...pieces, minBytes });
  let wantedBytes = 1;
  let stalled: FirnError | null = null;
  /** Fails the read under way. A race with a promise that outlives it would hold on to every read. */
  let fail: ((error: unknown) => void) | null = null;
  const watch = watchStalls(timeout, () => {
    const found = wantedBytes === 1 ? "no byte came" : `fewer than ${wantedBytes} bytes came, and no end,`;
    stalled = new FirnError("store_unavailable", `Cannot read from the store: ${found} within ${timeout} ms`);
    fail?.(stalled);
    void cancel();
  });

  async function cancel(): Promise<void> {
    watch.end();
    try {
      await reader.cancel();
    } catch {
      // A stream that failed rejects with that failure, which `read` has thrown already if anyone wanted the bytes.
    }
  }

  function read(room?: Room): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      // What was cancelled for a stall would look like a stream that came to its end.
      if (stalled !== null) return reject(stalled);
      fail = reject;
      wantedBytes = pieces.kind === "passing" || room !== undefined ? minBytes : 1;
      watch.wait();
      reader.read(room).then(
        (piece) => {
          if (piece === null) watch.end();
          else watch.rest();
          resolve(piece);
        },
        (error: unknown) => {
          watch.end();
          reject(error);
        },
      );
    });
  }

  return { read, cancel };
}

/** The slowest source that is waited for is the same for every timeout. */
function toMinBytes(timeout: Millis): number {
  return Math.max(1, Math.floor(PASSING_MIN_BYTES * Math.min(1, timeout / STORE_CALL_TIMEOUT)));
}
