/** Joining byte arrays, giving their memory back, reading streams of them: the one place for each. */

/**
 * Copies pieces into one array of its own, in their order.
 * @returns an array whose buffer holds nothing else: a call to a Durable Object sends the whole buffer of a view
 */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.byteLength;
  }
  return joined;
}

/**
 * Gives the memory of an array back at once, where the garbage collector would let megabytes of it gather. Nobody may
 * look at it, nor at anything else in its buffer, afterwards.
 */
export function releaseBytes({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

/** What is left of a stream, piece by piece. */
export interface PieceReader {
  /** The next piece, in memory of its own; `null` at the end. @throws what the stream fails with */
  readonly read: () => Promise<Uint8Array | null>;
  /** Gives the stream back. @throws what the stream failed with */
  readonly cancel: () => Promise<void>;
}

/**
 * Takes a stream over. In workerd a byte stream gives as much as fits to a reader that brings the buffer, and 4 KiB at
 * a time to any other, each by way of a promise and what follows it.
 * @param pieceBytes the most that a piece of a byte stream has; any other stream gives its own pieces
 */
export function openPieceReader(stream: ReadableStream<Uint8Array>, pieceBytes: number): PieceReader {
  const byteReader = openByobReader(stream);
  if (byteReader === null) {
    const reader = stream.getReader();
    return { read: async () => (await reader.read()).value ?? null, cancel: () => reader.cancel() };
  }
  let spare: Uint8Array<ArrayBuffer> | null = null;
  return {
    read: async () => {
      const buffer: Uint8Array<ArrayBuffer> = spare ?? new Uint8Array(pieceBytes);
      spare = null;
      const { done, value } = await byteReader.read(buffer);
      if (done) return null;
      if (value.length * 2 > pieceBytes) return value;
      // A source that trickles would otherwise leave a buffer behind for every few bytes.
      spare = new Uint8Array(value.buffer);
      return value.slice();
    },
    cancel: () => byteReader.cancel(),
  };
}

function openByobReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return stream.getReader({ mode: "byob" });
  } catch (error) {
    // Not a stream of bytes; whatever else is wrong with it, the other reader will say.
    if (error instanceof TypeError) return null;
    throw error;
  }
}
