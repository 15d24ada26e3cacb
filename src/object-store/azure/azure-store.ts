/**
 * A container of Azure Blob Storage, by Shared Key or a shared access signature. Create-only by itself; enforces the
 * MD5 of a put. For accounts without a hierarchical namespace. Settings are `config/`'s, a call is a file of its own.
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 */
import type { AzureStorageConfig } from "../../config/storage-config.ts";
import { AZURE_DELETE_CONCURRENCY } from "../../limits.ts";
import { assertDeletable } from "../bounds.ts";
import type { DeleteOptions, ObjectStore } from "../contract.ts";
import { discard } from "../http/answer-body.ts";
import { objectChanged } from "../range.ts";
import { failureOf, openAzureClient, type AzureClient, type AzureDeps, type AzureRequest } from "./azure-client.ts";
import { beginBlockUpload, commitBlocks, putBlock } from "./block-upload.ts";
import { getBlob } from "./get-blob.ts";
import { headBlob } from "./head-blob.ts";
import { openBlobListing } from "./list-blobs.ts";
import { putBlob } from "./put-blob.ts";

/** Opens the store that the settings describe; asks nothing of it yet. */
export function openAzureStore(config: AzureStorageConfig, deps: AzureDeps): ObjectStore {
  const client = openAzureClient(config, deps);
  return {
    identity: `azure:${config.endpoint}/${config.container}`,
    traits: { createOnly: "atomic", sendsMd5: true },
    put: (key, source) => putBlob(client, config, { key, source }),
    get: (key, options) => getBlob(client, key, options),
    head: async (key) => (await headBlob(client, key))?.info ?? null,
    list: openBlobListing(client),
    delete: (keys, options) => deleteBlobs(client, keys, options),
    createMultipart: async (key, contentType) => beginBlockUpload(key, contentType),
    putPart: (upload, number, bytes) => putBlock(client, config, { upload, number, bytes }),
    completeMultipart: (upload, parts) => commitBlocks(client, config, { upload, parts }),
    abortMultipart: async () => undefined,
  };
}

/**
 * Deletes one by one, a few at a time: the batch call takes a body of its own kind, and no signature but an account's.
 * After an error no further delete begins, and those under way are waited for.
 */
async function deleteBlobs(client: AzureClient, keys: readonly string[], options: DeleteOptions = {}): Promise<void> {
  assertDeletable(keys, options);
  const waiting = keys.values();
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    for (const key of waiting) {
      if (failures.length > 0) return;
      try {
        await deleteBlob(client, key, options);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AZURE_DELETE_CONCURRENCY }, work));
  if (failures.length > 0) throw failures[0];
}

async function deleteBlob(client: AzureClient, key: string, { ifMatch }: DeleteOptions): Promise<void> {
  const request: AzureRequest = {
    method: "DELETE",
    failure: failureOf("delete", key),
    key,
    headers: { "x-ms-delete-snapshots": "include", ...(ifMatch === undefined ? {} : { "if-match": `"${ifMatch}"` }) },
    expects: 202,
  };
  const answer = await client.ask(request);
  if (answer.kind === "answered") return discard(answer.response);
  const { code } = answer.failure;
  if (code === "BlobNotFound") return;
  if (ifMatch === undefined || code !== "ConditionNotMet") throw client.toError(request.failure, answer.failure);
  // The condition may be looked at before the blob is.
  if ((await headBlob(client, key)) !== null) throw objectChanged(key, ifMatch, "delete");
}
