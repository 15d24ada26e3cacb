/**
 * Entries: the fixed-size records in which a shard remembers its requests, packed into blobs of one row each.
 *
 * | offset | bytes | what                                                        |
 * | ------ | ----- | ----------------------------------------------------------- |
 * | 0      | 16    | first half of the request's identity hash (protocol 3.3)     |
 * | 16     | 4     | items stored, little-endian                                  |
 * | 20     | 4     | items rejected, little-endian                                |
 * | 24     | 4     | length of the member, little-endian                          |
 *
 * The order of entries in a row of a batch is the order of the members in its data. The length is that of the member as
 * it arrived; the head or separator that the batch's frame puts before it is not counted.
 */

/** Bytes of one entry. */
export const ENTRY_BYTES = 28;
/** Bytes of a hash as it is kept: 128 bits are beyond any chance of collision, and half the rows' cost. */
export const HASH_BYTES = 16;

/** One remembered request. */
export interface Entry {
  readonly hash: Uint8Array;
  readonly itemCount: number;
  readonly rejectedCount: number;
  readonly memberBytes: number;
}

/** Packs entries in the given order. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  const packed = new Uint8Array(entries.length * ENTRY_BYTES);
  const view = new DataView(packed.buffer);
  entries.forEach((entry, index) => {
    const offset = index * ENTRY_BYTES;
    packed.set(entry.hash.subarray(0, HASH_BYTES), offset);
    view.setUint32(offset + 16, entry.itemCount, true);
    view.setUint32(offset + 20, entry.rejectedCount, true);
    view.setUint32(offset + 24, entry.memberBytes, true);
  });
  return packed;
}

/** Compares the hashes of two entries of a packed blob, byte by byte, by their offsets. */
export function compareHashes(packed: Uint8Array, left: number, right: number): number {
  for (let index = 0; index < HASH_BYTES; index += 1) {
    const difference = (packed[left + index] ?? 0) - (packed[right + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Finds an entry by its hash in a packed blob, in linear time; `null` when it isn't there. */
export function findEntry(packed: Uint8Array, hash: Uint8Array): Entry | null {
  for (let offset = 0; offset + ENTRY_BYTES <= packed.byteLength; offset += ENTRY_BYTES) {
    let index = 0;
    while (index < HASH_BYTES && packed[offset + index] === hash[index]) index += 1;
    if (index < HASH_BYTES) continue;
    const view = new DataView(packed.buffer, packed.byteOffset + offset, ENTRY_BYTES);
    return {
      hash,
      itemCount: view.getUint32(16, true),
      rejectedCount: view.getUint32(20, true),
      memberBytes: view.getUint32(24, true),
    };
  }
  return null;
}
