/**
 * GetObject: the bytes as they are stored, or a range.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
import { FirnError } from "../../errors.ts";
import { STORE_ERROR_MAX_BYTES } from "../../limits.ts";
import type { GetOptions } from "../contract.ts";
import { discard, readText } from "../http/answer-body.ts";
import { answerUnsatisfiable, assertRange, emptyStream, formatRangeHeader, objectChanged } from "../range.ts";
import { ask, failureOf, type S3Client } from "./client.ts";
import { headObject, readEtag } from "./head-object.ts";
import { customerKeyHeaders } from "./object-headers.ts";
import { kindOf, toFailure, toStoreError } from "./s3-errors.ts";

/** Opens an object for reading. */
export async function getObject(
  client: S3Client,
  key: string,
  options: GetOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const { range, ifMatch } = options;
  assertRange(range);
  const { config, dialect } = client;
  const answer = await ask(client, {
    call: "get",
    method: "GET",
    key,
    headers: {
      ...(range === undefined ? {} : { range: formatRangeHeader(range) }),
      ...(ifMatch === undefined ? {} : { "if-match": dialect.quotesEtag ? `"${ifMatch}"` : ifMatch }),
      ...(await customerKeyHeaders(config)),
    },
    unsignedHeaders: { "accept-encoding": dialect.acceptEncoding },
    isRaw: true,
  });
  if (answer.kind === "answered") return openBody(client, answer.response, key, options);
  const { failure } = answer;
  if (failure.status === 416 && range !== undefined) {
    return answerUnsatisfiable(key, { ...options, range }, await headObject(client, key, "get"));
  }
  if (ifMatch !== undefined && kindOf(failure) === "object_changed") throw objectChanged(key, ifMatch);
  throw toStoreError(failureOf("get", key), failure);
}

/** Holds the answer to what was asked, before a byte of it is trusted. */
async function openBody(
  client: S3Client,
  response: Response,
  key: string,
  options: GetOptions,
): Promise<ReadableStream<Uint8Array>> {
  const failure = failureOf("get", key);
  const etag = response.headers.get("etag");
  if (etag === null && isXml(response)) {
    const text = await readText(response, STORE_ERROR_MAX_BYTES, failure);
    throw toStoreError(failure, toFailure(response, text, client.clock), "an error in place of the object");
  }
  const fault = findFault(response, options);
  const isOther = options.ifMatch !== undefined && etag !== null && readEtag(etag) !== options.ifMatch;
  if (fault === null && !isOther) return response.body ?? emptyStream();
  await discard(response);
  if (fault === null) throw objectChanged(key, options.ifMatch ?? "");
  throw new FirnError(fault.kind, `${failure}: ${fault.found}`);
}

interface Fault {
  readonly kind: "store_unavailable" | "store_refused";
  readonly found: string;
}

function findFault({ status, headers }: Response, { range }: GetOptions): Fault | null {
  const wanted = range === undefined ? 200 : 206;
  if (status !== wanted) {
    return { kind: "store_unavailable", found: `the answer has status ${status}, expected ${wanted}` };
  }
  const contentRange = headers.get("content-range") ?? "";
  if (range !== undefined && !contentRange.startsWith(`bytes ${range.offset}-`)) {
    return { kind: "store_unavailable", found: `the range in the answer is not from byte ${range.offset}` };
  }
  const coding = headers.get("content-encoding");
  if (coding !== null && coding !== "identity" && headers.get("content-length") === null) {
    // A store knows the length of what it stores; who compresses on the way does not.
    const found = `something before the store applies Content-Encoding "${coding}": turn that off for this endpoint`;
    return { kind: "store_refused", found };
  }
  return null;
}

function isXml({ headers }: Response): boolean {
  return /\bxml\b/i.test(headers.get("content-type") ?? "");
}
