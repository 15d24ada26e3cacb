/**
 * Two memories of hashes, both in typed arrays: {@link HashTable} knows each one with its counts, {@link HashFilter}
 * says "certainly not here" in two bytes each, for what outgrew the memory.
 *
 * Hashes are SHA-256 output, so that their own bits serve as the hash function of both.
 */
import { ENTRY_BYTES, type Entry } from "./entries.ts";

/** Words of a slot: four of hash, items, rejected. */
const SLOT_WORDS = 6;
const INITIAL_SLOTS = 64;
/** With 8 probes 0.06 % of absent hashes are looked up in storage in vain. */
const FILTER_BITS = 16;
const FILTER_PROBES = 8;
const FILTER_MIN_BITS = 1024;

/** An exact set; grows by doubling and is never more than half full. */
export interface HashTable {
  readonly size: number;
  /** Adds one entry; of entries with one hash the first stays. */
  add(entry: Pick<Entry, "hash" | "itemCount" | "rejectedCount">): void;
  /** Adds every entry of a packed blob. */
  addPacked(packed: Uint8Array): void;
  get(hash: Uint8Array): { readonly itemCount: number; readonly rejectedCount: number } | null;
  /** The entries as a packed blob of their hashes and counts. */
  pack(): Uint8Array;
}

/** Says whether a hash may have been added; never wrong when it says no. */
export interface HashFilter {
  readonly sizeBytes: number;
  /** Adds the hash of every entry of a packed blob. */
  addPacked(packed: Uint8Array): void;
  has(hash: Uint8Array): boolean;
}

/** Makes an empty table. An item count of 0 marks a free slot: a request without items is never stored. */
export function openHashTable(): HashTable {
  let slots = INITIAL_SLOTS;
  let words = new Uint32Array(slots * SLOT_WORDS);
  let size = 0;

  /** Index of the hash's slot, or of the free slot where it would go. */
  const locate = (view: DataView, at: number): number => {
    const first = view.getUint32(at);
    for (let slot = first & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const index = slot * SLOT_WORDS;
      if (words[index + 4] === 0) return index;
      if (
        words[index] === first &&
        words[index + 1] === view.getUint32(at + 4) &&
        words[index + 2] === view.getUint32(at + 8) &&
        words[index + 3] === view.getUint32(at + 12)
      ) {
        return index;
      }
    }
  };
  const grow = (): void => {
    const old = words;
    slots *= 2;
    words = new Uint32Array(slots * SLOT_WORDS);
    for (let at = 0; at < old.length; at += SLOT_WORDS) {
      if (old[at + 4] === 0) continue;
      let slot = (old[at] ?? 0) & (slots - 1);
      while (words[slot * SLOT_WORDS + 4] !== 0) slot = (slot + 1) & (slots - 1);
      words.set(old.subarray(at, at + SLOT_WORDS), slot * SLOT_WORDS);
    }
  };
  const insert = (view: DataView, at: number, itemCount: number, rejectedCount: number): void => {
    if ((size + 1) * 2 > slots) grow();
    const index = locate(view, at);
    if (words[index + 4] !== 0) return;
    for (let word = 0; word < 4; word += 1) words[index + word] = view.getUint32(at + 4 * word);
    words[index + 4] = Math.max(1, itemCount);
    words[index + 5] = rejectedCount;
    size += 1;
  };
  return {
    get size() {
      return size;
    },
    add({ hash, itemCount, rejectedCount }) {
      insert(toView(hash), 0, itemCount, rejectedCount);
    },
    addPacked(packed) {
      const view = toView(packed);
      for (let at = 0; at + ENTRY_BYTES <= packed.byteLength; at += ENTRY_BYTES) {
        insert(view, at, view.getUint32(at + 16, true), view.getUint32(at + 20, true));
      }
    },
    get(hash) {
      const index = locate(toView(hash), 0);
      const itemCount = words[index + 4] ?? 0;
      return itemCount === 0 ? null : { itemCount, rejectedCount: words[index + 5] ?? 0 };
    },
    pack() {
      const packed = new Uint8Array(size * ENTRY_BYTES);
      const view = toView(packed);
      let at = 0;
      for (let index = 0; index < words.length; index += SLOT_WORDS) {
        if (words[index + 4] === 0) continue;
        for (let word = 0; word < 4; word += 1) view.setUint32(at + 4 * word, words[index + word] ?? 0);
        view.setUint32(at + 16, words[index + 4] ?? 0, true);
        view.setUint32(at + 20, words[index + 5] ?? 0, true);
        at += ENTRY_BYTES;
      }
      return packed;
    },
  };
}

/** Makes an empty filter. @param expected - number of hashes that it will hold */
export function openHashFilter(expected: number): HashFilter {
  const words = new Uint32Array(Math.ceil(Math.max(FILTER_MIN_BITS, expected * FILTER_BITS) / 32));
  const bits = words.length * 32;
  // Double hashing: two words of the hash make all probes.
  const forEachBit = (view: DataView, at: number, visit: (word: number, mask: number) => boolean): boolean => {
    const step = view.getUint32(at + 8) | 1;
    let probe = view.getUint32(at + 4);
    for (let count = 0; count < FILTER_PROBES; count += 1) {
      const bit = probe % bits;
      if (!visit(bit >>> 5, 1 << (bit & 31))) return false;
      probe = (probe + step) >>> 0;
    }
    return true;
  };
  const set = (word: number, mask: number): boolean => {
    words[word] = (words[word] ?? 0) | mask;
    return true;
  };
  const isSet = (word: number, mask: number): boolean => ((words[word] ?? 0) & mask) !== 0;
  return {
    sizeBytes: words.byteLength,
    addPacked(packed) {
      const view = toView(packed);
      for (let at = 0; at + ENTRY_BYTES <= packed.byteLength; at += ENTRY_BYTES) forEachBit(view, at, set);
    },
    has: (hash) => forEachBit(toView(hash), 0, isSet),
  };
}

function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
