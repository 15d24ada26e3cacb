/**
 * A look at a blob: its length, ETag and what Firn attached to it.
 * https://learn.microsoft.com/rest/api/storageservices/get-blob-properties
 */
import { FirnError } from "../../errors.ts";
import type { ObjectInfo } from "../contract.ts";
import { discard } from "../http/answer-body.ts";
import { failureOf, type AzureClient, type AzureRequest } from "./azure-client.ts";

/** Names of metadata: Azure takes C# identifiers only, so that there is no hyphen as in S3's `firn-sha256`. */
export const DIGEST_METADATA = "firnsha256";
export const UPLOAD_METADATA = "firnupload";

/** A blob, and which multipart upload made it; `null` when none of Firn's did. */
export interface BlobProperties {
  readonly info: ObjectInfo;
  readonly uploadId: string | null;
}

/** Describes a blob; `null` when there is none. */
export async function headBlob(client: AzureClient, key: string): Promise<BlobProperties | null> {
  const failure = failureOf("head", key);
  const request: AzureRequest = { method: "HEAD", failure, key, expects: 200 };
  const answer = await client.ask(request);
  if (answer.kind === "failed") {
    if (answer.failure.code === "BlobNotFound") return null;
    throw client.toError(request.failure, answer.failure);
  }
  const { headers } = answer.response;
  await discard(answer.response);
  const length = headers.get("content-length") ?? "";
  if (!/^\d{1,15}$/.test(length)) throw new FirnError("store_unavailable", `${failure}: the answer has no length`);
  const etag = headers.get("etag");
  const sha256Hex = headers.get(`x-ms-meta-${DIGEST_METADATA}`);
  return {
    info: { key, length: Number(length), etag: etag === null ? null : unquote(etag), sha256Hex },
    uploadId: headers.get(`x-ms-meta-${UPLOAD_METADATA}`),
  };
}

/** Takes the quotes off: headers have them, listings do not. */
export function unquote(etag: string): string {
  return etag.replace(/^"(.*)"$/, "$1");
}
