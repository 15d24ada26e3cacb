/** The bytes of a request, read under the limit, and their codings undone under the same limit (otlp-http 3.3). */
import { joinBytes } from "../bytes.ts";
import { inflateBody, type ContentCoding } from "../compression/request-body.ts";
import { FirnError } from "../errors.ts";
import { RETRY_AFTER_OVERLOAD, STREAM_PIECE_BYTES } from "../limits.ts";
import type { Millis } from "../units.ts";

/** What a body may cost. */
export interface BodyLimits {
  /** On the wire. */
  readonly maxBytes: number;
  /** From now to its last byte. */
  readonly timeout: Millis;
}

/** A body as it came and as it was meant. */
export interface DecodedBody {
  /** What was sent before any coding; the identity of the request is taken over it. */
  readonly body: Uint8Array;
  readonly wire: Uint8Array;
  /** The one coding of `wire`, when those bytes may stand in an object of that compression as they are. */
  readonly cleanCoding: ContentCoding | null;
}

/**
 * Reads a body.
 * @throws FirnError `too_large`, before reading when `Content-Length` says so; `unavailable` for a body that breaks off
 * or does not arrive in time: clients drop what a 408 answers and send again what a 503 answers.
 */
export async function readBody(request: Request, { maxBytes, timeout }: BodyLimits): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader({ mode: "byob" });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(incomplete(`it did not arrive within ${timeout} ms`)), timeout);
  try {
    const expected = declared === null ? Infinity : Number(declared);
    const body = await Promise.race([readAll(reader, expected, maxBytes), late.promise]);
    reader.releaseLock();
    return body;
  } catch (error) {
    // A body that broke off refuses to be cancelled, with the failure that is thrown here.
    reader
      .cancel()
      .finally(() => reader.releaseLock())
      .catch(() => undefined);
    throw error instanceof FirnError ? error : incomplete("it broke off", error);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Counts while it reads: without a declared length nothing else stops a client that never ends. Asks for full pieces,
 * since the runtime otherwise hands over 4 KiB at a time, and for no more than was declared, where the body ends: the
 * protocol frames it by that length, and asking for its end costs as much as reading it.
 * @param expected - bytes that were declared, `Infinity` when nothing was
 */
async function readAll(reader: ReadableStreamBYOBReader, expected: number, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < expected) {
    // One byte above the limit is enough to know that there is one.
    const size = Math.min(STREAM_PIECE_BYTES, expected - length, maxBytes + 1 - length);
    const { done, value } = await reader.readAtLeast(size, new Uint8Array(size));
    if (done && expected !== Infinity) throw incomplete("it ended before the length that it declared");
    if (done) break;
    length += value.byteLength;
    if (length > maxBytes) throw tooLarge(maxBytes);
    pieces.push(value);
  }
  const [only] = pieces;
  // A view of a longer buffer is copied, since RPC sends the whole of it.
  const isWhole = pieces.length === 1 && only?.byteLength === only?.buffer.byteLength;
  return isWhole && only !== undefined ? only : joinBytes(pieces);
}

/** The client holds the data still, whoever was at fault. */
function incomplete(found: string, cause?: unknown): FirnError {
  const options = { retryAfterSeconds: RETRY_AFTER_OVERLOAD, cause };
  return new FirnError("unavailable", `Cannot read the body: ${found}, send it again`, options);
}

/**
 * Undoes the codings, the last one first, each under the limit. A body without bytes is an empty body whatever its
 * coding.
 * @throws FirnError `invalid_request` for data that is not in its coding, `too_large` above the limit.
 */
export function decodeBody(wire: Uint8Array, codings: readonly ContentCoding[], maxBytes: number): DecodedBody {
  let body = wire;
  let isClean = false;
  for (const coding of codings.toReversed()) ({ body, isClean } = inflateBody(coding, body, maxBytes));
  const [only] = codings;
  const cleanCoding = only !== undefined && codings.length === 1 && isClean ? only : null;
  return { body, wire, cleanCoding };
}

function tooLarge(maxBytes: number): FirnError {
  return new FirnError("too_large", `Cannot take the body: it exceeds ${maxBytes} bytes, see MAX_REQUEST_BYTES`);
}
