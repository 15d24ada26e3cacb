/**
 * One call to the REST interface of Azure Blob Storage: URL, version, credential, and what kind of answer came. Signs
 * again once when this clock is wrong; anything else is repeated by the layers above. What an answer means for the
 * contract is the callers'. https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 */
import type { AzureStorageConfig } from "../../config/storage-config.ts";
import { FirnError } from "../../errors.ts";
import { AZURE_CLOCK_SKEW_MIN, STORE_ERROR_MAX_BYTES } from "../../limits.ts";
import type { Millis } from "../../units.ts";
import type { StoreCall } from "../contract.ts";
import { discard, readText } from "../http/answer-body.ts";
import { readRetryAfter, readServerTime } from "../http/answer-headers.ts";
import { send, type Fetch } from "../http/send.ts";
import { parseXml, textOf } from "../http/xml.ts";
import { DEFAULT_TIMEOUTS, type Timeouts } from "../with-timeout.ts";
import { toStoreError, type AzureFailure } from "./azure-errors.ts";
import { formatBlobUrl } from "./blob-url.ts";
import { importAccountKey, signSharedKey } from "./shared-key.ts";

/** The version of the REST interface that Firn speaks unless a call needs a newer one. */
const API_VERSION = "2025-11-05";

/** What the store is given from outside. */
export interface AzureDeps {
  /** This clock, in milliseconds since the epoch. */
  readonly now: () => number;
  /** The platform's `fetch` unless a test puts another in its place. */
  readonly fetch?: Fetch;
  /** Those of `with-timeout.ts` if absent. */
  readonly timeouts?: Timeouts;
}

/** A body, and the way to send it again: a stream can be read once, and a request may be signed twice. */
export interface AzureBody {
  readonly length: number;
  /** Makes a call with the body; called once for every attempt. */
  send<T>(call: (body: ReadableStream<Uint8Array> | Uint8Array) => Promise<T>): Promise<T>;
}

/** A request, before it is addressed and signed. */
export interface AzureRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE";
  /** What the message of a failure begins with, such as `Cannot head object "a/b" in Azure`. */
  readonly failure: string;
  /** Name of the blob; the container itself without one. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AzureBody;
  /** The one status that means success here. */
  readonly expects: number;
  /** Until the head of the answer is there; that of any call if absent. See `SendOptions.timeout`. */
  readonly timeout?: Millis | null;
  readonly signal?: AbortSignal;
  /** Takes the body as it is stored, whatever `Content-Encoding` it was given. */
  readonly isRaw?: boolean;
}

/** What came back: a body to be read or discarded, or a failure that was read already. */
export type AzureAnswer =
  | { readonly kind: "answered"; readonly response: Response }
  | { readonly kind: "failed"; readonly failure: AzureFailure };

/** Asks, and turns failures into errors of the contract. */
export interface AzureClient {
  readonly timeouts: Timeouts;
  ask(request: AzureRequest): Promise<AzureAnswer>;
  toError(failure: string, answer: AzureFailure): FirnError;
}

interface Attempt {
  readonly answer: AzureAnswer;
  /** This clock when it was signed, and the store's when it answered; `null` when it did not say. */
  readonly signedAt: number;
  readonly serverTime: number | null;
}

/** What the message of a failed call begins with. */
export function failureOf(call: StoreCall, key: string): string {
  return `Cannot ${call} object "${key}" in Azure`;
}

/** Opens a client. */
export function openAzureClient(config: AzureStorageConfig, deps: AzureDeps): AzureClient {
  const containerUrl = `${config.endpoint}/${config.container}`;
  const { fetch: ask = (url, init) => fetch(url, init), now, timeouts = DEFAULT_TIMEOUTS } = deps;
  const authorize = openAuthorizer(config);
  const clock = { offset: 0 };

  const tryOnce = async (request: AzureRequest): Promise<Attempt> => {
    const { method, failure, key, query = {}, timeout = timeouts.call, isRaw = false, signal } = request;
    const signedAt = now();
    const url = formatBlobUrl({ containerUrl, query, ...(key === undefined ? {} : { key }) });
    const headers = new Headers({ "x-ms-version": API_VERSION, ...request.headers });
    headers.set("x-ms-date", new Date(signedAt + clock.offset).toUTCString());
    const contentLength = request.body?.length ?? 0;
    const target = await authorize({ method, url, headers, contentLength });
    const options = { fetch: ask, failure, timeout, isRaw, ...(signal === undefined ? {} : { signal }) };
    const call = (body: ReadableStream<Uint8Array> | Uint8Array | null): Promise<Response> =>
      send({ method, url: target, headers, body }, options);
    const response = await (request.body === undefined ? call(null) : request.body.send(call));
    return { answer: await read(response, request, now), signedAt, serverTime: readServerTime(response.headers) };
  };

  return {
    timeouts,
    ask: async (request) => {
      const first = await tryOnce(request);
      const offset = config.credential.kind === "key" ? skewOf(first, clock.offset) : null;
      if (offset === null) return first.answer;
      clock.offset = offset;
      return (await tryOnce(request)).answer;
    },
    toError: (failure, answer) => toStoreError(failure, answer, containerUrl),
  };
}

/** How far the store's clock is ahead, when that is why it refused the signature; `null` when it is not. */
function skewOf({ answer, signedAt, serverTime }: Attempt, assumed: number): number | null {
  if (answer.kind !== "failed" || answer.failure.code !== "AuthenticationFailed" || serverTime === null) return null;
  return Math.abs(serverTime - signedAt - assumed) < AZURE_CLOCK_SKEW_MIN ? null : serverTime - signedAt;
}

interface Unauthorized {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly contentLength: number;
}

/** Puts the credential on a request, into its headers or its URL. @returns the URL to be asked */
function openAuthorizer({ account, credential }: AzureStorageConfig): (request: Unauthorized) => Promise<string> {
  if (credential.kind === "sas") {
    const { token } = credential;
    return async ({ url: { href, search } }) => `${href}${search === "" ? "?" : "&"}${token}`;
  }
  let imported: Promise<CryptoKey> | null = null;
  return async (request) => {
    imported ??= importAccountKey(credential.key);
    request.headers.set("authorization", await signSharedKey(account, await imported, request));
    return request.url.href;
  };
}

async function read(response: Response, request: AzureRequest, now: () => number): Promise<AzureAnswer> {
  const { status, headers } = response;
  if (status === request.expects) return { kind: "answered", response };
  const retryAfterSeconds = readRetryAfter(headers, now());
  const code = headers.get("x-ms-error-code");
  if (code !== null || request.method === "HEAD") await discard(response);
  return {
    kind: "failed",
    failure: {
      status,
      code: code ?? (response.bodyUsed ? null : await readCode(response, request.failure)),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  };
}

/** The code in the body: `<Error><Code>…</Code>…`. */
async function readCode(response: Response, failure: string): Promise<string | null> {
  const text = await readText(response, STORE_ERROR_MAX_BYTES, failure);
  const document = text === null ? null : parseXml(text);
  return document?.name === "Error" ? textOf(document.root, "Code") : null;
}
