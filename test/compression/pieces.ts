import { bytesOf } from "./gzip-bytes.ts";

/** A source that counts. */
export interface Pieces extends AsyncIterable<Uint8Array> {
  readonly state: { readCount: number; isClosed: boolean };
}

/** Yields bytes in pieces of a size, and counts what was read. */
export function pieces(bytes: Uint8Array, size: number): Pieces {
  const state = { readCount: 0, isClosed: false };
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < bytes.length; at += size) {
        state.readCount++;
        yield bytes.subarray(at, at + size);
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, [Symbol.asyncIterator]: read };
}

/** Joins everything. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of source) all.push(piece);
  return bytesOf(...all);
}
