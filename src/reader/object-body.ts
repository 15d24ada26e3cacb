/** An object's bytes as they come from the store: pulled, counted against the listing, and closed at any time. */
import { FirnError, toErrorMessage } from "../errors.ts";

/** An opened object; nothing of it is held but what the runtime buffers of a body that is not being read. */
export interface ObjectBody {
  /** Reads from the first byte; once. @throws FirnError `corrupt_object` when the length is not the listed one */
  read(): AsyncGenerator<Uint8Array, void, void>;
  /** Gives back the connection; may be called at any time and repeatedly. */
  close(): Promise<void>;
}

/**
 * Takes a body over.
 * @param expectedBytes - length of the object as it was listed
 */
export function openBody(stream: ReadableStream<Uint8Array>, expectedBytes: number): ObjectBody {
  const reader = stream.getReader();

  async function close(): Promise<void> {
    try {
      await reader.cancel();
    } catch {
      // A body that failed rejects with that failure, which `read` has thrown already if anyone wanted the bytes.
    }
  }

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

  return { read, close };
}

/** A body that breaks off says nothing about the object: the store or the way to it failed. */
async function readPiece(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | null> {
  try {
    const result = await reader.read();
    return result.done ? null : result.value;
  } catch (error) {
    if (error instanceof FirnError) throw error;
    const message = `Cannot read from the store: the body broke off: ${toErrorMessage(error)}`;
    throw new FirnError("store_unavailable", message, { cause: error });
  }
}
