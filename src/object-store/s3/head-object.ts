/** HeadObject: what stands under a key. Also the proof of every put (protocol 4.3). */
import { FirnError } from "../../errors.ts";
import type { ObjectInfo, StoreCall } from "../contract.ts";
import { discard } from "../http/answer-body.ts";
import { ask, failureOf, type S3Answer, type S3Client, type S3Request } from "./client.ts";
import { customerKeyHeaders } from "./object-headers.ts";
import { toStoreError } from "./s3-errors.ts";

/** Metadata under which Firn's digest stands. */
export const DIGEST_HEADER = "x-amz-meta-firn-sha256";

/**
 * Describes an object.
 * @param call the call that it is part of, for messages
 * @returns `null` when the store says that there is none
 */
export async function headObject(client: S3Client, key: string, call: StoreCall = "head"): Promise<ObjectInfo | null> {
  const failure = failureOf(call, key);
  const answer = await askHead(client, key, call);
  if (answer.kind === "answered") {
    const { response } = answer;
    await discard(response);
    return readInfo(key, response.headers, failure);
  }
  if (answer.failure.code === "NoSuchKey") return null;
  throw toStoreError(failure, answer.failure);
}

/**
 * Looks whether a key is free, ahead of a put that will find out what else may be missing.
 * @returns `null` when it is, or seems to be
 */
export async function findStanding(client: S3Client, key: string): Promise<ObjectInfo | null> {
  const answer = await ask(client, await headRequest(client, key, "put"));
  if (answer.kind === "failed") return answer.failure.status === 404 ? null : headObject(client, key, "put");
  await discard(answer.response);
  return readInfo(key, answer.response.headers, failureOf("put", key));
}

/**
 * An answer to HEAD has no body and so no code. When it says no, the first byte is asked for, to learn why: a missing
 * bucket or user is no missing object. That call also renews keys that have expired.
 */
async function askHead(client: S3Client, key: string, call: StoreCall): Promise<S3Answer> {
  const head = await headRequest(client, key, call);
  const first = await ask(client, head);
  if (first.kind === "answered" || !UNEXPLAINED.has(first.failure.status)) return first;
  const why = await ask(client, { ...head, method: "GET", headers: { ...head.headers, range: "bytes=0-0" } });
  if (why.kind === "failed") return why.failure.status === 416 ? ask(client, head) : why;
  await discard(why.response);
  return ask(client, head);
}

/** Statuses that stand for several codes, with different things to do. */
const UNEXPLAINED: ReadonlySet<number> = new Set([301, 307, 400, 401, 403, 404]);

async function headRequest(client: S3Client, key: string, call: StoreCall): Promise<S3Request> {
  const unsignedHeaders = { "accept-encoding": client.dialect.acceptEncoding };
  return { call, method: "HEAD", key, headers: await customerKeyHeaders(client.config), unsignedHeaders };
}

/** Reads what the headers of HEAD or GET say of a whole object. */
function readInfo(key: string, headers: Headers, failure: string): ObjectInfo {
  // Something before the store may say yes to anything; every store dates its objects and names their version.
  if (!headers.has("etag") && !headers.has("last-modified")) {
    throw new FirnError("store_unavailable", `${failure}: the answer does not describe an object`);
  }
  const length = headers.get("content-length") ?? "";
  if (!/^\d{1,15}$/.test(length)) {
    throw new FirnError("store_unavailable", `${failure}: the answer does not say how long the object is`);
  }
  const digest = headers.get(DIGEST_HEADER)?.toLowerCase() ?? "";
  return {
    key,
    length: Number(length),
    etag: readEtag(headers.get("etag")),
    sha256Hex: /^[\da-f]{64}$/.test(digest) ? digest : null,
  };
}

/** An ETag without its quotes, and without the mark of a weak one, which a proxy may have put there. */
export function readEtag(etag: string | null): string | null {
  const bare = etag?.replace(/^W\//, "").replaceAll('"', "").trim() ?? "";
  return bare === "" ? null : bare;
}
