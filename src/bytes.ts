/** Joining byte arrays, giving their memory back, their digest: the one place for each. */

/**
 * Copies pieces into one array of its own, in their order.
 * @returns an array whose buffer holds nothing else: a call to a Durable Object sends the whole buffer of a view
 */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.byteLength;
  }
  return joined;
}

/**
 * Gives the memory of an array back at once, where the garbage collector would let megabytes of it gather. Nobody may
 * look at it, nor at anything else in its buffer, afterwards.
 */
export function releaseBytes({ buffer }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

/** Computes the SHA-256 of bytes, 64 hex digits. */
export async function sha256HexOf(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
