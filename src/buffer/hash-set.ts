/**
 * Two memories of the hashes of one slice of time, both in typed arrays: {@link HashTable} knows each one with its
 * counts, {@link HashFilter} says "certainly not here" in two bytes each, for slices that outgrew the memory.
 *
 * Hashes are SHA-256 output, so that their own bits serve as the hash function of both.
 */
import { HASH_BYTES, type Entry } from "./entries.ts";

/** Words of a slot: four of hash, items, rejected. */
const SLOT_WORDS = 6;
const INITIAL_SLOTS = 64;
/** 16 bits and 4 probes an entry: 0.24 % of absent hashes are looked up in storage in vain. */
const FILTER_BITS = 16;

/** An exact set; grows by doubling and is never more than half full. */
export interface HashTable {
  readonly size: number;
  add(entry: Pick<Entry, "hash" | "itemCount" | "rejectedCount">): void;
  get(hash: Uint8Array): { readonly itemCount: number; readonly rejectedCount: number } | null;
  /** Visits every hash; the bytes are valid until the next call only. */
  forEachHash(visit: (hash: Uint8Array) => void): void;
}

/** Says whether a hash may have been added; never wrong when it says no. */
export interface HashFilter {
  add(hash: Uint8Array): void;
  has(hash: Uint8Array): boolean;
}

/** Makes an empty table. An item count of 0 marks a free slot: a request without items is never stored. */
export function openHashTable(): HashTable {
  let slots = INITIAL_SLOTS;
  let words = new Uint32Array(slots * SLOT_WORDS);
  let size = 0;

  /** Index of the hash's slot, or of the free slot where it would go. */
  const locate = (hash: Uint8Array): number => {
    const [a, b, c, d] = toWords(hash);
    for (let slot = a & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const at = slot * SLOT_WORDS;
      if (words[at + 4] === 0) return at;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return at;
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
  return {
    get size() {
      return size;
    },
    add({ hash, itemCount, rejectedCount }) {
      if ((size + 1) * 2 > slots) grow();
      const at = locate(hash);
      if (words[at + 4] !== 0) return;
      words.set(toWords(hash), at);
      words[at + 4] = Math.max(1, itemCount);
      words[at + 5] = rejectedCount;
      size += 1;
    },
    get(hash) {
      const at = locate(hash);
      const itemCount = words[at + 4] ?? 0;
      return itemCount === 0 ? null : { itemCount, rejectedCount: words[at + 5] ?? 0 };
    },
    forEachHash(visit) {
      const hash = new Uint8Array(HASH_BYTES);
      const view = new DataView(hash.buffer);
      for (let at = 0; at < words.length; at += SLOT_WORDS) {
        if (words[at + 4] === 0) continue;
        for (let word = 0; word < 4; word += 1) view.setUint32(word * 4, words[at + word] ?? 0);
        visit(hash);
      }
    },
  };
}

/** Makes an empty filter. @param expected - number of hashes that it will hold. */
export function openHashFilter(expected: number): HashFilter {
  const bits = Math.max(1024, expected * FILTER_BITS);
  const words = new Uint32Array(Math.ceil(bits / 32));
  return {
    add(hash) {
      for (const word of toWords(hash)) {
        const bit = word % bits;
        words[bit >>> 5] = (words[bit >>> 5] ?? 0) | (1 << (bit & 31));
      }
    },
    has(hash) {
      return toWords(hash).every((word) => {
        const bit = word % bits;
        return ((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
      });
    },
  };
}

function toWords(hash: Uint8Array): [number, number, number, number] {
  const view = new DataView(hash.buffer, hash.byteOffset, HASH_BYTES);
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
}
