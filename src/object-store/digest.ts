/** Digests of bytes that stores ask for beside SHA-256: MD5 guards the way, never identity (protocol 4.3). */
import { readExactly } from "./bounds.ts";
import type { PutSource } from "./contract.ts";

/** The MD5 of a source, 16 bytes: its own, or by one pass over its bytes. @throws what reading the source throws */
export async function md5OfSource(source: PutSource): Promise<Uint8Array> {
  if (source.md5 !== undefined) return source.md5;
  const stream = new crypto.DigestStream("MD5");
  const writer = stream.getWriter();
  try {
    for await (const piece of readExactly(source)) {
      source.signal?.throwIfAborted();
      await writer.write(piece);
    }
  } catch (error) {
    stream.digest.catch(() => undefined);
    await writer.abort(error);
    throw error;
  }
  await writer.close();
  return new Uint8Array(await stream.digest);
}

/** The MD5 of bytes, 16 bytes. */
export async function md5Of(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("MD5", bytes));
}
