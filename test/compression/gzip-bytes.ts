import { gzipSync } from "node:zlib";

/** Parts of gzip members for tests, so that a case shows what is wrong with it. */
export const FLAGS = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

export function bytesOf(...parts: readonly (Uint8Array | readonly number[] | string)[]): Uint8Array {
  const pieces = parts.map((part) =>
    typeof part === "string" ? new TextEncoder().encode(part) : Uint8Array.from(part),
  );
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** A member of this text. */
export function member(content: string): Uint8Array {
  return Uint8Array.from(gzipSync(new TextEncoder().encode(content)));
}

/** The same member with other flags and with header fields, which stand after the ten fixed bytes. */
export function withHeader(
  plain: Uint8Array,
  flags: number,
  ...fields: readonly (readonly number[] | string)[]
): Uint8Array {
  return bytesOf(plain.subarray(0, 3), [flags], plain.subarray(4, 10), ...fields, plain.subarray(10));
}

/** A copy with one byte changed; a negative index counts from the end. */
export function withByte(bytes: Uint8Array, index: number, change: (byte: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = index < 0 ? bytes.length + index : index;
  copy[at] = change(copy[at] ?? 0);
  return copy;
}

/** Bytes that do not compress. */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** A stream of pieces. */
export function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const result = await iterator.next();
      if (result.done === true) controller.close();
      else controller.enqueue(result.value);
    },
    cancel: async () => {
      await iterator.return?.();
    },
  });
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
