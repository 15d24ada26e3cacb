/** The bytes of a request, read under the limit, and their codings undone under the same limit (otlp-http 3.3). */
import { inflateGzip } from "../compression/request-body.ts";
import { FirnError } from "../errors.ts";
import type { ContentCoding } from "./media-type.ts";

/** A body as it came and as it was meant. */
export interface DecodedBody {
  /** What was sent before any coding; the identity of the request is taken over it. */
  readonly body: Uint8Array;
  /** The bytes on the wire, when they are complete gzip members of `body` and may be archived as they are. */
  readonly gzipMember: Uint8Array | null;
}

/**
 * Reads a body.
 * @param maxBytes - the limit, on the wire
 * @throws FirnError `too_large`, before reading when `Content-Length` says so.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();
  if (declared !== null) return checkLength(new Uint8Array(await request.arrayBuffer()), maxBytes);
  return readChunked(request.body, maxBytes);
}

function checkLength(body: Uint8Array, maxBytes: number): Uint8Array {
  if (body.byteLength > maxBytes) throw tooLarge(maxBytes);
  return body;
}

/** Without a declared length nothing but counting stops a client that never ends. */
async function readChunked(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.byteLength;
    if (length > maxBytes) throw tooLarge(maxBytes);
    pieces.push(piece);
  }
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const body = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    body.set(piece, offset);
    offset += piece.byteLength;
  }
  return body;
}

/**
 * Undoes the codings, the last one first. A body without bytes is an empty body whatever its coding.
 * @throws FirnError `invalid_request` for data that is not in its coding, `too_large` above the limit.
 */
export function decodeBody(wire: Uint8Array, codings: readonly ContentCoding[], maxBytes: number): DecodedBody {
  if (wire.byteLength === 0) return { body: wire, gzipMember: null };
  let body = wire;
  let gzipMember: Uint8Array | null = null;
  for (const [index, _coding] of codings.entries()) {
    const inflated = inflateGzip(body, maxBytes);
    gzipMember = index === 0 && codings.length === 1 && inflated.isCleanGzip ? wire : null;
    body = inflated.body;
  }
  return { body, gzipMember };
}

function tooLarge(maxBytes: number): FirnError {
  return new FirnError("too_large", `Cannot take the body: it exceeds ${maxBytes} bytes, see MAX_REQUEST_BYTES`);
}
