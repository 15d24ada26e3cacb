/** The bytes of an object as its writer had them before compression, counted. */
import { inflateStream } from "../compression/inflate-stream.ts";
import type { ObjectBody } from "./object-body.ts";
import type { RunningUsage } from "./usage.ts";
import type { VisibleObject } from "./visible.ts";

/**
 * Inflates an object piece by piece; a piece may be used again when the next one is asked for.
 * @param inflate gives the pieces
 * @throws FirnError `corrupt_object` when it is not what its name says, `store_unavailable` when the bytes do not come
 */
export async function* readRawBytes(
  { form }: VisibleObject,
  body: ObjectBody,
  usage: RunningUsage,
  inflate: typeof inflateStream = inflateStream,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of inflate(body.read(), form.compression)) {
    usage.rawBytes += piece.length;
    yield piece;
  }
}
