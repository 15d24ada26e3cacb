/** The two request headers that say how a body is written (otlp-http 3.1, 3.2). */
import type { ContentCoding } from "../compression/request-body.ts";
import { FirnError } from "../errors.ts";
import { MAX_CONTENT_CODINGS } from "../limits.ts";
import { CONTENT_TYPE, type Encoding } from "../otlp/response.ts";

/** Names of the codings that can be undone (RFC 9110 section 8.4.1). */
const CODINGS: ReadonlyMap<string, ContentCoding> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["zstd", "zstd"],
]);

/**
 * Reads `Content-Type`; parameters are ignored, case does not matter.
 * @returns the encoding, or `null` for a media type that is not OTLP's
 */
export function parseMediaType(header: string | null): Encoding | null {
  const mediaType = header?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType === CONTENT_TYPE.protobuf) return "protobuf";
  return mediaType === CONTENT_TYPE.json ? "json" : null;
}

/**
 * Reads `Content-Encoding`: the codings in the order in which they were applied, `identity` left out.
 * @throws FirnError `unsupported_coding` (RFC 9110 section 15.5.16).
 */
export function parseContentCodings(header: string | null): readonly ContentCoding[] {
  const names = (header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
  const codings = names.map((name) => {
    const coding = CODINGS.get(name);
    if (coding !== undefined) return coding;
    const expected = `${[...CODINGS.keys()].join(", ")} or identity`;
    throw new FirnError("unsupported_coding", `Cannot undo a coding of Content-Encoding, expected ${expected}`);
  });
  if (codings.length > MAX_CONTENT_CODINGS) {
    const message = `Cannot undo ${codings.length} codings, expected at most ${MAX_CONTENT_CODINGS}`;
    throw new FirnError("unsupported_coding", message);
  }
  return codings;
}
