/**
 * Reads the bytes of an object, inflated, in small pieces and at the pace of the consumer, whatever the object's size.
 * Checksums and lengths are checked, but only after bytes were given out: a consumer trusts them when the iteration has
 * ended.
 */
import { unreachable } from "../errors.ts";
import { openWindow, takePiece, type ByteSource, type ByteWindow } from "./byte-source.ts";
import { toCorruptObject } from "./corrupt-object.ts";
import { inflateGzipMembers } from "./inflate-gzip.ts";
import { inflateZstdFrames } from "./inflate-zstd.ts";
import type { Compression } from "./member.ts";

/**
 * Inflates the bytes of an object.
 * @param source is closed at the end, after a failure, and when the consumer stops.
 * @returns pieces of at most `STREAM_PIECE_BYTES`; what the source throws is thrown as it is.
 * @throws FirnError `corrupt_object` on truncation, a wrong checksum or length, and on anything that is not a member.
 */
export async function* inflateStream(
  source: ByteSource,
  compression: Compression,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = openWindow(source);
  try {
    if (compression !== "none" && !(await input.fill(1))) throw toCorruptObject("no bytes", `${compression} data`);
    yield* inflateWindow(input, compression);
  } finally {
    await input.close();
  }
}

function inflateWindow(input: ByteWindow, compression: Compression): AsyncGenerator<Uint8Array, void, undefined> {
  switch (compression) {
    case "gzip":
      return inflateGzipMembers(input);
    case "zstd":
      return inflateZstdFrames(input);
    case "none":
      return passPieces(input);
    default:
      return unreachable(compression, "compression");
  }
}

async function* passPieces(input: ByteWindow): AsyncGenerator<Uint8Array, void, undefined> {
  while (await input.fill(1)) yield takePiece(input);
}
