/**
 * Inflates one zstd frame in one native call, bounded. The call frees what it allocated before it returns; the engines
 * of `createZstdDecompress` keep theirs, unknown to the garbage collector, until they happen to be collected.
 */
import { zstdDecompressSync } from "node:zlib";
import { joinBytes } from "../bytes.ts";
import { KIB } from "../units.ts";
import { isTooLong } from "./zlib-error.ts";

/** What became of the frame. */
export type ZstdOutcome =
  | { readonly kind: "inflated"; readonly output: Uint8Array<ArrayBuffer> }
  /** It inflates to more than the limit; how much more was not looked at. */
  | { readonly kind: "too_long" }
  /** Not a frame, its checksum or content size does not match, or it ends too early. */
  | { readonly kind: "broken"; readonly cause: unknown };

/** A frame without content. */
const EMPTY_FRAME: Uint8Array = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0);
/**
 * Asked for beyond the limit: workerd grows its output by 40 KiB at least, and throws when that step passes the limit,
 * even if the output would not have (seen in 1.20261023).
 */
const SLACK_BYTES: number = 128 * KIB;

/**
 * Inflates a frame.
 * @param frame exactly one frame, as `zstd-frame.ts` walked it.
 * @param limit longest output in bytes, 0 or more.
 */
export function inflateZstd(frame: Uint8Array, limit: number): ZstdOutcome {
  const outcome = inflate(frame, limit);
  if (outcome.kind !== "broken") return outcome;
  // workerd 1.20261023 takes a frame for truncated when it fills its output of 40 KiB · 2ⁿ to the last byte. A frame
  // without content behind it gives the call something to read there. Goes when 40,960 bytes inflate without it.
  return inflate(joinBytes([frame, EMPTY_FRAME]), limit);
}

function inflate(frame: Uint8Array, limit: number): ZstdOutcome {
  try {
    const output = zstdDecompressSync(frame, { maxOutputLength: limit + SLACK_BYTES });
    if (output.length > limit) return { kind: "too_long" };
    // A Buffer's `slice` does not copy; callers get a plain array.
    return { kind: "inflated", output: new Uint8Array(output.buffer, output.byteOffset, output.length) };
  } catch (error) {
    return isTooLong(error) ? { kind: "too_long" } : { kind: "broken", cause: error };
  }
}
