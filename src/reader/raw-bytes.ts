/** The bytes of an object as its writer had them before compression, counted. */
import type { PieceSize } from "../compression/deflate-engines.ts";
import { inflateMembers } from "../compression/inflate-members.ts";
import type { ObjectBody } from "./object-body.ts";
import type { RunningUsage } from "./usage.ts";
import type { VisibleObject } from "./visible.ts";

/**
 * Inflates an object piece by piece; a piece is valid until the next one is asked for.
 * @param body - may have passing pieces
 * @param size - of pieces of gzip
 * @throws FirnError `corrupt_object` when it is not what its name says, `store_unavailable` when the bytes do not come
 */
export async function* readRawBytes(
  { form }: VisibleObject,
  body: ObjectBody,
  usage: RunningUsage,
  size?: PieceSize,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of inflateMembers(body.read(), form.compression, size)) {
    usage.rawBytes += piece.length;
    yield piece;
  }
}
