/** Undoes one `Content-Encoding` of a request: bounded, exact to the last byte, synchronous (otlp-http 3.2 and 3.3). */
import { unreachable } from "../errors.ts";
import type { InflatedBody } from "./inflated-body.ts";
import { inflateDeflateBody } from "./request-deflate.ts";
import { inflateGzipBody } from "./request-gzip.ts";
import { inflateZstdBody } from "./request-zstd.ts";

/** A coding that can be undone. */
export type ContentCoding = "gzip" | "deflate" | "zstd";

/**
 * Undoes a coding.
 * @param wire the bytes in that coding; empty is an empty body.
 * @param maxBytes limit of the inflated body; nothing is inflated beyond it.
 * @throws FirnError `too_large`, or `invalid_request` when the bytes are not exactly in that coding; field `body`.
 */
export function inflateBody(coding: ContentCoding, wire: Uint8Array, maxBytes: number): InflatedBody {
  switch (coding) {
    case "gzip":
      return inflateGzipBody(wire, maxBytes);
    case "deflate":
      return inflateDeflateBody(wire, maxBytes);
    case "zstd":
      return inflateZstdBody(wire, maxBytes);
    default:
      return unreachable(coding, "content coding");
  }
}
