/**
 * Inflates the deflate stream at the front of some bytes in one native call, bounded, and says where it ended. That end
 * is what zlib's own `gunzip` does not tell, and what makes a walk over members exact.
 */
import { inflateRawSync, inflateSync } from "node:zlib";
import { KIB, MIB } from "../units.ts";
import { hasCode, isTooLong } from "./zlib-error.ts";

/** What became of the deflate stream. */
export type DeflateOutcome =
  /** All of it; `consumed` counts its bytes in the input. */
  | { readonly kind: "inflated"; readonly output: Uint8Array<ArrayBuffer>; readonly consumed: number }
  /** It inflates to more than the limit; how much more was not looked at. */
  | { readonly kind: "too_long" }
  /** The input ends before it. */
  | { readonly kind: "truncated" }
  | { readonly kind: "broken"; readonly cause: unknown };

/** Bounds of {@link inflateDeflate}, in bytes. */
export interface DeflateBounds {
  /** `zlib`: the stream stands in a zlib wrapper, RFC 1950, whose header and Adler-32 are checked and consumed. */
  readonly wrapper?: "none" | "zlib";
  /** Longest output, 0 or more. */
  readonly limit: number;
  /** Size in which zlib allocates output; a short output retains a whole piece. */
  readonly pieceBytes: number;
}

/** Pieces few enough to join cheaply, and small enough not to be retained for a small body. */
const PIECE_MIN_BYTES: number = 16 * KIB;
const PIECE_MAX_BYTES: number = MIB;
/** Telemetry inflates to four times its size or more. */
const USUAL_RATIO = 4;

/** Chooses the size of output pieces for so much input, in bytes; 0 gives the smallest. */
export function choosePieceBytes(inputBytes: number): number {
  return Math.min(Math.max(inputBytes * USUAL_RATIO, PIECE_MIN_BYTES), PIECE_MAX_BYTES);
}

/** Inflates the deflate stream that begins at the first byte; what follows it in the input is not looked at. */
export function inflateDeflate(input: Uint8Array, bounds: DeflateBounds): DeflateOutcome {
  let result: unknown;
  try {
    const inflate = bounds.wrapper === "zlib" ? inflateSync : inflateRawSync;
    result = inflate(input, {
      info: true,
      chunkSize: bounds.pieceBytes,
      maxOutputLength: Math.max(bounds.limit, 1),
    });
  } catch (error) {
    if (isTooLong(error)) return { kind: "too_long" };
    return hasCode(error, "Z_BUF_ERROR") ? { kind: "truncated" } : { kind: "broken", cause: error };
  }
  if (!isInflateInfo(result)) throw new Error("Cannot inflate: zlib gave no account of the input that it consumed");
  const { buffer, engine } = result;
  if (buffer.length > bounds.limit) return { kind: "too_long" };
  // A Buffer's `slice` does not copy; callers get a plain array.
  const output = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  return { kind: "inflated", output, consumed: engine.bytesWritten };
}

interface InflateInfo {
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** Its `bytesWritten` counts the input that was consumed, in spite of its name. */
  readonly engine: { readonly bytesWritten: number };
}

function isInflateInfo(value: unknown): value is InflateInfo {
  if (typeof value !== "object" || value === null || !("buffer" in value) || !("engine" in value)) return false;
  const { buffer, engine } = value;
  if (!(buffer instanceof Uint8Array) || typeof engine !== "object" || engine === null) return false;
  return "bytesWritten" in engine && typeof engine.bytesWritten === "number";
}
