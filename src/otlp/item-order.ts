/**
 * Where an item stands among others of its group, so that like stands beside like and compresses well: a number that is
 * near for items that are alike. It is a guess from a few bytes and means nothing: any order is right.
 *
 * | items                      | bits 31-22          | bits 21-12              | bits 11-0                        |
 * |----------------------------|---------------------|-------------------------|----------------------------------|
 * | spans with attributes      | hash of the name    | bytes of the attributes | hash of samples of the attributes |
 * | data points                | time, steps of 2³⁰ ns | bytes of the attributes | hash of samples of the attributes |
 * | other spans, log records   | 0                   | 0                       | 0: as they came                  |
 *
 * Points of one time in the order of their series repeat what the time before had; spans without attributes and records
 * are like their neighbours in time, whatever else was tried: docs/decisions/0012-dense-members.md. Hot path, hence a
 * class: `bench/compaction-merge.ts`.
 */
import type { ItemSignal } from "../signal.ts";
import type { Item } from "./items.ts";
import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire/format.ts";

/** Tags of what is looked at; no tag is 0. */
interface OrderTags {
  readonly attributes: number;
  /** Name of a span. */
  readonly name: number;
  /** Time of a data point. */
  readonly time: number;
}

const NO_TAGS: OrderTags = { attributes: 0, name: 0, time: 0 };
const ORDER_TAGS: Readonly<Record<string, OrderTags>> = {
  Span: { attributes: 0x4a, name: 0x2a, time: 0 },
  NumberDataPoint: { attributes: 0x3a, name: 0, time: 0x19 },
  HistogramDataPoint: { attributes: 0x4a, name: 0, time: 0x19 },
  ExponentialHistogramDataPoint: { attributes: 0x0a, name: 0, time: 0x19 },
  SummaryDataPoint: { attributes: 0x3a, name: 0, time: 0x19 },
};

const WIRE_TYPE_BITS = 7;
const FIXED32_BYTES = 4;
const FIXED64_BYTES = 8;
const WORD_BYTES = 4;
/** A byte of a varint from here on is not the last one. */
const CONTINUED = 0x80;
const MAX_ATTRIBUTE_BYTES = 1023;
const FIRST_SHIFT = 22;
const SECOND_SHIFT = 12;
const TEN_BITS = 0x3ff;
const TWELVE_BITS = 0xfff;
/** Odd, its bits without a pattern: 2^32 divided by the golden ratio. */
const HASH_FACTOR = 0x9e3779b1;

/** Reads keys of items one after the other. */
export interface ItemOrder {
  /** Reads the key of an item of sound protobuf: 32 bits, for {@link Regrouper.add}. */
  readKey(item: Item): number;
}

/** Opens a reader for items of one signal. */
export function openItemOrder(signal: ItemSignal): ItemOrder {
  return signal === "logs" ? { readKey: () => 0 } : new KeyReader();
}

class KeyReader implements ItemOrder {
  #message = "";
  #tags: OrderTags = NO_TAGS;
  #attributeBytes = 0;
  #attributeHash = 0;
  #first = 0;

  readKey({ bytes, start, end, message }: Item): number {
    if (message !== this.#message) {
      this.#message = message;
      this.#tags = ORDER_TAGS[message] ?? NO_TAGS;
    }
    this.#attributeBytes = 0;
    this.#attributeHash = 0;
    this.#first = 0;
    this.#scan(bytes, start, end);
    if (this.#tags.time === 0 && this.#attributeBytes === 0) return 0;
    const second = Math.min(this.#attributeBytes, MAX_ATTRIBUTE_BYTES) << SECOND_SHIFT;
    return ((this.#first << FIRST_SHIFT) | second | (this.#attributeHash & TWELVE_BITS)) >>> 0;
  }

  /** Goes over the fields of an item; the short forms that nearly all of them have come first. */
  #scan(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end;) {
      const tag = bytes[at] ?? 0;
      const next = bytes[at + 1] ?? 0;
      const wireType = tag & WIRE_TYPE_BITS;
      if (wireType === WIRE_LENGTH && tag < CONTINUED && next < CONTINUED) {
        at += 2 + next;
        this.#takeValue(tag, bytes, at - next, at);
      } else if (wireType === WIRE_FIXED64 && tag < CONTINUED) {
        if (tag === this.#tags.time) this.#first = readTime(bytes, at + 1);
        at += 1 + FIXED64_BYTES;
      } else if (wireType === WIRE_VARINT && tag < CONTINUED && next < CONTINUED) at += 2;
      // The flags of a span, whose tag has two bytes.
      else if (wireType === WIRE_FIXED32 && tag >= CONTINUED && next < CONTINUED) at += 2 + FIXED32_BYTES;
      else at = this.#takeOther(bytes, at, end);
    }
  }

  #takeValue(tag: number, bytes: Uint8Array, start: number, end: number): void {
    if (tag === this.#tags.attributes) {
      this.#attributeBytes += end - start;
      this.#attributeHash = mix(this.#attributeHash, readEnd(bytes, start, end));
    } else if (tag === this.#tags.name) {
      const middle = mix(end - start, readEnd(bytes, start, (start + end) >>> 1));
      this.#first = mix(middle, readEnd(bytes, start, end)) & TEN_BITS;
    }
  }

  /** Takes a field of a rarer form and moves behind it. */
  #takeOther(bytes: Uint8Array, at: number, end: number): number {
    const reader = new WireReader(bytes, at, end);
    const tag = reader.readField();
    if (tag % (WIRE_TYPE_BITS + 1) === WIRE_LENGTH) this.#takeValue(tag, bytes, reader.valueStart, reader.position);
    return reader.position;
  }
}

/** Bits 30 to 39 of a time in nanoseconds. */
function readTime(bytes: Uint8Array, at: number): number {
  return ((readWord(bytes, at) >>> 30) | (readWord(bytes, at + WORD_BYTES) << 2)) & TEN_BITS;
}

/** Reads the last four bytes of a range, or as many as there are. */
function readEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end === start) return 0;
  const word = readWord(bytes, end - WORD_BYTES);
  return end - start >= WORD_BYTES ? word : word >>> (8 * (WORD_BYTES - (end - start)));
}

function readWord(bytes: Uint8Array, at: number): number {
  const lower = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return lower | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, HASH_FACTOR);
  return mixed ^ (mixed >>> 15);
}
