/**
 * The identity of a request (protocol 1): a retry has the same one, whatever its compression. It decides the shard, so
 * that a retry meets its first copy, and the dedupe.
 *
 * It is SHA-256 of the body, combined by exclusive or with SHA-256 of the context, which is computed once: a second
 * digest a request cost a twentieth of all CPU at 10 KB (`docs/decisions/0002-request-identity.md`).
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

/** Computes identities, 32 bytes each. */
export type ComputeIdentity = (input: RequestIdentityInput) => Promise<Uint8Array>;

/** Opens the computation; it remembers the digests of contexts, of which there are eight a tenant. */
export function openIdentity(): ComputeIdentity {
  const contexts = new Map<string, Uint8Array>();
  return async ({ tenant, signal, encoding, body }) => {
    const context = `firn/1\n${tenant}\n${signal}\n${encoding}\n`;
    let contextDigest = contexts.get(context);
    if (contextDigest === undefined) {
      contextDigest = await digest(new TextEncoder().encode(context));
      contexts.set(context, contextDigest);
    }
    const identity = await digest(body);
    for (const [index, byte] of contextDigest.entries()) identity[index] = (identity[index] ?? 0) ^ byte;
    return identity;
  };
}

/** Chooses the shard of a request. @param shards - `SHARDS`, 1 to 256 */
export function chooseShard(identity: Uint8Array, shards: number): number {
  return new DataView(identity.buffer, identity.byteOffset).getUint32(0) % shards;
}

async function digest(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
