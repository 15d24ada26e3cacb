/**
 * The bytes of an output that no part took yet, gathered in one array that is a part when it is full. What passes
 * through here is all that an hour object holds: arrays that are joined, cut and left to the garbage collector would
 * pile up.
 */
import { releaseBytes } from "../bytes.ts";

/** Gathers bytes up to the size of a part. */
export interface PartBuffer {
  readonly length: number;
  readonly isFull: boolean;
  /** Copies as many of the bytes as there is room for. @returns how many */
  append(bytes: Uint8Array): number;
  /** What was gathered: a view, right until the next call. */
  view(): Uint8Array;
  /** Forgets what was gathered, and gives the memory back. */
  release(): void;
}

/** Opens an empty one, which takes memory with the first byte. @param partBytes its size */
export function openPartBuffer(partBytes: number): PartBuffer {
  let memory = new Uint8Array(0);
  let length = 0;
  return {
    get length() {
      return length;
    },
    get isFull() {
      return length === partBytes;
    },
    append: (bytes) => {
      const taken = bytes.subarray(0, partBytes - length);
      if (taken.length === 0) return 0;
      if (memory.length === 0) memory = new Uint8Array(partBytes);
      memory.set(taken, length);
      length += taken.length;
      return taken.length;
    },
    view: () => memory.subarray(0, length),
    release: () => {
      releaseBytes(memory);
      memory = new Uint8Array(0);
      length = 0;
    },
  };
}
