/**
 * The closed list of failures that someone acts on. `http-errors.ts` turns a kind into a status; nobody between the
 * place that throws and that mapper looks at a message text.
 */

/** Why a request, a read or a store call failed; each kind has exactly one HTTP meaning. */
export type ErrorKind =
  /** The request cannot be understood: body, parameter or header. Retrying the same bytes cannot help. */
  | "invalid_request"
  | "unauthenticated"
  | "permission_denied"
  | "not_found"
  | "method_not_allowed"
  | "too_large"
  | "unsupported_media_type"
  | "unsupported_coding"
  /** None of the media types that the request would accept can be given. */
  | "not_acceptable"
  /** A passing fault: overload, a full backlog, an object that was reset. The same request may succeed later. */
  | "unavailable"
  /** A setting is missing or wrong; only the operator can help. */
  | "misconfigured"
  /** The store could not be reached or answered a passing fault. */
  | "store_unavailable"
  /** The store refuses for good: credentials, no such bucket. */
  | "store_refused"
  | "object_not_found"
  /** What a cursor inside a minute counts in is not there any more; the minute has to be read again. */
  | "position_gone"
  /** The object is another version than the one that was asked for. */
  | "object_changed"
  /** The object lies in a storage class that must be restored before it can be read. */
  | "object_frozen"
  /** Bytes that Firn or another writer stored cannot be read back. */
  | "corrupt_object"
  /** A format that this version does not know: stop rather than guess (protocol 5.12). */
  | "unknown_format"
  /** A bug in Firn, nothing else. */
  | "internal";

/** What may accompany a {@link FirnError}. */
export interface FirnErrorOptions {
  /** Path of the field, name of the parameter or of the setting at fault, such as `resourceSpans[0].schemaUrl`. */
  readonly field?: string;
  /** Whole seconds after which a retry makes sense; only with kinds that pass. */
  readonly retryAfterSeconds?: number;
  /** The methods that a route takes, as the `Allow` header lists them; with `method_not_allowed`. */
  readonly allow?: string;
  /** Class or tier in which the object lies, where the store named it; with `object_frozen`. */
  readonly storageClass?: string;
  /** The cursor from which to read again; with `position_gone`. */
  readonly next?: string;
  readonly cause?: unknown;
}

/** A failure that a caller or an operator acts on. The message never holds secrets or payload. */
export class FirnError extends Error {
  override readonly name: string = "FirnError";
  readonly kind: ErrorKind;
  readonly field: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly allow: string | undefined;
  readonly next: string | undefined;
  readonly storageClass: string | undefined;

  constructor(kind: ErrorKind, message: string, options: FirnErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.kind = kind;
    this.field = options.field;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.allow = options.allow;
    this.next = options.next;
    this.storageClass = options.storageClass;
  }
}

/** Marks a place that no value can reach; a new member of a union then fails to compile here. */
export function unreachable(value: never, what: string): never {
  throw new Error(`Cannot continue: unexpected ${what} ${JSON.stringify(value)}`);
}

/** Text of anything that was thrown, for logs and status pages. */
export function toErrorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** As much of a wrong name or value as a message repeats. */
const SHOWN_CHARS = 64;

/** Cuts a text from outside, so that a message stays readable whatever was sent. */
export function shorten(text: string): string {
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}…`;
}
