/**
 * MurmurHash3 x86 128: four lanes of 32 bits, sixteen bytes a step. No cryptography, but fast without native code.
 * https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 *
 * A hash is the four lanes in the end, h1 to h4; its bytes are those words in little-endian order. Hot path, hence a
 * class with open fields, whose lanes stay in variables through a whole hash: `bench/item-digest.ts`.
 */

/** Bytes of a hash, and of a block. */
export const HASH_BYTES = 16;

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;
const ADDEND1 = 0x561ccd1b;
const ADDEND2 = 0x0bcaa747;
const ADDEND3 = 0x96cd1c35;
const ADDEND4 = 0x32ac3b17;

/** A hash that can be taken again and again: each leaves its result in the lanes. */
export class Murmur3 {
  h1 = 0;
  h2 = 0;
  h3 = 0;
  h4 = 0;

  /** Hashes bytes. @param seed 32 bits */
  hash(view: DataView, start: number, end: number, seed: number): void {
    this.h1 = seed;
    this.h2 = seed;
    this.h3 = seed;
    this.h4 = seed;
    this.#hashRest(view, start, end, 0);
  }

  /** Hashes bytes of which the first block, a hash, was absorbed by {@link Murmur3.openWith} of another one. */
  hashAfter(opened: Murmur3, view: DataView, start: number, end: number): void {
    this.h1 = opened.h1;
    this.h2 = opened.h2;
    this.h3 = opened.h3;
    this.h4 = opened.h4;
    this.#hashRest(view, start, end, HASH_BYTES);
  }

  /** Begins with seed 0 and absorbs the bytes of a hash, which are one block. */
  openWith(hash: Murmur3): void {
    this.h1 = step(rotate(mix1(hash.h1), 19), ADDEND1);
    this.h2 = step(rotate(mix2(hash.h2), 17), ADDEND2);
    this.h3 = step(rotate(mix3(hash.h3), 15), ADDEND3);
    this.h4 = step((rotate(mix4(hash.h4), 13) + this.h1) | 0, ADDEND4);
  }

  /** Writes the bytes of the hash. */
  writeTo(view: DataView, offset: number): void {
    view.setInt32(offset, this.h1, true);
    view.setInt32(offset + 4, this.h2, true);
    view.setInt32(offset + 8, this.h3, true);
    view.setInt32(offset + 12, this.h4, true);
  }

  /** Absorbs all that is left, as the reference does: blocks, then the rest, highest lane first, then the length. */
  #hashRest(view: DataView, start: number, end: number, absorbedBytes: number): void {
    let { h1, h2, h3, h4 } = this;
    let at = start;
    for (const last = end - HASH_BYTES; at <= last; at += HASH_BYTES) {
      h1 = step((rotate(h1 ^ mix1(view.getInt32(at, true)), 19) + h2) | 0, ADDEND1);
      h2 = step((rotate(h2 ^ mix2(view.getInt32(at + 4, true)), 17) + h3) | 0, ADDEND2);
      h3 = step((rotate(h3 ^ mix3(view.getInt32(at + 8, true)), 15) + h4) | 0, ADDEND3);
      h4 = step((rotate(h4 ^ mix4(view.getInt32(at + 12, true)), 13) + h1) | 0, ADDEND4);
    }
    const count = end - at;
    if (count > 12) h4 ^= mix4(readPart(view, at + 12, end));
    if (count > 8) h3 ^= mix3(readPart(view, at + 8, end));
    if (count > 4) h2 ^= mix2(readPart(view, at + 4, end));
    if (count > 0) h1 ^= mix1(readPart(view, at, end));
    const byteCount = absorbedBytes + end - start;
    h2 ^= byteCount;
    h3 ^= byteCount;
    h4 ^= byteCount;
    h1 = ((h1 ^ byteCount) + h2 + h3 + h4) | 0;
    h2 = scatter((h1 + h2) | 0);
    h3 = scatter((h1 + h3) | 0);
    h4 = scatter((h1 + h4) | 0);
    h1 = (scatter(h1) + h2 + h3 + h4) | 0;
    this.h1 = h1;
    this.h2 = (h1 + h2) | 0;
    this.h3 = (h1 + h3) | 0;
    this.h4 = (h1 + h4) | 0;
  }
}

/** Reads a word of which only the bytes before `end` exist. */
function readPart(view: DataView, at: number, end: number): number {
  const count = end - at;
  if (count >= 4) return view.getInt32(at, true);
  let word = view.getUint8(at);
  if (count > 1) word |= view.getUint8(at + 1) << 8;
  if (count > 2) word |= view.getUint8(at + 2) << 16;
  return word;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function step(value: number, addend: number): number {
  return (Math.imul(value, 5) + addend) | 0;
}

function mix1(word: number): number {
  return Math.imul(rotate(Math.imul(word, C1), 15), C2);
}

function mix2(word: number): number {
  return Math.imul(rotate(Math.imul(word, C2), 16), C3);
}

function mix3(word: number): number {
  return Math.imul(rotate(Math.imul(word, C3), 17), C4);
}

function mix4(word: number): number {
  return Math.imul(rotate(Math.imul(word, C4), 18), C1);
}

/** Lets every bit reach every other. */
function scatter(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
