/**
 * PutObject, create-only, and its proof: two calls when all goes well.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
import { FirnError } from "../../errors.ts";
import type { PutOutcome, PutSource } from "../contract.ts";
import { md5OfSource } from "../digest.ts";
import { proveStored, uploadStream } from "../upload-stream.ts";
import { askXml, failureOf, type S3Client, type S3XmlAnswer } from "./client.ts";
import { DIGEST_HEADER, findStanding, headObject } from "./head-object.ts";
import { writeHeaders } from "./object-headers.ts";
import { toStoreError, type S3Failure } from "./s3-errors.ts";

/** Writes an object. */
export async function putObject(client: S3Client, key: string, source: PutSource): Promise<PutOutcome> {
  source.signal?.throwIfAborted();
  if (client.dialect.createOnly === "none") {
    const standing = await findStanding(client, key);
    if (standing !== null) return { kind: "exists", info: standing };
  }
  const answer = await askPut(client, key, source);
  if (answer.kind === "failed" && !isTaken(answer.failure)) {
    throw toStoreError(failureOf("put", key), answer.failure);
  }
  source.signal?.throwIfAborted();
  const info = await headObject(client, key, "put");
  if (info === null) {
    const found = answer.kind === "failed" ? "it was taken, and is gone again" : "it was stored, and is not there";
    throw new FirnError("store_unavailable", `${failureOf("put", key)}: ${found}`);
  }
  return answer.kind === "failed" ? { kind: "exists", info } : { kind: "stored", info: proveStored(info, source) };
}

async function askPut(client: S3Client, key: string, source: PutSource): Promise<S3XmlAnswer> {
  const { dialect, config } = client;
  const headers = {
    ...(await writeHeaders(config, source.contentType)),
    "content-md5": (await md5OfSource(source)).toBase64(),
    [DIGEST_HEADER]: source.sha256.toHex(),
    ...(dialect.createOnly === "if-none-match" ? { "if-none-match": "*" } : {}),
    ...(dialect.sendsChecksum ? { "x-amz-checksum-sha256": source.sha256.toBase64() } : {}),
  };
  return askXml(client, {
    call: "put",
    method: "PUT",
    key,
    headers,
    sha256Hex: source.sha256.toHex(),
    transmit: (sendBody) => uploadStream(source, sendBody),
    // A large source over a slow line may take any time; who waits for it watches that it moves.
    timeout: source.signal === undefined ? client.timeouts.put : null,
    ...(source.signal === undefined ? {} : { signal: source.signal }),
  });
}

/** Codes of 409 that are about two calls at once, not about what stands under the key. */
const CONFLICTS: ReadonlySet<string | null> = new Set(["ConditionalRequestConflict", "OperationAborted"]);

/** Whether the condition of a create-only call did not hold: 412 everywhere, 409 where a store says it so. */
export function isTaken({ status, code }: S3Failure): boolean {
  return status === 412 || code === "PreconditionFailed" || (status === 409 && !CONFLICTS.has(code));
}
