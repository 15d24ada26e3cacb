/**
 * Attributes that were written lately, and their text: nearly all attributes of a request were in it before or in the
 * one before that, and are looked up in a third of the time that writing them takes.
 *
 * One is kept when it is met for the second time, so that those that never come again cost little. Its place follows
 * from some of its bytes, and what was there before goes. All memory is of fixed size, and taken once. Hot path, hence
 * a class: `bench/otlp-json-encode.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";

const WORD_BYTES = 8;
/** A power of two. */
const PLACES = 1024;
/** Words of a place: those of the attribute, the last of which overlaps the one before, then those of its text. */
const PLACE_WORDS = 32;
const SOURCE_WORDS = 12;
const SOURCE_MAX_BYTES: number = SOURCE_WORDS * WORD_BYTES;
const TEXT_MAX_BYTES: number = (PLACE_WORDS - SOURCE_WORDS) * WORD_BYTES;
const SIZE_BITS = 8;
const SIZE_MASK = 0xff;

/** Remembers the text of attributes. */
export class AttributeCache {
  /**
   * Doubles, since they are the largest words that cost nothing. Texts are UTF-8, of which no word is a NaN, whose bits
   * may change; an attribute with such a word is equal to none.
   */
  readonly #words: Float64Array = new Float64Array(PLACES * PLACE_WORDS);
  /** Bytes of the attribute at a place, 0 if there is none; above {@link SIZE_BITS}, bytes of its text. */
  readonly #sizes: Uint16Array = new Uint16Array(PLACES);
  /** Hash of the attribute that was looked for last at a place, and was not there. */
  readonly #missed: Int32Array = new Int32Array(PLACES);

  /** Appends the text of the attribute in `source[start, end)`. @returns false if it is not known */
  write(output: ByteWriter, source: DataView, start: number, end: number): boolean {
    const size = end - start;
    if (size < WORD_BYTES || size > SOURCE_MAX_BYTES) return false;
    const place = toHash(source, start, end) & (PLACES - 1);
    const sizes = this.#sizes[place] ?? 0;
    if ((sizes & SIZE_MASK) !== size) return false;
    const words = this.#words;
    // `| 0`, here and below, spares V8 the look for an overflow in every round.
    let word = (place * PLACE_WORDS) | 0;
    const text = (word + SOURCE_WORDS) | 0;
    const last = end - WORD_BYTES;
    if (source.getFloat64(last, true) !== words[text - 1]) return false;
    for (let position = start | 0; position < last; position = (position + WORD_BYTES) | 0) {
      if (source.getFloat64(position, true) !== words[word]) return false;
      word = (word + 1) | 0;
    }
    output.reserve(TEXT_MAX_BYTES);
    const { view } = output;
    let at = output.length | 0;
    const textEnd = (at + (sizes >> SIZE_BITS)) | 0;
    // Two words a round, the second perhaps in vain.
    for (word = text; at < textEnd; at = (at + 2 * WORD_BYTES) | 0) {
      view.setFloat64(at, words[word] ?? 0, true);
      view.setFloat64(at + WORD_BYTES, words[word + 1] ?? 0, true);
      word = (word + 2) | 0;
    }
    output.length = textEnd;
    return true;
  }

  /** Learns that what was written from `begin` on is the text of an attribute that was not known. */
  learn(output: ByteWriter, begin: number, source: DataView, start: number, end: number): void {
    const size = end - start;
    const textBytes = output.length - begin;
    if (size < WORD_BYTES || size > SOURCE_MAX_BYTES || textBytes > TEXT_MAX_BYTES) return;
    const hash = toHash(source, start, end);
    const place = hash & (PLACES - 1);
    if (this.#missed[place] === hash) this.#keep(place, output, begin, source, start, end);
    else this.#missed[place] = hash;
  }

  #keep(place: number, output: ByteWriter, begin: number, source: DataView, start: number, end: number): void {
    const words = this.#words;
    let word = place * PLACE_WORDS;
    const text = word + SOURCE_WORDS;
    const last = end - WORD_BYTES;
    words[text - 1] = source.getFloat64(last, true);
    // Two zeros are equal and have different bits.
    let hasZero = words[text - 1] === 0;
    for (let position = start; position < last; position += WORD_BYTES) {
      words[word] = source.getFloat64(position, true);
      hasZero ||= words[word] === 0;
      word += 1;
    }
    output.reserve(WORD_BYTES);
    const { view, length } = output;
    word = text;
    for (let at = begin; at < length; at += WORD_BYTES) words[word++] = view.getFloat64(at, true);
    this.#sizes[place] = hasZero ? 0 : ((length - begin) << SIZE_BITS) | (end - start);
  }
}

/** Mixes the first bytes of the key, the middle, and the end: what differs between attributes of one length. */
function toHash(source: DataView, start: number, end: number): number {
  const size = end - start;
  const hash =
    Math.imul(source.getInt32(start + 2, true), 0x9e37_79b1) ^
    Math.imul(source.getInt32(start + (size >> 1) - 2, true), 0x85eb_ca77) ^
    Math.imul(source.getInt32(end - 4, true), 0xc2b2_ae3d) ^
    Math.imul(source.getInt32(end - 8, true), 0x27d4_eb2f) ^
    size;
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d) >> 13;
}
