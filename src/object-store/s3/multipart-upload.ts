/** Objects in parts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
import { sha256HexOf } from "../../bytes.ts";
import { FirnError } from "../../errors.ts";
import type { MultipartUpload, PutOutcome, UploadedPart } from "../contract.ts";
import { md5Of } from "../digest.ts";
import { discard } from "../http/answer-body.ts";
import { textOf } from "../http/xml.ts";
import { answerGoneUpload, assertPart, assertParts, noSuchUpload, proveCompleted, toPartSource } from "../multipart.ts";
import { uploadStream } from "../upload-stream.ts";
import { ask, askXml, failureOf, type S3Client, type S3XmlAnswer } from "./client.ts";
import { headObject } from "./head-object.ts";
import { customerKeyHeaders, writeHeaders } from "./object-headers.ts";
import { isTaken } from "./put-object.ts";
import { toStoreError } from "./s3-errors.ts";
import { escapeXml } from "./write-xml.ts";

/** CreateMultipartUpload. */
export async function createUpload(client: S3Client, key: string, contentType: string): Promise<MultipartUpload> {
  const call = "createMultipart";
  const headers = await writeHeaders(client.config, contentType);
  const answer = await askXml(client, { call, method: "POST", key, query: { uploads: "" }, headers });
  const failure = failureOf(call, key);
  if (answer.kind === "failed") throw toStoreError(failure, answer.failure);
  const uploadId = answer.document === null ? null : textOf(answer.document.root, "UploadId");
  if (uploadId !== null && uploadId !== "") return { key, uploadId };
  throw new FirnError("store_unavailable", `${failure}: the answer does not name the upload`);
}

/** UploadPart. */
export async function uploadPart(
  client: S3Client,
  upload: MultipartUpload,
  number: number,
  bytes: Uint8Array,
): Promise<UploadedPart> {
  assertPart(number, bytes);
  const { key, uploadId } = upload;
  const call = "putPart";
  const answer = await askXml(client, {
    call,
    method: "PUT",
    key,
    query: { partNumber: String(number), uploadId },
    headers: { "content-md5": (await md5Of(bytes)).toBase64(), ...(await customerKeyHeaders(client.config)) },
    sha256Hex: await sha256HexOf(bytes),
    transmit: (sendBody) => uploadStream(toPartSource(bytes), sendBody),
    timeout: client.timeouts.put,
  });
  const failure = failureOf(call, key);
  if (answer.kind === "failed") {
    throw answer.failure.code === "NoSuchUpload" ? noSuchUpload(call, upload) : toStoreError(failure, answer.failure);
  }
  // With its quotes: that is how stores want to see it again.
  const etag = answer.response.headers.get("etag");
  if (etag !== null) return { number, etag, length: bytes.length };
  throw new FirnError("store_unavailable", `${failure}: the answer does not name the part`);
}

/** CompleteMultipartUpload, and a look at what stands there. */
export async function completeUpload(
  client: S3Client,
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
): Promise<PutOutcome> {
  assertParts(parts);
  const { key } = upload;
  const call = "completeMultipart";
  const failure = failureOf(call, key);
  const answer = await askComplete(client, upload, parts);
  if (answer.kind === "failed") {
    const isGone = answer.failure.code === "NoSuchUpload";
    if (!isGone && !isTaken(answer.failure)) throw toStoreError(failure, answer.failure);
    const info = await headObject(client, key, call);
    // Where the condition goes first, an upload that was completed before meets its own object.
    if (isGone || (info?.sha256Hex === null && info.length === assertParts(parts))) {
      return answerGoneUpload(upload, parts, info);
    }
    if (info !== null) return { kind: "exists", info };
    throw new FirnError("store_unavailable", `${failure}: the key was taken, and is free again`);
  }
  if (answer.document?.name !== "CompleteMultipartUploadResult") {
    throw new FirnError("store_unavailable", `${failure}: the answer does not say that it is done`);
  }
  const info = await headObject(client, key, call);
  if (info !== null) return { kind: "stored", info: proveCompleted(info, parts) };
  throw new FirnError("store_unavailable", `${failure}: it was completed, and is not there`);
}

async function askComplete(
  client: S3Client,
  { key, uploadId }: MultipartUpload,
  parts: readonly UploadedPart[],
): Promise<S3XmlAnswer> {
  const list = parts
    .map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`)
    .join("");
  const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
  const xml = `<CompleteMultipartUpload xmlns="${namespace}">${list}</CompleteMultipartUpload>`;
  const body = new TextEncoder().encode(xml);
  return askXml(client, {
    call: "completeMultipart",
    method: "POST",
    key,
    query: { uploadId },
    headers: {
      "content-type": "application/xml",
      ...(client.dialect.completesCreateOnly ? { "if-none-match": "*" } : {}),
    },
    sha256Hex: await sha256HexOf(body),
    transmit: (sendBody) => sendBody(body),
    timeout: client.timeouts.put,
  });
}

/** AbortMultipartUpload. */
export async function abortUpload(client: S3Client, { key, uploadId }: MultipartUpload): Promise<void> {
  const call = "abortMultipart";
  const answer = await ask(client, { call, method: "DELETE", key, query: { uploadId } });
  if (answer.kind === "answered") return discard(answer.response);
  if (answer.failure.code !== "NoSuchUpload") throw toStoreError(failureOf(call, key), answer.failure);
}
