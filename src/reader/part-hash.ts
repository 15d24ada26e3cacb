/** The name of a part in a place inside a minute: short, and telling nobody a key ({@link hashKey}). */
import { HASH_BYTES, Murmur3 } from "../otlp/murmur3.ts";

/** Of one minute of one tenant no two keys share 64 bits, unless their writer wants it and deceives himself. */
const SHOWN_BYTES = 8;

/** Hashes a key. @returns 16 hex digits */
export function hashKey(key: string): string {
  const bytes = new TextEncoder().encode(key);
  const hash = new Murmur3();
  hash.hash(new DataView(bytes.buffer), 0, bytes.length, 0);
  const lanes = new Uint8Array(HASH_BYTES);
  hash.writeTo(new DataView(lanes.buffer), 0);
  return lanes.subarray(0, SHOWN_BYTES).toHex();
}
