/**
 * Multipart uploads through the R2 binding. It takes neither a digest for a part nor a condition for a completion: the
 * way from a Worker to R2 is the platform's own. https://developers.cloudflare.com/r2/objects/multipart-objects/
 */
import { FirnError } from "../../errors.ts";
import type { MultipartUpload, PutOutcome, UploadedPart } from "../contract.ts";
import { answerGoneUpload, assertPart, assertParts, noSuchUpload, proveCompleted, toPartSource } from "../multipart.ts";
import { uploadStream } from "../upload-stream.ts";
import { askR2 } from "./r2-errors.ts";
import { toInfo, type R2StorageClass } from "./r2-object.ts";

/** What an object is to be. */
export interface R2UploadKind {
  readonly contentType: string;
  readonly storageClass: R2StorageClass | undefined;
}

/** Begins an upload. */
export async function createR2Upload(bucket: R2Bucket, key: string, kind: R2UploadKind): Promise<MultipartUpload> {
  const { contentType, storageClass } = kind;
  const options = { httpMetadata: { contentType }, ...(storageClass === undefined ? {} : { storageClass }) };
  const { uploadId } = await askR2("createMultipart", () => bucket.createMultipartUpload(key, options));
  return { key, uploadId };
}

/** Sends a part. */
export async function putR2Part(
  bucket: R2Bucket,
  upload: MultipartUpload,
  number: number,
  bytes: Uint8Array,
): Promise<UploadedPart> {
  assertPart(number, bytes);
  try {
    const send = (body: ReadableStream<Uint8Array>): Promise<R2UploadedPart> =>
      askR2("putPart", () => resume(bucket, upload).uploadPart(number, body));
    const { etag } = await uploadStream(toPartSource(bytes), send);
    return { number, etag, length: bytes.length };
  } catch (error) {
    throw isMissing(error) ? noSuchUpload("putPart", upload) : error;
  }
}

/** Makes the parts the object. */
export async function completeR2Upload(
  bucket: R2Bucket,
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
): Promise<PutOutcome> {
  assertParts(parts);
  const sent = parts.map(({ number, etag }) => ({ partNumber: number, etag }));
  try {
    const object = await askR2("completeMultipart", () => resume(bucket, upload).complete(sent));
    return { kind: "stored", info: proveCompleted(toInfo(object), parts) };
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const standing = await askR2("completeMultipart", () => bucket.head(upload.key));
  return answerGoneUpload(upload, parts, standing === null ? null : toInfo(standing));
}

/** Gives an upload up. */
export async function abortR2Upload(bucket: R2Bucket, upload: MultipartUpload): Promise<void> {
  try {
    await askR2("abortMultipart", () => resume(bucket, upload).abort());
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function resume(bucket: R2Bucket, { key, uploadId }: MultipartUpload): R2MultipartUpload {
  return bucket.resumeMultipartUpload(key, uploadId);
}

function isMissing(error: unknown): boolean {
  return error instanceof FirnError && error.kind === "object_not_found";
}
