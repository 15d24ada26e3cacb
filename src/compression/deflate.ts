/**
 * Inflates the deflate stream at the front of some bytes in one native call, bounded, and says where it ended. That end
 * is what zlib's own `gunzip` does not tell, and what makes a walk over members exact.
 */
import { inflateRawSync } from "node:zlib";

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
  /** Longest output, 0 or more. */
  readonly limit: number;
  /** Size in which zlib allocates output; a short output retains a whole piece. */
  readonly pieceBytes: number;
}

/** Inflates the deflate stream that begins at the first byte; what follows it in the input is not looked at. */
export function inflateDeflate(input: Uint8Array, bounds: DeflateBounds): DeflateOutcome {
  let result: unknown;
  try {
    result = inflateRawSync(input, {
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

/** Node's zlib and workerd's port of it throw `ERR_BUFFER_TOO_LARGE`; workerd's native calls have only this message. */
function isTooLong(error: unknown): boolean {
  return (
    hasCode(error, "ERR_BUFFER_TOO_LARGE") || (error instanceof Error && error.message === "Memory limit exceeded")
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
