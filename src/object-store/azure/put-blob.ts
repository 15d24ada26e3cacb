/**
 * A put: Put Blob with the MD5 that Azure enforces, create-only, and a look at the blob as the proof. Two calls where
 * nothing goes wrong. https://learn.microsoft.com/rest/api/storageservices/put-blob
 */
import type { AzureStorageConfig } from "../../config/storage-config.ts";
import { FirnError } from "../../errors.ts";
import { AZURE_PUT_MAX_BYTES } from "../../limits.ts";
import { readExactly } from "../bounds.ts";
import type { ObjectInfo, PutOutcome, PutSource } from "../contract.ts";
import { discard } from "../http/answer-body.ts";
import { proveStored, uploadStream } from "../upload-stream.ts";
import { failureOf, type AzureClient, type AzureRequest } from "./azure-client.ts";
import { askMakingContainer } from "./container.ts";
import { DIGEST_METADATA, headBlob } from "./head-blob.ts";

/**
 * Codes that mean that the key is taken. The last one is given to a signature that may create and not write, which is
 * the better one to have.
 */
const TAKEN: ReadonlySet<string> = new Set(["BlobAlreadyExists", "ConditionNotMet", "UnauthorizedBlobOverwrite"]);

/** Says whether a write was refused because the key is taken. */
export function isTaken(code: string | null): boolean {
  return code !== null && TAKEN.has(code);
}

/** The error of a key that was taken when it was written and is gone when it is looked at. */
export function goneAgain(failure: string): FirnError {
  return new FirnError("store_unavailable", `${failure}: it was taken, and is gone again`);
}

/** What is said of a blob while it is made, whole or from blocks. */
export function formatBlobHeaders(config: AzureStorageConfig, contentType: string): Readonly<Record<string, string>> {
  const { accessTier, tags } = config;
  const encoded = tags.map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  return {
    "if-none-match": "*",
    "x-ms-blob-content-type": contentType,
    ...(accessTier === null ? {} : { "x-ms-access-tier": accessTier }),
    ...(encoded === "" ? {} : { "x-ms-tags": encoded }),
  };
}

/** Puts a blob as the contract says. */
export async function putBlob(
  client: AzureClient,
  config: AzureStorageConfig,
  { key, source }: { readonly key: string; readonly source: PutSource },
): Promise<PutOutcome> {
  const failure = failureOf("put", key);
  if (source.length > AZURE_PUT_MAX_BYTES) {
    const found = `it has ${source.length} bytes, and Azure takes at most ${AZURE_PUT_MAX_BYTES} bytes in one piece`;
    throw new FirnError("store_refused", `${failure}: ${found}`);
  }
  const md5 = source.md5 ?? (await digest(source, failure));
  const request: AzureRequest = {
    method: "PUT",
    failure,
    key,
    headers: {
      ...formatBlobHeaders(config, source.contentType),
      "content-md5": md5.toBase64(),
      "x-ms-blob-type": "BlockBlob",
      [`x-ms-meta-${DIGEST_METADATA}`]: source.sha256.toHex(),
    },
    body: { length: source.length, send: (call) => uploadStream(source, call) },
    expects: 201,
    // A large source over a slow line may take any time; who waits for it watches that it moves.
    timeout: source.signal === undefined ? client.timeouts.put : null,
    ...(source.signal === undefined ? {} : { signal: source.signal }),
  };
  const answer = await askMakingContainer(client, config, request);
  source.signal?.throwIfAborted();
  if (answer.kind === "answered") {
    await discard(answer.response);
    return { kind: "stored", info: await prove(client, key, source) };
  }
  if (!isTaken(answer.failure.code)) throw client.toError(request.failure, answer.failure);
  const standing = await headBlob(client, key);
  if (standing === null) throw goneAgain(failure);
  return { kind: "exists", info: standing.info };
}

async function prove(client: AzureClient, key: string, source: PutSource): Promise<ObjectInfo> {
  const blob = await headBlob(client, key);
  if (blob !== null) return proveStored(blob.info, source);
  throw new FirnError("store_unavailable", `Cannot prove object "${key}": it was stored, and is gone again`);
}

/** Reads the source once ahead of its put for the digest that Azure enforces, and for the one that it cannot. */
async function digest(source: PutSource, failure: string): Promise<Uint8Array> {
  const md5 = new crypto.DigestStream("MD5");
  const sha256 = new crypto.DigestStream("SHA-256");
  const writers = [md5.getWriter(), sha256.getWriter()];
  try {
    for await (const piece of readExactly(source)) {
      source.signal?.throwIfAborted();
      await Promise.all(writers.map((writer) => writer.write(piece)));
    }
  } catch (error) {
    await Promise.allSettled([...writers.map((writer) => writer.abort(error)), md5.digest, sha256.digest]);
    throw error;
  }
  await Promise.all(writers.map((writer) => writer.close()));
  if (new Uint8Array(await sha256.digest).toHex() === source.sha256.toHex()) return new Uint8Array(await md5.digest);
  throw new FirnError("store_unavailable", `${failure}: its bytes have another digest than it says`);
}
