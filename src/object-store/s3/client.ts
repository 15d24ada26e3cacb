/**
 * One call to a store that speaks S3: signed, sent, its answer told apart from a failure. Repeats a call in two cases,
 * once each, in which the store has said that nothing was done and why: the clock was wrong, or the keys of a role had
 * expired. Every other repetition is a wrapper's or the caller's.
 */
import type { S3StorageConfig } from "../../config/storage-config.ts";
import { STORE_ANSWER_MAX_BYTES } from "../../limits.ts";
import type { Millis } from "../../units.ts";
import type { StoreCall } from "../contract.ts";
import { readText } from "../http/answer-body.ts";
import { send, type Fetch, type HttpRequest } from "../http/send.ts";
import { childrenOf, parseXml, type XmlDocument } from "../http/xml.ts";
import type { Timeouts } from "../with-timeout.ts";
import { bucketUrl, objectUrl, type Query, type S3Address } from "./address.ts";
import type { CredentialSource } from "./credentials.ts";
import type { S3Dialect } from "./dialect.ts";
import { readFailure, toFailure, toInnerFailure, type S3Failure } from "./s3-errors.ts";
import { EMPTY_SHA256_HEX, sign } from "./sign.ts";
import type { StoreClock } from "./store-clock.ts";

/** An opened bucket: what every call needs. */
export interface S3Client {
  readonly config: S3StorageConfig;
  readonly dialect: S3Dialect;
  readonly address: S3Address;
  readonly credentials: CredentialSource;
  readonly clock: StoreClock;
  readonly fetch: Fetch;
  readonly timeouts: Timeouts;
  readonly derivedKeys: Map<string, ArrayBuffer>;
}

/** A call before it is signed. */
export interface S3Request {
  readonly call: StoreCall;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** `null`: the call is to the bucket. */
  readonly key: string | null;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  /** SHA-256 of the body; of none if absent. */
  readonly sha256Hex?: string;
  /** How the body goes out, for every attempt anew; without one there is no body. */
  readonly transmit?: (sendBody: SendBody) => Promise<Response>;
  /** Not to be signed, since proxies change them. */
  readonly unsignedHeaders?: Readonly<Record<string, string>>;
  /** Until the head of the answer is there; that of any call if absent. See `SendOptions.timeout`. */
  readonly timeout?: Millis | null;
  readonly signal?: AbortSignal;
  /** See `SendOptions.isRaw`. */
  readonly isRaw?: boolean;
}

/** Sends a request whose body is this. */
export type SendBody = (body: NonNullable<HttpRequest["body"]>) => Promise<Response>;

/** What came of a call. The body of a good answer must be read or discarded. */
export type S3Answer =
  { readonly kind: "answered"; readonly response: Response } | { readonly kind: "failed"; readonly failure: S3Failure };

/** What came of a call whose answer is XML. */
export type S3XmlAnswer =
  /** `null`: the body is empty, or too long, or no XML. */
  | { readonly kind: "answered"; readonly document: XmlDocument | null; readonly response: Response }
  | { readonly kind: "failed"; readonly failure: S3Failure };

/** What the message of a failed call begins with. */
export function failureOf(call: StoreCall, key: string | null): string {
  return key === null ? `Cannot ${call} in S3` : `Cannot ${call} object "${key}" in S3`;
}

/**
 * Makes a call.
 * @throws FirnError when there is no answer, or no keys to sign with
 * @throws RangeError for a key that no URL can name
 */
export async function ask(client: S3Client, request: S3Request): Promise<S3Answer> {
  let answer = await attempt(client, request);
  if (answer.kind === "failed" && isClockWrong(client, answer)) answer = await attempt(client, request);
  if (answer.kind === "failed" && isRenewed(client, answer)) answer = await attempt(client, request);
  return answer;
}

