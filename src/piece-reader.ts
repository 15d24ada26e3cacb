/** Reads a stream of bytes in pieces as large as the runtime gives them: the one place that knows how to ask. */
import { releaseBytes } from "./bytes.ts";
import { PASSING_PIECE_BYTES, STREAM_PIECE_BYTES } from "./limits.ts";

/** The reader of a stream; one read at a time. */
export interface PieceReader {
  /**
   * The next piece; `null` at the end.
   * @param room - where it is to be read to, if that is possible: the piece's buffer is the room's then, which has got
   * another name and lost its old one. At the end it is lost.
   * @throws what the stream fails with
   */
  read(room?: Room): Promise<Uint8Array | null>;
  /** Says that no more is wanted. @throws what the stream failed with */
  cancel(): Promise<void>;
}

/** Memory that is lent. */
export type Room = Uint8Array<ArrayBuffer>;

/**
 * What becomes of a piece: `kept` ones are the reader's, at most `STREAM_PIECE_BYTES`; `passing` ones are valid until
 * the next is asked for, larger, and of one memory: who reads gigabytes leaves nothing to be collected.
 */
export type PieceKind = "kept" | "passing";

/** How a stream is read. */
export interface PieceOptions {
  /** `kept` if absent. */
  readonly kind?: PieceKind;
  /** As many as will come, as far as that is known: passing pieces take no more memory. */
  readonly expectedBytes?: number;
  /** Bytes that a passing piece and one in a lent room have at least, but for the last one; 1 if absent. */
  readonly minBytes?: number;
}

/**
 * Takes a stream over. In workerd a byte stream gives 64 KiB at a time to a reader that brings the buffer, and 4 KiB to
 * any other: each read leaves objects behind that outlive many collections of young ones.
 */
export function openPieceReader(
  stream: ReadableStream<Uint8Array>,
  { kind = "kept", expectedBytes = PASSING_PIECE_BYTES, minBytes = 1 }: PieceOptions = {},
): PieceReader {
  const byteReader = openByteReader(stream);
  if (byteReader === null) {
    const reader = stream.getReader();
    return { read: () => reader.read().then(toPiece), cancel: () => reader.cancel() };
  }
  let memory: ArrayBuffer | null = null;
  const roomBytes: number =
    kind === "kept" ? STREAM_PIECE_BYTES : Math.max(1, Math.min(expectedBytes, PASSING_PIECE_BYTES));
  let hasEnded = false;
  const take = (result: ReadResult): Uint8Array | null => {
    hasEnded = result.done;
    return toPiece(result);
  };
  const toMin = (room: Room): number => Math.min(room.length, minBytes);
  return {
    read: (lent) => {
      if (hasEnded) return Promise.resolve(null);
      if (lent !== undefined) return byteReader.read(lent, { min: toMin(lent) }).then(take);
      const room = new Uint8Array(memory ?? new ArrayBuffer(roomBytes));
      memory = null;
      return byteReader.read(room, { min: kind === "kept" ? 1 : toMin(room) }).then((result) => {
        const piece = take(result);
        if (piece === null && result.value !== undefined) releaseBytes(result.value);
        // A source that trickles would otherwise leave such room behind for every few bytes.
        const isSmall = kind === "kept" && piece !== null && piece.length * 2 <= roomBytes;
        // What was brought comes back under another name.
        const buffer = kind === "passing" || isSmall ? piece?.buffer : null;
        memory = buffer instanceof ArrayBuffer ? buffer : null;
        return isSmall ? piece.slice() : piece;
      });
    },
    cancel: () => {
      if (memory !== null) releaseBytes(new Uint8Array(memory));
      memory = null;
      return byteReader.cancel();
    },
  };
}

/** What of a `ReadableStreamBYOBReader` is used; `min` is newer than its type. */
interface ByteReader {
  read(room: Room, options: { readonly min: number }): Promise<ReadResult>;
  cancel(): Promise<void>;
}

function openByteReader(stream: ReadableStream<Uint8Array>): ByteReader | null {
  try {
    return stream.getReader({ mode: "byob" });
  } catch (error) {
    // Not a stream of bytes; whatever else is wrong with it, the other reader will say.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

interface ReadResult {
  readonly done: boolean;
  readonly value?: Uint8Array | undefined;
}

/** A stream that ends before a read has as much as it waits for, may give that and say that it is done, too. */
function toPiece({ done, value }: ReadResult): Uint8Array | null {
  return done && (value?.length ?? 0) === 0 ? null : (value ?? null);
}
