/** What all stores check of multipart uploads beforehand, and what an upload that is gone means to its completion. */
import { FirnError } from "../errors.ts";
import { MULTIPART_MAX_PARTS, MULTIPART_PART_MIN_BYTES, PASSING_PIECE_BYTES } from "../limits.ts";
import type { MultipartUpload, ObjectInfo, PutOutcome, UploadedPart } from "./contract.ts";
import type { UploadSource } from "./upload-stream.ts";

/** @throws RangeError when a part has a number that no store takes, or no bytes. */
export function assertPart(number: number, bytes: Uint8Array): void {
  if (!Number.isInteger(number) || number < 1 || number > MULTIPART_MAX_PARTS) {
    throw new RangeError(`Cannot put part ${number}, expected a number from 1 to ${MULTIPART_MAX_PARTS}`);
  }
  if (bytes.length === 0) throw new RangeError(`Cannot put part ${number}: it is empty`);
}

/** Makes a part the body of a call as a stream: of an array the runtime makes a copy before it sends it. */
export function toPartSource(bytes: Uint8Array): UploadSource {
  return { length: bytes.length, open: () => cutPart(bytes) };
}

async function* cutPart(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += PASSING_PIECE_BYTES) yield bytes.subarray(at, at + PASSING_PIECE_BYTES);
}

/**
 * Holds the parts of an object to what every store takes: from 1, ascending, without a gap; all but the last of one
 * size, which the last one does not exceed.
 * @returns their length together
 * @throws RangeError
 */
export function assertParts(parts: readonly UploadedPart[]): number {
  const { length: size } = parts[0] ?? { length: 0 };
  if (parts.length === 0) throw new RangeError("Cannot complete a multipart upload without parts");
  let length = 0;
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const fits = isLast ? part.length <= size : part.length === size && size >= MULTIPART_PART_MIN_BYTES;
    if (part.number !== index + 1) {
      throw new RangeError(`Cannot complete a multipart upload: part ${part.number} stands in place ${index + 1}`);
    }
    if (!fits) {
      const wanted = `expected ${size} bytes as in the first, and at least ${MULTIPART_PART_MIN_BYTES} but in the last`;
      throw new RangeError(
        `Cannot complete a multipart upload: part ${part.number} has ${part.length} bytes, ${wanted}`,
      );
    }
    length += part.length;
  }
  return length;
}

/**
 * Decides what a store meant that knows no such upload when it is to be completed: either an earlier call completed it
 * and its answer was lost, or it was aborted. Nobody else writes such a key, so that what stands there is the upload's.
 * @param info what a head says after that answer
 * @throws FirnError `object_not_found`
 */
export function answerGoneUpload(
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
  info: ObjectInfo | null,
): PutOutcome {
  if (info !== null && info.sha256Hex === null && info.length === assertParts(parts)) return { kind: "stored", info };
  throw noSuchUpload("completeMultipart", upload);
}

/** The error of an upload that was completed or aborted. */
export function noSuchUpload(call: "putPart" | "completeMultipart", { key }: MultipartUpload): FirnError {
  return new FirnError("object_not_found", `Cannot ${call} of "${key}": the upload does not exist any more`);
}

/**
 * Holds a completed object to the length of its parts.
 * @throws FirnError `store_unavailable` when it differs
 */
export function proveCompleted(info: ObjectInfo, parts: readonly UploadedPart[]): ObjectInfo {
  const length = assertParts(parts);
  if (info.length === length) return info;
  const found = `the store describes ${info.length} bytes, expected ${length} bytes`;
  throw new FirnError("store_unavailable", `Cannot prove object "${info.key}": ${found}`);
}