/** Makes a call whose answer is short, and reads it: a 200 may have an error document in it (reliability F-11). */
export async function askXml(client: S3Client, request: S3Request): Promise<S3XmlAnswer> {
  const answer = await ask(client, request);
  if (answer.kind === "failed") return answer;
  const { response } = answer;
  const text = await readText(
    response,
    STORE_ANSWER_MAX_BYTES,
    failureOf(request.call, request.key),
    client.timeouts.call,
  );
  const document = text === null ? null : parseXml(text);
  if (document?.name === "Error") return { kind: "failed", failure: toFailure(response, text, client.clock) };
  return { kind: "answered", document, response };
}

/** The errors of single keys in an answer that says yes as a whole. */
export function innerFailures(answer: {
  readonly document: XmlDocument;
  readonly response: Response;
}): readonly { readonly element: ReturnType<typeof childrenOf>[number]; readonly failure: S3Failure }[] {
  return childrenOf(answer.document.root, "Error").map((element) => ({
    element,
    failure: toInnerFailure(answer.response, element),
  }));
}

type Attempt = { readonly kind: "answered"; readonly response: Response } | FailedAttempt;
/** With what it had been signed. */
interface FailedAttempt {
  readonly kind: "failed";
  readonly failure: S3Failure;
  readonly keys: Awaited<ReturnType<CurrentKeys>>;
  /** Of the clock, in milliseconds. */
  readonly skew: number;
}
type CurrentKeys = CredentialSource["current"];

async function attempt(client: S3Client, request: S3Request): Promise<Attempt> {
  const { clock, fetch, config, credentials } = client;
  const { method, key, call, query = {}, sha256Hex = EMPTY_SHA256_HEX, transmit, unsignedHeaders = {} } = request;
  const failure = failureOf(call, key);
  const url = key === null ? bucketUrl(client.address, query) : objectUrl(client.address, key, query);
  const keys = await credentials.current();
  const unsigned = { method, url, headers: { ...callHeaders(config), ...request.headers }, sha256Hex };
  const { region } = config;
  const skew = clock.skew();
  const scope = { keys, service: "s3", region, time: clock.now(), derivedKeys: client.derivedKeys } as const;
  const headers = await sign(unsigned, scope);
  for (const [name, value] of Object.entries(unsignedHeaders)) headers.set(name, value);
  const { timeout = client.timeouts.call, isRaw = false, signal } = request;
  const options = { fetch, failure, timeout, isRaw, ...(signal === undefined ? {} : { signal }) };
  const sendBody = (body: HttpRequest["body"] = null): Promise<Response> =>
    send({ method, url, headers, body }, options);
  const response = await (transmit === undefined ? sendBody() : transmit(sendBody));
  if (response.ok) return { kind: "answered", response };
  return { kind: "failed", failure: await readFailure(response, { failure, clock }), keys, skew };
}

/** What every call says: who must own the bucket, and who pays. */
function callHeaders(config: S3StorageConfig): Readonly<Record<string, string>> {
  return {
    ...(config.expectedBucketOwner === null ? {} : { "x-amz-expected-bucket-owner": config.expectedBucketOwner }),
    ...(config.isRequesterPays ? { "x-amz-request-payer": "requester" } : {}),
  };
}

/** A HEAD has no body to name the code in; the clock is looked at whenever a request was refused as such. */
function isClockWrong({ clock }: S3Client, { failure, skew }: FailedAttempt): boolean {
  const { code, status, headers } = failure;
  const isSuspect = code === "RequestTimeTooSkewed" || status === 403 || (status === 400 && code === null);
  return isSuspect && clock.learn(headers, skew);
}

/** Codes for keys of a role that no longer hold. */
const EXPIRED: ReadonlySet<string | null> = new Set(["ExpiredToken", "InvalidToken", "ExpiredTokenException"]);

function isRenewed({ credentials }: S3Client, { failure, keys }: FailedAttempt): boolean {
  return EXPIRED.has(failure.code) && credentials.renew(keys);
}
