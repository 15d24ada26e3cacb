/**
 * DeleteObjects, or DeleteObject where one is enough or the store has no batch.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
import { sha256HexOf } from "../../bytes.ts";
import { FirnError } from "../../errors.ts";
import { DELETE_CONCURRENCY } from "../../limits.ts";
import { assertDeletable, assertSameVersion } from "../bounds.ts";
import type { DeleteOptions } from "../contract.ts";
import { md5Of } from "../digest.ts";
import { discard } from "../http/answer-body.ts";
import { textOf } from "../http/xml.ts";
import { objectChanged } from "../range.ts";
import { ask, askXml, failureOf, innerFailures, type S3Client } from "./client.ts";
import { headObject } from "./head-object.ts";
import { kindOf, toStoreError } from "./s3-errors.ts";
import { escapeXml, isXmlText } from "./write-xml.ts";

/** Deletes objects; those that do not exist are no error. */
export async function deleteObjects(
  client: S3Client,
  keys: readonly string[],
  options: DeleteOptions = {},
): Promise<void> {
  assertDeletable(keys, options);
  const isChecked = !client.dialect.deletesIfMatch;
  if (isChecked) await assertSameVersion((key) => headObject(client, key, "delete"), keys, options);
  else if (options.ifMatch !== undefined) {
    for (const key of keys) await deleteOne(client, key, options.ifMatch);
    return;
  }
  const inBatch = client.dialect.deletesInBatch ? keys.filter(isSafeInXml) : [];
  const isBatch = inBatch.length > 1;
  if (isBatch) await deleteBatch(client, inBatch);
  await deleteEach(client, isBatch ? keys.filter((key) => !isSafeInXml(key)) : keys);
}

/** Some stores trim what they parse, and would delete another object. */
function isSafeInXml(key: string): boolean {
  return isXmlText(key) && key === key.trim();
}

async function deleteEach(client: S3Client, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += DELETE_CONCURRENCY) {
    await Promise.all(keys.slice(at, at + DELETE_CONCURRENCY).map((key) => deleteOne(client, key)));
  }
}

async function deleteOne(client: S3Client, key: string, ifMatch?: string): Promise<void> {
  const headers = ifMatch === undefined ? {} : { "if-match": `"${ifMatch}"` };
  const answer = await ask(client, { call: "delete", method: "DELETE", key, headers });
  if (answer.kind === "answered") return discard(answer.response);
  if (ifMatch !== undefined && kindOf(answer.failure) === "object_changed") throw objectChanged(key, ifMatch, "delete");
  if (answer.failure.code !== "NoSuchKey") throw toStoreError(failureOf("delete", key), answer.failure);
}

async function deleteBatch(client: S3Client, keys: readonly string[]): Promise<void> {
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join("");
  const xml = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects}</Delete>`;
  const body = new TextEncoder().encode(xml);
  const failure = failureOf("delete", null);
  const answer = await askXml(client, {
    call: "delete",
    method: "POST",
    key: null,
    query: { delete: "" },
    headers: { "content-type": "application/xml", "content-md5": (await md5Of(body)).toBase64() },
    sha256Hex: await sha256HexOf(body),
    transmit: (sendBody) => sendBody(body),
  });
  if (answer.kind === "failed") throw toStoreError(failure, answer.failure);
  const { document, response } = answer;
  if (document?.name !== "DeleteResult") {
    throw new FirnError("store_unavailable", `${failure}: the answer does not say what was deleted`);
  }
  for (const { element, failure: inner } of innerFailures({ document, response })) {
    if (inner.code !== "NoSuchKey") throw toStoreError(failureOf("delete", textOf(element, "Key")), inner);
  }
}
