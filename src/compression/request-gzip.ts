/**
 * Undoes the coding `gzip` of a request, exact to the last byte: any number of members, zero padding after the last
 * one, nothing else (otlp-http 3.2).
 *
 * A hot path: a usual body costs one native inflate and one CRC (bench: `bench/compression.ts`).
 */
import { crc32 } from "node:zlib";
import { joinBytes } from "../bytes.ts";
import type { FirnError } from "../errors.ts";
import { MAX_GZIP_MEMBERS } from "../limits.ts";
import { choosePieceBytes, inflateDeflate } from "./deflate.ts";
import { findTrailerFault, GZIP_HEADER_MAX_BYTES, GZIP_TRAILER_BYTES, parseGzipHeader } from "./gzip-format.ts";
import { toInvalidBody, toTooLargeBody, type InflatedBody } from "./inflated-body.ts";

/**
 * Inflates a gzip body. It is clean when it has neither padding nor an empty member nor an extra field, which is where
 * Firn's own member tables stand, nor a header longer than objects are read with.
 * @param wire the body as received; empty is an empty body.
 * @param maxBytes limit of the inflated body over all its members; nothing is inflated beyond it.
 * @throws FirnError `too_large`, or `invalid_request` when it is not exactly gzip.
 */
export function inflateGzipBody(wire: Uint8Array, maxBytes: number): InflatedBody {
  const outputs: Uint8Array[] = [];
  let length = 0;
  let at = 0;
  let isClean = wire.length > 0;
  while (at < wire.length) {
    if (outputs.length > 0 && isZero(wire, at)) {
      isClean = false;
      break;
    }
    if (outputs.length === MAX_GZIP_MEMBERS) throw invalid(`more than ${MAX_GZIP_MEMBERS} gzip members`);
    const member = inflateMember(wire, { at, limit: maxBytes - length, isFirst: at === 0 });
    if (member.output.length === 0 || member.isOdd) isClean = false;
    outputs.push(member.output);
    length += member.output.length;
    at = member.end;
  }
  const [only] = outputs;
  return { body: only !== undefined && outputs.length === 1 ? only : joinBytes(outputs), isClean };
}

interface InflatedMember {
  readonly output: Uint8Array;
  readonly end: number;
  /** Its header has what keeps it out of the archive. */
  readonly isOdd: boolean;
}

function inflateMember(
  wire: Uint8Array,
  member: { readonly at: number; readonly limit: number; readonly isFirst: boolean },
): InflatedMember {
  const header = parseGzipHeader(wire, member.at);
  if (header.kind === "short") throw invalid("a truncated gzip header");
  if (header.kind === "bad") {
    throw invalid(member.isFirst ? `${header.found} at its start` : `${header.found} after a gzip member`);
  }
  const pieceBytes = choosePieceBytes(member.isFirst ? wire.length : 0);
  const outcome = inflateDeflate(wire.subarray(header.end), { limit: member.limit, pieceBytes });
  if (outcome.kind === "too_long") throw toTooLargeBody();
  if (outcome.kind === "truncated") throw invalid("a truncated deflate stream");
  if (outcome.kind === "broken") throw invalid("a broken deflate stream", outcome.cause);
  const { output, consumed } = outcome;
  const trailerAt = header.end + consumed;
  const end = trailerAt + GZIP_TRAILER_BYTES;
  if (end > wire.length) throw invalid("a truncated gzip trailer");
  const fault = findTrailerFault(wire, trailerAt, { crc: crc32(output), length: output.length });
  if (fault !== null) throw invalid(fault);
  // Copied from the second member on: the output is a view of a piece, and thousands of small ones would retain it.
  const isOdd = header.hasExtra || header.end - member.at > GZIP_HEADER_MAX_BYTES;
  return { output: member.isFirst ? output : output.slice(), end, isOdd };
}

function isZero(bytes: Uint8Array, start: number): boolean {
  for (let index = start; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

function invalid(found: string, cause?: unknown): FirnError {
  return toInvalidBody(found, "gzip members", cause);
}
