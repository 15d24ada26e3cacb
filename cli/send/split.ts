/** Pieces of a stream → its lines, or its messages behind their lengths. Pure but for the stream. */
import { usageError } from "../options.ts";

/** A line or a message, counted from 1. */
export interface NumberedBytes {
  readonly number: number;
  readonly bytes: Uint8Array;
}

const LINE_FEED = 0x0a;
const LENGTH_BYTES = 4;
/** Smaller pieces are joined before they are looked through. */
const GROW_BYTES = 65_536;

/** Splits at line feeds; the last line may lack its own, lines of white space count and are left out. */
export async function* splitLines(
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<NumberedBytes, void, void> {
  const pending = openPending();
  let number = 0;
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, start)) {
      pending.add(piece.subarray(start, end));
      start = end + 1;
      number += 1;
      const bytes = pending.take();
      if (!isBlank(bytes)) yield { number, bytes };
    }
    pending.add(piece.subarray(start));
    if (pending.length > maxBytes)
      throw usageError(`Cannot send line ${number + 1}: it is longer than ${maxBytes} bytes`);
  }
  const last = pending.take();
  if (!isBlank(last)) yield { number: number + 1, bytes: last };
}

/** Splits at lengths of 4 bytes, big-endian: the Collector's file format. */
export async function* splitMessages(
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<NumberedBytes, void, void> {
  const pending = openPending();
  let number = 0;
  let wanted = LENGTH_BYTES;
  let isLength = true;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + wanted - pending.length);
      pending.add(part);
      at += part.length;
      while (pending.length === wanted) {
        const bytes = pending.take();
        if (isLength) {
          wanted = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
          number += 1;
          if (wanted > maxBytes)
            throw usageError(`Cannot send message ${number}: it has ${wanted} bytes, expected at most ${maxBytes}`);
        } else {
          yield { number, bytes };
          wanted = LENGTH_BYTES;
        }
        isLength = !isLength;
      }
    }
  }
  if (pending.length > 0 || !isLength)
    throw usageError(`Cannot send what follows message ${number}: the input ends inside of one`);
}

/** Bytes of something that is not all there yet. */
interface Pending {
  readonly length: number;
  add(piece: Uint8Array): void;
  take(): Uint8Array;
}

function openPending(): Pending {
  let memory = new Uint8Array(GROW_BYTES);
  let length = 0;
  return {
    get length() {
      return length;
    },
    add: (piece) => {
      if (length + piece.length > memory.length) {
        const larger = new Uint8Array(Math.max(2 * memory.length, length + piece.length));
        larger.set(memory.subarray(0, length));
        memory = larger;
      }
      memory.set(piece, length);
      length += piece.length;
    },
    take: () => {
      const taken = memory.slice(0, length);
      length = 0;
      return taken;
    },
  };
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
