/** What undoing a coding of a request gives, and the two ways in which it fails (otlp-http 3.2, 3.3). */
import { FirnError } from "../errors.ts";

/** A body as the client meant it. */
export interface InflatedBody {
  readonly body: Uint8Array;
  /**
   * Whether the wire bytes may be kept as members of an object of that compression: complete, non-empty members or
   * frames with nothing between or after them, and nothing in them that is Firn's own (protocol 2 and 5.4).
   */
  readonly isClean: boolean;
}

/** Makes the error for bytes that are not in their coding. @param expected what the coding's bytes are called */
export function toInvalidBody(found: string, expected: string, cause?: unknown): FirnError {
  return new FirnError("invalid_request", `Cannot inflate body: found ${found}, expected ${expected}`, {
    field: "body",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Makes the error for a body that inflates beyond the limit. */
export function toTooLargeBody(): FirnError {
  const message = "Cannot accept body: it inflates to more than MAX_REQUEST_BYTES, send smaller batches";
  return new FirnError("too_large", message, { field: "body" });
}
