/** An object's bytes as they come from the store: pulled, counted against the listing, and closed at any time. */
import { openBoundedReader, type BoundedReader } from "../bounded-reader.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { STORE_CALL_TIMEOUT } from "../limits.ts";
import type { PieceKind } from "../piece-reader.ts";
import type { Millis } from "../units.ts";

/** An opened object; nothing of it is held but what the runtime buffers of a body that is not being read. */
export interface ObjectBody {
  /**
   * Reads from the first byte; once.
   * @throws FirnError `corrupt_object` when the length is not the listed one; `store_unavailable` when it breaks off,
   *   or when nothing comes for too long
   */
  read(): AsyncGenerator<Uint8Array, void, void>;
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
    if (receivedBytes !== expectedBytes) {
      throw new FirnError("corrupt_object", `it has ${receivedBytes} bytes, but ${expectedBytes} were listed`);
    }
  }

  return { read, close: () => reader.cancel() };
}

/** A body that breaks off says nothing about the object: the store or the way to it failed. */
async function readPiece(reader: BoundedReader): Promise<Uint8Array | null> {
  try {
    return await reader.read();
  } catch (error) {
    if (error instanceof FirnError) throw error;
    const message = `Cannot read from the store: the body broke off: ${toErrorMessage(error)}`;
    throw new FirnError("store_unavailable", message, { cause: error });
  }
}

/**
 * Reads a body to its end.
 * @param length - of the body, as it was listed
 * @param memory - of at least that length, of which a view is returned; memory of its own if absent
 */
export async function readWholeBody(
  body: ObjectBody,
  length: number,
  memory: Uint8Array = new Uint8Array(length),
): Promise<Uint8Array> {
  const whole = memory.subarray(0, length);
  let position = 0;
  for await (const piece of body.read()) {
    // What is beyond the end is counted by the body, which then fails.
    whole.set(piece.subarray(0, length - position), position);
    position = Math.min(position + piece.length, length);
  }
  return whole;
}
