/**
 * Undoes the coding `zstd` of a request, exact to the last byte: any number of frames, skippable ones passed over,
 * nothing else (otlp-http 3.2, RFC 8878).
 *
 * A hot path: a usual body costs one native call and a walk over its block headers (bench: `bench/compression.ts`).
 */
import { joinBytes } from "../bytes.ts";
import type { FirnError } from "../errors.ts";
import { MAX_ZSTD_FRAMES, ZSTD_BODY_WINDOW_MAX_BYTES } from "../limits.ts";
import { toInvalidBody, toTooLargeBody, type InflatedBody } from "./inflated-body.ts";
import { inflateZstd } from "./zstd.ts";
import { isAtFrameEnd, openZstdWalk, parseZstdHeader, walkZstdBlocks } from "./zstd-frame.ts";
import type { ZstdFrameHeader, ZstdHeader, ZstdWalk } from "./zstd-frame.ts";

/**
 * Inflates a zstd body. It is clean when it has neither skippable frames, where Firn's own member tables stand, nor
 * empty ones nor fields for dictionary ids.
 * @param wire the body as received; empty is an empty body.
 * @param maxBytes limit of the inflated body over all its frames; nothing is inflated beyond it.
 * @throws FirnError `too_large`, or `invalid_request` when it is not exactly zstd or asks for a dictionary or a window
 *   above `ZSTD_BODY_WINDOW_MAX_BYTES`.
 */
export function inflateZstdBody(wire: Uint8Array, maxBytes: number): InflatedBody {
  const outputs: Uint8Array[] = [];
  let length = 0;
  let at = 0;
  let isClean = wire.length > 0;
  for (let frameCount = 1; at < wire.length; frameCount++) {
    if (frameCount > MAX_ZSTD_FRAMES) throw invalid(`more than ${MAX_ZSTD_FRAMES} zstd frames`);
    const header = parseZstdHeader(wire, at);
    const frame = inflateFrame(wire, header, { at, limit: maxBytes - length });
    if (frame.output.length === 0 || (header.kind === "frame" && header.dictionaryId !== null)) isClean = false;
    if (frame.output.length > 0) outputs.push(frame.output);
    length += frame.output.length;
    at = frame.end;
  }
  const [only] = outputs;
  return { body: only !== undefined && outputs.length === 1 ? only : joinBytes(outputs), isClean };
}

interface FramePlace {
  readonly at: number;
  readonly limit: number;
}

interface InflatedFrame {
  /** Empty for a skippable frame. */
  readonly output: Uint8Array;
  readonly end: number;
}

function inflateFrame(wire: Uint8Array, header: ZstdHeader, { at, limit }: FramePlace): InflatedFrame {
  if (header.kind === "short") throw invalid("a truncated zstd frame header");
  if (header.kind === "bad") throw invalid(`${header.found} ${at === 0 ? "at its start" : "after a zstd frame"}`);
  if (header.kind === "skippable") {
    if (at + header.frameBytes > wire.length) throw invalid("a truncated skippable frame");
    return { output: new Uint8Array(), end: at + header.frameBytes };
  }
  checkHeader(header);
  const walk = openZstdWalk(header, limit);
  const end = walkZstdBlocks(walk, wire, at);
  if (walk.minBytes > limit) throw toTooLargeBody();
  const isWhole = isAtFrameEnd(walk);
  if (isWhole) checkContentSize(header, walk, limit);
  const outcome = canInflate(header, limit) ? inflateZstd(wire.subarray(at, end), limit) : null;
  // The size is judged before the syntax, so that what is there of a broken frame is inflated, too (otlp-http 3.3).
  if (outcome?.kind === "too_long") throw toTooLargeBody();
  if (!isWhole) throw invalid(walk.fault ?? "a truncated zstd frame");
  if (outcome?.kind !== "inflated") throw invalid("a broken zstd frame", outcome?.cause);
  return { output: outcome.output, end };
}

/** A single segment has no window but its content, which is held to the limit of the body (RFC 8878 3.1.1.1.2). */
function checkHeader({ dictionaryId, windowBytes, isSingleSegment }: ZstdFrameHeader): void {
  if (dictionaryId !== null && dictionaryId !== 0) throw invalid("a zstd frame that needs a dictionary");
  if (!isSingleSegment && windowBytes > ZSTD_BODY_WINDOW_MAX_BYTES) {
    throw invalid(`a zstd window above ${ZSTD_BODY_WINDOW_MAX_BYTES} bytes`);
  }
}

/** A content size is believed when it condemns the body, and only as far as the blocks can hold it. */
function checkContentSize({ contentBytes }: ZstdFrameHeader, walk: ZstdWalk, limit: number): void {
  if (contentBytes === null) return;
  if (contentBytes < walk.minBytes || contentBytes > walk.maxBytes)
    throw invalid("a zstd content size that is not true");
  if (contentBytes > limit) throw toTooLargeBody();
}

/** The native decoder allocates a window before it looks at a block. */
function canInflate({ windowBytes }: ZstdFrameHeader, limit: number): boolean {
  return windowBytes <= Math.max(limit, ZSTD_BODY_WINDOW_MAX_BYTES);
}

function invalid(found: string, cause?: unknown): FirnError {
  return toInvalidBody(found, "zstd frames", cause);
}
