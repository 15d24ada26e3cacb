/** Sources for puts and what to do with what was stored, for the tests of stores. */
import type { PutSource } from "../../src/object-store/contract.ts";

/** Bytes with their digest, read in small pieces; counts how often it was opened and whether it was closed. */
export interface TestSource extends PutSource {
  readonly state: { opens: number; closes: number };
}

/** Makes a source whose promises can be falsified. */
export async function sourceOf(
  bytes: Uint8Array,
  lies: {
    readonly length?: number;
    readonly sha256Of?: Uint8Array;
    readonly failAt?: number;
    readonly error?: Error;
  } = {},
): Promise<TestSource> {
  const state = { opens: 0, closes: 0 };
  const pieceBytes = 50_000;
  return {
    state,
    length: lies.length ?? bytes.length,
    sha256: new Uint8Array(await crypto.subtle.digest("SHA-256", lies.sha256Of ?? bytes)),
    contentType: "application/gzip",
    open: async function* () {
      state.opens++;
      try {
        for (let at = 0; ; at += pieceBytes) {
          if (lies.failAt !== undefined && at >= lies.failAt) throw lies.error ?? new Error("source failed");
          if (at >= bytes.length) return;
          yield bytes.subarray(at, at + pieceBytes);
        }
      } finally {
        state.closes++;
      }
    },
  };
}

/** Reads a stream to its end. */
export async function read(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Response(stream).bytes();
}

/** Bytes that differ from place to place. */
export function patternOf(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = index * 31 + (index >> 8);
  return bytes;
}

/** The SHA-256 of bytes, 64 hex digits. */
export async function hexOf(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
