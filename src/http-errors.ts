/**
 * The one mapping from a kind of error to an HTTP answer: status, headers, and the `google.rpc.Status` body in the
 * encoding that the client speaks (otlp-http 4.3). Kinds whose messages name keys, buckets or what a store said are
 * answered with a fixed sentence and the id under which the log holds the rest (reliability S9).
 */
import { unreachable, type ErrorKind, type FirnError } from "./errors.ts";
import { RETRY_AFTER_MAX, RETRY_AFTER_OVERLOAD } from "./limits.ts";
import { CONTENT_TYPE, encodeStatus, type Encoding } from "./otlp/response.ts";

/** What an error kind means over HTTP. */
export interface HttpMeaning {
  readonly status: 400 | 401 | 403 | 404 | 405 | 406 | 409 | 410 | 413 | 415 | 500 | 503;
  /** google.rpc.Code; clients do not act on it. */
  readonly code: number;
  /** Stands in the body instead of the error's message, which is for the log alone. */
  readonly sentence?: string;
}

/** What the root knows of a failed request. */
export interface FailedRequest {
  /** Of the request; JSON when it had no media type of OTLP. */
  readonly encoding: Encoding;
  /** Stands in the log beside what the body leaves out. */
  readonly requestId: string;
}

/** Translates an error kind. Retryable statuses stand only where a retry can help. */
export function toHttpMeaning(kind: ErrorKind): HttpMeaning {
  switch (kind) {
    case "invalid_request":
      return { status: 400, code: 3 };
    case "unauthenticated":
      return { status: 401, code: 16 };
    case "permission_denied":
      return { status: 403, code: 7 };
    case "not_found":
      return { status: 404, code: 5 };
    case "method_not_allowed":
      return { status: 405, code: 12 };
    case "too_large":
      return { status: 413, code: 8 };
    case "unsupported_media_type":
    case "unsupported_coding":
      return { status: 415, code: 3 };
    case "not_acceptable":
      return { status: 406, code: 3 };
    case "position_gone":
      return { status: 410, code: 10 };
    case "unavailable":
      return { status: 503, code: 14 };
    case "store_unavailable":
      return { status: 503, code: 14, sentence: "Cannot reach the archive now, try again" };
    case "store_refused":
      return { status: 503, code: 14, sentence: "Cannot use the archive: its store refuses, ask the operator" };
    // An operator mends a setting while clients wait and retry; a 500 would make them drop what they hold.
    case "misconfigured":
      return { status: 503, code: 14 };
    case "object_not_found":
      return { status: 500, code: 15, sentence: "Cannot find an object of the archive, ask the operator" };
    case "object_changed":
      return { status: 503, code: 14, sentence: "An object of the archive changed while it was read, try again" };
    case "object_frozen":
      return { status: 409, code: 9, sentence: "Cannot read an object in a frozen storage class: restore it first" };
    case "corrupt_object":
      return { status: 500, code: 15, sentence: "Cannot read an object of the archive, ask the operator" };
    case "unknown_format":
      return { status: 500, code: 15, sentence: "Cannot read a format that this release does not know" };
    case "internal":
      return { status: 500, code: 13, sentence: "Cannot answer the request: an internal error, ask the operator" };
    default:
      return unreachable(kind, "error kind");
  }
}

/** Builds the answer to a failed request. */
export function toErrorResponse(failure: FirnError, { encoding, requestId }: FailedRequest): Response {
  const { status, code } = toHttpMeaning(failure.kind);
  const sentence = toSentence(failure);
  const message = sentence === undefined ? failure.message : `${sentence} (request id ${requestId})`;
  const violations = status === 400 ? [{ field: failure.field ?? "body", description: message }] : [];
  const body = encodeStatus(encoding, { code, message, violations });
  return new Response(body, { status, headers: { "content-type": CONTENT_TYPE[encoding], ...extraHeaders(failure) } });
}

/** Without the key, which the log has: only its class says what is to be done. */
function toSentence({ kind, storageClass }: FirnError): string | undefined {
  if (storageClass === undefined) return toHttpMeaning(kind).sentence;
  return `Cannot read an object in the frozen storage class "${storageClass}": restore it first`;
}

function extraHeaders(failure: FirnError): Record<string, string> {
  switch (failure.kind) {
    case "unauthenticated":
      return { "www-authenticate": "Bearer" };
    case "unsupported_media_type":
      return { "accept-post": "application/x-protobuf, application/json" };
    case "unsupported_coding":
      return { "accept-encoding": "gzip, deflate, zstd, identity" };
    case "not_acceptable":
      return { vary: "Accept, Accept-Encoding" };
    case "position_gone":
      return failure.next === undefined ? {} : { "firn-next": failure.next };
    case "method_not_allowed":
      return failure.allow === undefined ? {} : { allow: failure.allow };
    default:
      return toHttpMeaning(failure.kind).status === 503
        ? { "retry-after": String(toRetryAfter(failure.retryAfterSeconds)) }
        : {};
  }
}

/** A whole number from 1: several clients parse nothing else, and take 0 for "at once" (otlp-http 4.3). */
function toRetryAfter(wanted: number = RETRY_AFTER_OVERLOAD): number {
  return Math.min(Math.max(Math.ceil(wanted), 1), RETRY_AFTER_MAX);
}
