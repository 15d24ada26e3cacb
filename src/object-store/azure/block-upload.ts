/**
 * Multipart uploads as blocks. Beginning one and giving it up cost no call, since Azure knows only blocks: those of no
 * blob vanish after a week, or when a blob is made under their name. Azure can therefore not say that an upload was
 * aborted or completed; a completed one is known by the nonce in its blob's metadata.
 * https://learn.microsoft.com/rest/api/storageservices/put-block-list
 */
import type { AzureStorageConfig } from "../../config/storage-config.ts";
import { FirnError } from "../../errors.ts";
import type { MultipartUpload, PutOutcome, UploadedPart } from "../contract.ts";
import { md5Of } from "../digest.ts";
import { discard } from "../http/answer-body.ts";
import { assertPart, assertParts, noSuchUpload, proveCompleted } from "../multipart.ts";
import { failureOf, type AzureBody, type AzureClient, type AzureRequest } from "./azure-client.ts";
import { formatBlockId, formatBlockList, formatUploadId, parseUploadId, type BlockUpload } from "./blocks.ts";
import { askMakingContainer } from "./container.ts";
import { headBlob, UPLOAD_METADATA } from "./head-blob.ts";
import { formatBlobHeaders, goneAgain, isTaken } from "./put-blob.ts";

/** Begins an upload: nothing but a name for it. */
export function beginBlockUpload(key: string, contentType: string): MultipartUpload {
  return { key, uploadId: formatUploadId({ nonce: crypto.randomUUID(), contentType }) };
}

/** Sends a part as a block. */
export async function putBlock(
  client: AzureClient,
  config: AzureStorageConfig,
  { upload, number, bytes }: { readonly upload: MultipartUpload; readonly number: number; readonly bytes: Uint8Array },
): Promise<UploadedPart> {
  assertPart(number, bytes);
  const { key, uploadId } = upload;
  const md5 = await md5Of(bytes);
  const part: UploadedPart = { number, etag: md5.toHex(), length: bytes.length };
  const parsed = parseUploadId(uploadId);
  const blockid = parsed === null ? null : formatBlockId({ nonce: parsed.nonce, number, md5Hex: part.etag });
  if (blockid === null) throw noSuchUpload("putPart", upload);
  const request: AzureRequest = {
    method: "PUT",
    failure: failureOf("putPart", key),
    key,
    query: { comp: "block", blockid },
    headers: { "content-md5": md5.toBase64() },
    body: bodyOf(bytes),
    expects: 201,
    timeout: client.timeouts.put,
  };
  const answer = await askMakingContainer(client, config, request);
  if (answer.kind === "failed") throw client.toError(request.failure, answer.failure);
  await discard(answer.response);
  return part;
}

/** Makes the blob of its blocks. */
export async function commitBlocks(
  client: AzureClient,
  config: AzureStorageConfig,
  { upload, parts }: { readonly upload: MultipartUpload; readonly parts: readonly UploadedPart[] },
): Promise<PutOutcome> {
  assertParts(parts);
  const { key } = upload;
  const parsed = parseUploadId(upload.uploadId);
  if (parsed === null) throw noSuchUpload("completeMultipart", upload);
  const failure = failureOf("completeMultipart", key);
  const commit = await formatCommit({ config, failure, key, upload: parsed, parts });
  const request = { ...commit, timeout: client.timeouts.put };
  const answer = await client.ask(request);
  if (answer.kind === "answered") await discard(answer.response);
  const code = answer.kind === "failed" ? answer.failure.code : null;
  // Whether the condition or the list is looked at first is Azure's: either may be how an earlier success looks now.
  if (answer.kind === "failed" && !isTaken(code) && code !== "InvalidBlockList") {
    throw client.toError(request.failure, answer.failure);
  }
  const blob = await headBlob(client, key);
  if (blob?.uploadId === parsed.nonce) return { kind: "stored", info: proveCompleted(blob.info, parts) };
  if (answer.kind === "answered") {
    throw new FirnError("store_unavailable", `Cannot prove object "${key}": it is not that of the upload`);
  }
  if (blob !== null) return { kind: "exists", info: blob.info };
  if (code !== "InvalidBlockList") throw goneAgain(failure);
  throw unknownPart(failure, "Azure does not know a part (InvalidBlockList)");
}

interface Commit {
  readonly config: AzureStorageConfig;
  readonly failure: string;
  readonly key: string;
  readonly upload: BlockUpload;
  readonly parts: readonly UploadedPart[];
}

async function formatCommit({ config, failure, key, upload, parts }: Commit): Promise<AzureRequest> {
  const { nonce, contentType } = upload;
  const blockIds = parts.map(({ number, etag }) => formatBlockId({ nonce, number, md5Hex: etag }));
  if (!blockIds.every((id) => id !== null)) throw unknownPart(failure, "a part is not of this store");
  const bytes = new TextEncoder().encode(formatBlockList(blockIds));
  return {
    method: "PUT",
    failure,
    key,
    query: { comp: "blocklist" },
    headers: {
      ...formatBlobHeaders(config, contentType),
      "content-md5": (await md5Of(bytes)).toBase64(),
      [`x-ms-meta-${UPLOAD_METADATA}`]: nonce,
    },
    body: bodyOf(bytes),
    expects: 201,
  };
}

function unknownPart(failure: string, found: string): FirnError {
  return new FirnError("store_refused", `${failure}: ${found}, begin a new upload`);
}

function bodyOf(bytes: Uint8Array): AzureBody {
  return { length: bytes.length, send: (call) => call(bytes) };
}
