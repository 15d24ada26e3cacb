/**
 * Undoes the `Content-Encoding` of a request: bounded, exact to the last byte, and with the word whether the wire bytes
 * may be kept as they are.
 *
 * A hot path: {@link inflateGzip} costs one native inflate and one CRC (bench: `test/compression`, and README.md).
 * Follows otlp-http 3.2 and 3.3: any number of members, zero padding after the last one, nothing else.
 */
import { crc32 } from "node:zlib";
import { joinBytes } from "../bytes.ts";
import { FirnError } from "../errors.ts";
import { MAX_GZIP_MEMBERS } from "../limits.ts";
import { KIB, MIB } from "../units.ts";
import { inflateDeflate } from "./deflate.ts";
import { findTrailerFault, GZIP_TRAILER_BYTES, parseGzipHeader } from "./gzip-format.ts";

/** A body as the client meant it. */
export interface InflatedBody {
  readonly body: Uint8Array;
  /**
   * Whether the wire bytes may be kept as members of an object: one or more complete, non-empty gzip members with
   * nothing between or after them, and without extra fields, which are Firn's own member table (protocol 5.4).
   */
  readonly isCleanGzip: boolean;
}

/** Output pieces of the first member: few enough to join cheaply, small enough not to be retained for a small body. */
const PIECE_MIN_BYTES = 16 * KIB;
const PIECE_MAX_BYTES: number = MIB;
/** Telemetry inflates to four times its size or more. */
const USUAL_RATIO = 4;

/**
 * Inflates a gzip body.
 * @param wire the body as received; empty is an empty body.
 * @param maxBytes limit of the inflated body over all its members; nothing is inflated beyond it.
 * @throws FirnError `too_large`, or `invalid_request` when it is not exactly gzip.
 */
export function inflateGzip(wire: Uint8Array, maxBytes: number): InflatedBody {
  const outputs: Uint8Array[] = [];
  let length = 0;
  let at = 0;
  let isCleanGzip = wire.length > 0;
  while (at < wire.length) {
    if (outputs.length > 0 && isZero(wire, at)) {
      isCleanGzip = false;
      break;
    }
    if (outputs.length === MAX_GZIP_MEMBERS) throw invalid(`more than ${MAX_GZIP_MEMBERS} gzip members`);
    const member = inflateMember(wire, { at, limit: maxBytes - length, isFirst: at === 0 });
    if (member.output.length === 0 || member.hasExtra) isCleanGzip = false;
    outputs.push(member.output);
    length += member.output.length;
    at = member.end;
  }
  const [only] = outputs;
  return { body: only !== undefined && outputs.length === 1 ? only : joinBytes(outputs), isCleanGzip };
}

interface InflatedMember {
  readonly output: Uint8Array;
  readonly end: number;
  readonly hasExtra: boolean;
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
  const wanted = member.isFirst ? wire.length * USUAL_RATIO : PIECE_MIN_BYTES;
  const pieceBytes = Math.min(Math.max(wanted, PIECE_MIN_BYTES), PIECE_MAX_BYTES);
  const outcome = inflateDeflate(wire.subarray(header.end), { limit: member.limit, pieceBytes });
  if (outcome.kind === "too_long") throw tooLarge();
  if (outcome.kind === "truncated") throw invalid("a truncated deflate stream");
  if (outcome.kind === "broken") throw invalid("a broken deflate stream", outcome.cause);
  const { output, consumed } = outcome;
  const trailerAt = header.end + consumed;
  const end = trailerAt + GZIP_TRAILER_BYTES;
  if (end > wire.length) throw invalid("a truncated gzip trailer");
  const fault = findTrailerFault(wire, trailerAt, { crc: crc32(output), length: output.length });
  if (fault !== null) throw invalid(fault);
  // Copied from the second member on: the output is a view of a piece, and thousands of small ones would retain it.
  return { output: member.isFirst ? output : output.slice(), end, hasExtra: header.hasExtra };
}

function isZero(bytes: Uint8Array, start: number): boolean {
  for (let index = start; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

function invalid(found: string, cause?: unknown): FirnError {
  return new FirnError("invalid_request", `Cannot inflate body: found ${found}, expected gzip members`, {
    field: "body",
    ...(cause === undefined ? {} : { cause }),
  });
}

function tooLarge(): FirnError {
  const message = "Cannot accept body: it inflates to more than MAX_REQUEST_BYTES, send smaller batches";
  return new FirnError("too_large", message, { field: "body" });
}
