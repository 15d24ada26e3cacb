/**
 * Ranges of bytes, which stores know apart from HTTP's in two things: an empty one at the end of an object is fine, and
 * one behind its end is a caller's mistake. No store tells these two apart in its answer, so that a look at it decides.
 */
import { FirnError } from "../errors.ts";
import type { GetOptions, ObjectInfo } from "./contract.ts";

/** A range of an object, as a caller asks for it. */
export type ByteRange = NonNullable<GetOptions["range"]>;

/** @throws RangeError when no object could have this range: offsets start at 0, lengths at 1. */
export function assertRange(range: ByteRange | undefined): void {
  if (range === undefined) return;
  const { offset, length = 1 } = range;
  if (Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length >= 1) return;
  throw new RangeError(`Cannot get: offset is ${offset}, length ${length}, expected offset ≥ 0 and length ≥ 1`);
}

/** Formats the value of an HTTP `Range` header. https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2 */
export function formatRangeHeader({ offset, length }: ByteRange): string {
  return length === undefined ? `bytes=${offset}-` : `bytes=${offset}-${offset + length - 1}`;
}

/**
 * Decides what a store meant that could not satisfy a range (HTTP 416): nothing is left at the end of the object, or
 * the range begins behind it.
 * @param info what a head says after that answer
 * @throws RangeError, FirnError `object_not_found`, `object_changed`; `store_unavailable` when the range is satisfiable
 */
export function answerUnsatisfiable(
  key: string,
  options: { readonly range: ByteRange; readonly ifMatch?: string },
  info: ObjectInfo | null,
): ReadableStream<Uint8Array> {
  if (info === null) throw new FirnError("object_not_found", `Cannot get object "${key}": it does not exist`);
  if (options.ifMatch !== undefined && info.etag !== options.ifMatch) throw objectChanged(key, options.ifMatch);
  const { offset } = options.range;
  if (offset > info.length) {
    throw new RangeError(`Cannot get object "${key}" from byte ${offset}: it has ${info.length} bytes`);
  }
  if (offset === info.length) return emptyStream();
  const found = `the store finds nothing there, but ${info.length} bytes in all`;
  throw new FirnError("store_unavailable", `Cannot get object "${key}" from byte ${offset}: ${found}`);
}

/** The error of an `ifMatch` that does not match. */
export function objectChanged(key: string, ifMatch: string, call: "get" | "delete" = "get"): FirnError {
  return new FirnError("object_changed", `Cannot ${call} object "${key}": it is not the one with ETag "${ifMatch}"`);
}

/** A stream without bytes, for readers that bring their buffer too. */
export function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    pull: (controller) => {
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}
