/** The two request headers that say how a body is written (otlp-http 3.1, 3.2). */
import { FirnError } from "../errors.ts";
import { MAX_CONTENT_CODINGS } from "../limits.ts";
import type { Encoding } from "../otlp/response.ts";

/** A coding that this release can undo. */
export type ContentCoding = "gzip";

/**
 * Reads `Content-Type`; parameters are ignored, case does not matter.
 * @returns the encoding, or `null` for a media type that is not OTLP's
 */
export function parseMediaType(header: string | null): Encoding | null {
  const mediaType = header?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType === "application/x-protobuf") return "protobuf";
  return mediaType === "application/json" ? "json" : null;
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
  const codings = names.map((name): ContentCoding => {
    if (name === "gzip" || name === "x-gzip") return "gzip";
    throw new FirnError("unsupported_coding", `Cannot decode the coding "${name}", expected gzip or identity`);
  });
  if (codings.length > MAX_CONTENT_CODINGS) {
    const message = `Cannot decode ${codings.length} codings, expected at most ${MAX_CONTENT_CODINGS}`;
    throw new FirnError("unsupported_coding", message);
  }
  return codings;
}
