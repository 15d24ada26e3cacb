/** An object's bytes as they come from the store: pulled, counted against the listing, and closed at any time. */
import { openBoundedReader, type BoundedReader } from "../bounded-reader.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { PASSING_PIECE_BYTES, STORE_CALL_TIMEOUT } from "../limits.ts";
import type { PieceKind, Room } from "../piece-reader.ts";
import type { Millis } from "../units.ts";

/** An opened object; nothing of it is held but what the runtime buffers of a body that is not being read. */
export interface ObjectBody {
  /**
   * Reads from the first byte; once.
   * @throws FirnError `corrupt_object` when the length is not the listed one; `store_unavailable` when it breaks off,
   *   or when nothing comes for too long
   */
  read(): AsyncGenerator<Uint8Array, void, void>;
  /**
   * Reads all of it instead, without memory for pieces.
   * @param memory - of at least the listed length, if it is not to be new; it is lost, and its buffer has another name
   * @returns a view of the beginning of the memory
   * @throws FirnError as `read` does
   */
  readWhole(memory?: Room): Promise<Room>;
  /** Gives back the connection; may be called at any time and repeatedly. */
  close(): Promise<void>;
}

/**
 * Takes a body over.
 * @param expectedBytes - length of the object as it was listed
 * @param timeout - how long a read may give nothing
 * @param kind - whether pieces are the reader's
 */
export function openBody(
  stream: ReadableStream<Uint8Array>,
  expectedBytes: number,
  timeout: Millis = STORE_CALL_TIMEOUT,
  kind: PieceKind = "kept",
): ObjectBody {
  const reader = openBoundedReader(stream, timeout, { kind, expectedBytes });

  async function* read(): AsyncGenerator<Uint8Array, void, void> {
    let receivedBytes = 0;
    for (;;) {
      const piece = await readPiece(reader);
      if (piece === null) break;
      receivedBytes += piece.length;
      yield piece;
    }
    checkLength(receivedBytes);
  }

  async function readWhole(memory: Room = new Uint8Array(expectedBytes)): Promise<Room> {
    const start = memory.byteOffset;
    let { buffer } = memory;
    let receivedBytes = 0;
    while (receivedBytes <= expectedBytes) {
      const length = Math.min(expectedBytes - receivedBytes, PASSING_PIECE_BYTES);
      // The end has to be seen, and takes what it is shown with it.
      const room = length > 0 ? new Uint8Array(buffer, start + receivedBytes, length) : new Uint8Array(1);
      const piece = await readPiece(reader, room);
      if (piece === null) break;
      if (buffer.detached && piece.buffer instanceof ArrayBuffer) ({ buffer } = piece);
      // A stream that takes no memory gives what it has; of what is too long, nothing is kept.
      else
        new Uint8Array(buffer, start, expectedBytes).set(
          piece.subarray(0, expectedBytes - receivedBytes),
          receivedBytes,
        );
      receivedBytes += piece.length;
    }
    checkLength(receivedBytes);
    return new Uint8Array(buffer, start, expectedBytes);
  }

  function checkLength(receivedBytes: number): void {
    if (receivedBytes === expectedBytes) return;
    const found = receivedBytes > expectedBytes ? `at least ${receivedBytes}` : receivedBytes;
    throw new FirnError("corrupt_object", `it has ${found} bytes, but ${expectedBytes} were listed`);
  }

  return { read, readWhole, close: () => reader.cancel() };
}

/** A body that breaks off says nothing about the object: the store or the way to it failed. */
async function readPiece(reader: BoundedReader, room?: Room): Promise<Uint8Array | null> {
  try {
    return await reader.read(room);
  } catch (error) {
    if (error instanceof FirnError) throw error;
    const message = `Cannot read from the store: the body broke off: ${toErrorMessage(error)}`;
    throw new FirnError("store_unavailable", message, { cause: error });
  }
}
