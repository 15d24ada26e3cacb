/**
 * One member of an hour object, inflated and cut by the lengths that its entry names. It must be as long as the entry
 * says, to the byte: what is cut by a wrong length is no request.
 */
import { holdDense } from "../compression/dense.ts";
import { inflateStream } from "../compression/inflate-stream.ts";
import type { Compression } from "../compression/member.ts";
import type { HeldContent } from "../compression/sync-engine.ts";
import { FirnError } from "../errors.ts";
import type { RunningUsage } from "./usage.ts";

/** A cursor over the raw bytes of a member. */
export interface MemberReader {
  /**
   * Yields the bytes from where the reader stands up to a position; what the last call left unread is passed over. A
   * piece is valid until the next is asked for, or the reader is closed.
   * @throws FirnError `corrupt_object` when the member ends before, or is broken
   */
  take(from: number, to: number): AsyncGenerator<Uint8Array, void, void>;
  /** Reads what is left. @throws FirnError `corrupt_object` when the member's length or checksum is another one */
  end(): Promise<void>;
  /** Gives the rest up. */
  close(): Promise<void>;
}

/** A member as its table lists it. */
export interface MemberForm {
  readonly compression: Compression;
  /** Its length once inflated, as its entry says. */
  readonly rawBytes: number;
  readonly usage: RunningUsage;
}

/**
 * Opens a member.
 * @param stored the whole member as it is stored
 */
export function openMember(stored: Uint8Array, { compression, rawBytes, usage }: MemberForm): MemberReader {
  const pieces = inflateWhole(stored, compression, rawBytes);
  let piece: Uint8Array = new Uint8Array(0);
  let position = 0;

  /** At most so many bytes; empty at the member's end. */
  async function next(maxBytes: number): Promise<Uint8Array> {
    while (piece.length === 0) {
      const result = await pieces.next();
      if (result.done === true) return piece;
      piece = result.value;
    }
    const taken = piece.subarray(0, maxBytes);
    piece = piece.subarray(taken.length);
    position += taken.length;
    usage.rawBytes += taken.length;
    return taken;
  }

  async function* take(from: number, to: number): AsyncGenerator<Uint8Array, void, void> {
    while (position < to) {
      const taken = await next((position < from ? from : to) - position);
      if (taken.length === 0) throw wrongLength(position, rawBytes);
      if (position > from) yield taken;
    }
  }

  return {
    take,
    end: async () => {
      for (;;) {
        const taken = await next(Number.POSITIVE_INFINITY);
        if (position > rawBytes) throw wrongLength("more", rawBytes);
        if (taken.length === 0) break;
      }
      if (position < rawBytes) throw wrongLength(position, rawBytes);
    },
    close: async () => {
      await pieces.return();
    },
  };
}

/** Gives a member of the usual size as one piece, any other in small ones: what is wrong with it shows there. */
async function* inflateWhole(
  stored: Uint8Array,
  compression: Compression,
  rawBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const held: HeldContent | null = compression === "none" ? null : holdDense({ member: stored, compression, rawBytes });
  if (held === null) {
    yield* inflateStream(once(stored), compression);
    return;
  }
  try {
    yield held.content;
  } finally {
    held.release();
  }
}

async function* once(stored: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield stored;
}

function wrongLength(found: number | "more", expected: number): FirnError {
  return new FirnError("corrupt_object", `Cannot read member: it has ${found} bytes, expected ${expected}`);
}
