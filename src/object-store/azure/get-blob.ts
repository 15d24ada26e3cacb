/**
 * A blob's bytes as they are stored, or a range of them.
 * https://learn.microsoft.com/rest/api/storageservices/get-blob
 */
import { FirnError } from "../../errors.ts";
import type { GetOptions } from "../contract.ts";
import { discard } from "../http/answer-body.ts";
import { answerUnsatisfiable, assertRange, emptyStream, formatRangeHeader, objectChanged } from "../range.ts";
import { failureOf, type AzureClient, type AzureRequest } from "./azure-client.ts";
import { headBlob } from "./head-blob.ts";

/** Opens a blob as the contract says. */
export async function getBlob(
  client: AzureClient,
  key: string,
  options: GetOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const { range, ifMatch } = options;
  assertRange(range);
  const failure = failureOf("get", key);
  const headers = {
    ...(range === undefined ? {} : { "x-ms-range": formatRangeHeader(range) }),
    ...(ifMatch === undefined ? {} : { "if-match": `"${ifMatch}"` }),
  };
  const expects = range === undefined ? 200 : 206;
  const request: AzureRequest = { method: "GET", failure, key, headers, expects, isRaw: true };
  const answer = await client.ask(request);
  if (answer.kind === "answered") {
    const { response } = answer;
    if (range === undefined || beginsAt(response.headers, range.offset)) return response.body ?? emptyStream();
    await discard(response);
    throw new FirnError("store_unavailable", `${failure} from byte ${range.offset}: the answer is another range`);
  }
  const { status, code } = answer.failure;
  if (status === 416 && range !== undefined) {
    const info = (await headBlob(client, key))?.info ?? null;
    return answerUnsatisfiable(key, { ...options, range }, info);
  }
  if (code === "ConditionNotMet" && ifMatch !== undefined) throw await explainMismatch(client, key, ifMatch);
  throw client.toError(request.failure, answer.failure);
}

/** The condition may be looked at before the blob is: one that does not exist is not a changed one. */
async function explainMismatch(client: AzureClient, key: string, ifMatch: string): Promise<FirnError> {
  if ((await headBlob(client, key)) !== null) return objectChanged(key, ifMatch);
  return new FirnError("object_not_found", `${failureOf("get", key)}: it does not exist`);
}

function beginsAt(headers: Headers, offset: number): boolean {
  return headers.get("content-range")?.startsWith(`bytes ${offset}-`) === true;
}
