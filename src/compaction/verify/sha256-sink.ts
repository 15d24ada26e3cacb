/** The SHA-256 of bytes that pass by, in constant memory and by the platform's own code. */

/** A digest under way; one of {@link Sha256Sink.end} and {@link Sha256Sink.abort} is called. */
export interface Sha256Sink {
  /** Takes bytes; they may be used again once it resolves. */
  add(bytes: Uint8Array): Promise<void>;
  /** @returns 64 hex digits */
  end(): Promise<string>;
  abort(): Promise<void>;
}

/** Opens a digest. */
export function openSha256(): Sha256Sink {
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  return {
    add: (bytes) => writer.write(bytes),
    end: async () => {
      await writer.close();
      return new Uint8Array(await stream.digest).toHex();
    },
    abort: async () => {
      // Nobody asks for the digest, which then rejects.
      stream.digest.catch(() => undefined);
      await writer.abort().catch(() => undefined);
    },
  };
}
