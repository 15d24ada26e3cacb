/**
 * One request to a store over HTTP, one answer. No retries and no redirects: the layers above decide about the first,
 * and a store that redirects means that a setting is wrong. Signing, and what an answer means, are the dialects'.
 */
import { FirnError, toErrorMessage } from "../../errors.ts";
import type { Millis } from "../../units.ts";

/**
 * Methods whose answer may come out of a cache unless asked otherwise, when the key ends like a static file. On a PUT
 * the platform's way to ask, `Cache-Control: no-cache`, would become the object's own.
 */
const READS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** The platform's `fetch`, or what a test puts in its place. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request that is signed and ready. */
export interface HttpRequest {
  readonly method: string;
  /** Percent-encoded as it was signed. */
  readonly url: string;
  readonly headers: Headers;
  readonly body?: ReadableStream<Uint8Array> | Uint8Array | string | null;
}

/** What goes with a request but not over the wire. */
export interface SendOptions {
  readonly fetch: Fetch;
  /** What the message of a failure begins with, such as `Cannot head object "a/b"`. */
  readonly failure: string;
  /**
   * Until the head of the answer is there: nobody else ends the request, and it holds one of six connections. `null`
   * for a body that may take any time, whose `signal` ends it.
   */
  readonly timeout: Millis | null;
  /** Gives the request up, answer or not. */
  readonly signal?: AbortSignal;
  /**
   * Takes the body as it comes over the wire. Otherwise the platform undoes a `Content-Encoding` that another writer
   * gave the object, and an object is read as it is stored. https://github.com/cloudflare/workerd/pull/6289
   */
  readonly isRaw?: boolean;
}

/**
 * Sends a request.
 * @returns the answer, whatever its status; its body must be read or given back with `discard()`
 * @throws FirnError `store_unavailable` when there is no answer.
 */
export async function send(request: HttpRequest, options: SendOptions): Promise<Response> {
  const { fetch, failure, timeout, isRaw = false } = options;
  const { method, url, headers, body = null } = request;
  const late = new AbortController();
  const timer = timeout === null ? null : setTimeout(() => late.abort(), timeout);
  const signal = options.signal === undefined ? late.signal : AbortSignal.any([late.signal, options.signal]);
  try {
    return await fetch(url, {
      method,
      headers,
      body,
      redirect: "manual",
      signal,
      encodeResponseBody: isRaw ? "manual" : "automatic",
      ...(READS.has(method) ? { cache: "no-store" } : {}),
    });
  } catch (error) {
    if (error instanceof FirnError) throw error;
    if (options.signal?.aborted === true && options.signal.reason instanceof FirnError) throw options.signal.reason;
    const reason = late.signal.aborted ? `no answer within ${timeout} ms` : withoutUrls(toErrorMessage(error));
    throw new FirnError("store_unavailable", `${failure}: the store cannot be reached (${reason})`);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

/** The platform names the URL in some of its errors, and its query may be a credential; hence no `cause` either. */
function withoutUrls(message: string): string {
  return message.replaceAll(/\b[a-z]+:\/\/[^\s"']+/gi, "…");
}
