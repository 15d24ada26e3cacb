/**
 * A growing run of bytes with the few ways in which protobuf puts a value there. Writers of protobuf and of JSON text
 * share it; what the bytes mean is theirs. Hot path: both codecs append through it (`bench/otlp-json-decode.ts` and
 * `bench/otlp-json-encode.ts`), hence a class with open fields. https://protobuf.dev/programming-guides/encoding/
 */
import { FirnError } from "../errors.ts";
import { MAX_VARINT_BYTES, TAG_STEP, WIRE_LENGTH, varintBytes, writeVarint } from "./wire/format.ts";

/** Text that is written often: its bytes by the word, of which the last is filled up. */
export interface ConstantText {
  /** Doubles, since they are the largest words that cost nothing. No word of ASCII is a NaN, whose bits may change. */
  readonly words: Float64Array;
  readonly wordCount: number;
  readonly byteCount: number;
}

const WORD_BYTES = 8;
/** Runs up to this many bytes are copied by a loop: a native copy costs more than that to start. */
const LOOP_COPY_MAX_BYTES = 40;
const TWO_32 = 4_294_967_296;

/** Appends bytes; whoever writes into `bytes` or `view` directly calls {@link ByteWriter.reserve} first. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  /** The same memory, for words. */
  view: DataView<ArrayBuffer>;
  length = 0;
  /** Length of `bytes`, which takes longer to read. */
  capacity: number;
  readonly #maxBytes: number;

  /**
   * @param initialBytes room to begin with
   * @param maxBytes length that is never exceeded; a varint is refused when fewer than ten bytes are left
   */
  constructor(initialBytes: number, maxBytes: number) {
    this.bytes = new Uint8Array(Math.max(1, Math.min(initialBytes, maxBytes)));
    this.view = new DataView(this.bytes.buffer);
    this.capacity = this.bytes.length;
    this.#maxBytes = maxBytes;
  }

  /**
   * Makes room for that many more bytes.
   * @throws FirnError `too_large` when the limit would be passed
   */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.capacity) return;
    if (needed > this.#maxBytes) {
      throw new FirnError("too_large", `Cannot convert the message: it takes more than ${this.#maxBytes} bytes`);
    }
    const grown = new Uint8Array(Math.max(needed, Math.min(this.capacity * 2, this.#maxBytes)));
    grown.set(this.bytes.subarray(0, this.length));
    this.#open(grown);
  }

  #open(memory: Uint8Array<ArrayBuffer>): void {
    this.bytes = memory;
    this.view = new DataView(memory.buffer);
    this.capacity = memory.length;
  }

  byte(value: number): void {
    if (this.length === this.capacity) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Appends a varint. @param value integer from 0 to 2^32 - 1 */
  varint(value: number): void {
    if (this.length + MAX_VARINT_BYTES > this.capacity) this.reserve(MAX_VARINT_BYTES);
    this.length = writeVarint(this.bytes, this.length, value);
  }

  /** Appends a varint of 64 bits, given as two unsigned halves. */
  varint64(low: number, high: number): void {
    if (this.length + MAX_VARINT_BYTES > this.capacity) this.reserve(MAX_VARINT_BYTES);
    const { bytes } = this;
    let { length } = this;
    let rest = low;
    let upper = high;
    while (upper !== 0) {
      bytes[length++] = (rest & 0x7f) | 0x80;
      rest = ((rest >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.length = writeVarint(bytes, length, rest);
  }

  /** Appends 32 bits, little-endian. */
  fixed32(value: number): void {
    if (this.length + 4 > this.capacity) this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** Appends 64 bits, little-endian, given as two halves. */
  fixed64(low: number, high: number): void {
    if (this.length + 8 > this.capacity) this.reserve(8);
    this.view.setUint32(this.length, low, true);
    this.view.setUint32(this.length + 4, high, true);
    this.length += 8;
  }

  /** Appends an IEEE 754 double, little-endian. */
  double(value: number): void {
    if (this.length + 8 > this.capacity) this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** Appends `source[start, end)`. */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (this.length + count > this.capacity) this.reserve(count);
    const { bytes, length } = this;
    if (count > LOOP_COPY_MAX_BYTES) bytes.set(source.subarray(start, end), length);
    else for (let index = 0; index < count; index++) bytes[length + index] = source[start + index] ?? 0;
    this.length = length + count;
  }

  /** Appends a constant. */
  text({ words, wordCount, byteCount }: ConstantText): void {
    this.reserve(wordCount * WORD_BYTES);
    const { view, length } = this;
    for (let index = 0; index < wordCount; index++) {
      view.setFloat64(length + index * WORD_BYTES, words[index] ?? 0, true);
    }
    this.length = length + byteCount;
  }

  /** Appends all of `source`. */
  append(source: Uint8Array): void {
    this.copy(source, 0, source.length);
  }

  /** Appends a field of wire type 2. */
  delimited(fieldNumber: number, payload: Uint8Array): void {
    this.varint(fieldNumber * TAG_STEP + WIRE_LENGTH);
    this.varint(payload.length);
    this.append(payload);
  }

  /**
   * Leaves room for the length of a payload that follows.
   * @param lengthBytes bytes that the length is expected to take
   * @returns where the payload starts
   */
  openLength(lengthBytes: number): number {
    this.reserve(lengthBytes);
    this.length += lengthBytes;
    return this.length;
  }

  /**
   * Writes the length in front of the payload that starts at `start`, moving the payload if the room does not fit.
   * @returns bytes that the length took
   */
  closeLength(start: number, lengthBytes: number): number {
    const payloadBytes = this.length - start;
    const needed = varintBytes(payloadBytes);
    if (needed !== lengthBytes) {
      if (needed > lengthBytes) this.reserve(needed - lengthBytes);
      this.bytes.copyWithin(start + needed - lengthBytes, start, this.length);
      this.length += needed - lengthBytes;
    }
    writeVarint(this.bytes, start - lengthBytes, payloadBytes);
    return needed;
  }

  /**
   * Gives what was written as a view of the memory, and goes on in other memory, from its start.
   * @param memory where to go on; its bytes are written over
   */
  exchange(memory: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const written = this.bytes.subarray(0, this.length);
    this.#open(memory);
    this.length = 0;
    return written;
  }

  /**
   * Ends the writing and gives what was written in an array of its own, in most runtimes without a copy.
   * @returns bytes whose buffer has no spare room; the writer has none either and is not used again
   */
  finish(): Uint8Array {
    return new Uint8Array(this.bytes.buffer.transfer(this.length));
  }

  /** Copies what was written into an array of its own, so that no consumer holds or sends the spare room. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Splits a signed or unsigned safe integer into the low and high half of its 64-bit two's complement. */
export function splitInteger(value: number): { readonly low: number; readonly high: number } {
  return { low: value >>> 0, high: Math.floor(value / TWO_32) >>> 0 };
}

/** Makes a constant of an ASCII text. */
export function toConstantText(text: string): ConstantText {
  const wordCount = Math.ceil(text.length / WORD_BYTES);
  const bytes = new Uint8Array(wordCount * WORD_BYTES);
  bytes.set(new TextEncoder().encode(text));
  const view = new DataView(bytes.buffer);
  const words = Float64Array.from({ length: wordCount }, (_, index) => view.getFloat64(index * WORD_BYTES, true));
  return { words, wordCount, byteCount: text.length };
}
