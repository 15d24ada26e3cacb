/**
 * The identity of a request (protocol 1): a retry has the same one, whatever its compression. It decides the shard, so
 * that a retry meets its first copy, and the dedupe.
 */
import type { Encoding } from "../otlp/response.ts";
import type { Signal } from "../signal.ts";

/** What an identity is taken over. */
export interface RequestIdentityInput {
  readonly tenant: string;
  readonly signal: Signal;
  readonly encoding: Encoding;
  /** The decompressed body as received, before transcoding and before bad items are cut out. */
  readonly body: Uint8Array;
}

/**
 * Computes SHA-256 over tenant, signal, content type and SHA-256 of the body, so that a body of any size is hashed
 * without being copied behind its context.
 * @returns 32 bytes
 */
export async function computeIdentity({ tenant, signal, encoding, body }: RequestIdentityInput): Promise<Uint8Array> {
  const bodyDigest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const context = new TextEncoder().encode(`firn/1\n${tenant}\n${signal}\n${encoding}\n`);
  const input = new Uint8Array(context.byteLength + bodyDigest.byteLength);
  input.set(context);
  input.set(bodyDigest, context.byteLength);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", input));
}

/** Chooses the shard of a request. @param shards - `SHARDS`, 1 to 256 */
export function chooseShard(identity: Uint8Array, shards: number): number {
  return new DataView(identity.buffer, identity.byteOffset).getUint32(0) % shards;
}
