/** Multipart uploads of a store in memory: create-only at their completion, and forgotten with it. */
import { FirnError } from "../../errors.ts";
import type { MultipartUpload, PutOutcome, UploadedPart } from "../contract.ts";
import { answerGoneUpload, assertPart, assertParts, noSuchUpload } from "../multipart.ts";
import { headMemory, type MemoryState } from "./memory-objects.ts";

/** Begins an upload. */
export function createMemoryUpload({ uploads }: MemoryState, key: string, contentType: string): MultipartUpload {
  const uploadId = crypto.randomUUID();
  uploads.set(uploadId, { key, contentType, parts: new Map() });
  return { key, uploadId };
}

/** Takes a part. */
export function putMemoryPart(
  { uploads }: MemoryState,
  upload: MultipartUpload,
  number: number,
  bytes: Uint8Array,
): UploadedPart {
  assertPart(number, bytes);
  const open = uploads.get(upload.uploadId);
  if (open === undefined) throw noSuchUpload("putPart", upload);
  const etag = crypto.randomUUID();
  open.parts.set(number, { bytes: bytes.slice(), etag });
  return { number, etag, length: bytes.length };
}

/** Makes the parts the object. */
export function completeMemoryUpload(
  state: MemoryState,
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
): PutOutcome {
  const length = assertParts(parts);
  const open = state.uploads.get(upload.uploadId);
  const standing = headMemory(state, upload.key);
  if (open === undefined) return answerGoneUpload(upload, parts, standing);
  if (standing !== null) return { kind: "exists", info: standing };
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    const sent = open.parts.get(part.number);
    if (sent === undefined || sent.etag !== part.etag) {
      const message = `Cannot completeMultipart of "${upload.key}": part ${part.number} is not the one that was sent`;
      throw new FirnError("store_refused", message);
    }
    bytes.set(sent.bytes, at);
    at += sent.bytes.length;
  }
  const object = { bytes, contentType: open.contentType, sha256Hex: null };
  state.objects.set(upload.key, object);
  state.uploads.delete(upload.uploadId);
  return { kind: "stored", info: { key: upload.key, length, etag: state.etagOf(object), sha256Hex: null } };
}
