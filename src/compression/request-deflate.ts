/**
 * Undoes the coding `deflate` of a request: one zlib stream of RFC 1950 and nothing else. Bare deflate data, which some
 * clients send under this name against RFC 9110 section 8.4.1.2, is refused rather than guessed (otlp-http 3.2).
 */
import type { FirnError } from "../errors.ts";
import { choosePieceBytes, inflateDeflate } from "./deflate.ts";
import { toInvalidBody, toTooLargeBody, type InflatedBody } from "./inflated-body.ts";

/**
 * Inflates a zlib body; it is never clean, since objects have no such members.
 * @param wire the body as received; empty is an empty body.
 * @param maxBytes limit of the inflated body; nothing is inflated beyond it.
 * @throws FirnError `too_large`, or `invalid_request` when it is not exactly zlib or asks for a dictionary.
 */
export function inflateDeflateBody(wire: Uint8Array, maxBytes: number): InflatedBody {
  if (wire.length === 0) return { body: wire, isClean: false };
  const fault = findHeaderFault(wire);
  if (fault !== null) throw invalid(fault);
  const bounds = { wrapper: "zlib", limit: maxBytes, pieceBytes: choosePieceBytes(wire.length) } as const;
  const outcome = inflateDeflate(wire, bounds);
  if (outcome.kind === "too_long") throw toTooLargeBody();
  if (outcome.kind === "truncated") throw invalid("a truncated zlib stream");
  if (outcome.kind === "broken") {
    throw invalid("a broken deflate stream or an Adler-32 that does not match", outcome.cause);
  }
  if (outcome.consumed !== wire.length) throw invalid("bytes after the zlib stream");
  return { body: outcome.output, isClean: false };
}

/** Two bytes: method and window, then flags and a check of both, RFC 1950 section 2.2. */
function findHeaderFault(wire: Uint8Array): string | null {
  const [method = 0, flags] = wire;
  if ((method & 0x0f) !== 8 || method >> 4 > 7) return "no zlib header";
  if (flags === undefined) return "a truncated zlib header";
  if (((method << 8) | flags) % 31 !== 0) return "no zlib header";
  return (flags & 0x20) === 0 ? null : "a zlib stream that needs a dictionary";
}

function invalid(found: string, cause?: unknown): FirnError {
  return toInvalidBody(found, "deflate data in a zlib wrapper (RFC 1950)", cause);
}
