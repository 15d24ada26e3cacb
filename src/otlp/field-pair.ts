/**
 * Where a message has two of its fields, found in one quick pass: an event time and what stands for it, a severity and
 * its text. Nothing is built; of a field that is sent twice the last occurrence counts. Hot path, hence a class:
 * `bench/filter.ts`.
 */
import type { MessageRange } from "./fields.ts";
import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire/format.ts";

const WIRE_TYPE_BITS = 7;
const FIXED64_BYTES = 8;
const FIXED32_BYTES = 4;
/** A byte of a varint from here on is not the last one. */
const CONTINUED = 0x80;

/** Finds two fields of one message after the other. */
export class FieldPair {
  readonly #firstTag: number;
  readonly #secondTag: number;
  /** What stands behind the tags in the message that was looked at last; 0 when it has no such field. */
  firstAt = 0;
  secondAt = 0;

  /** @param secondTag 0, which no tag is, where there is no second field */
  constructor(firstTag: number, secondTag: number) {
    this.#firstTag = firstTag;
    this.#secondTag = secondTag;
  }

  /** Looks at a message of sound protobuf; the short forms that nearly all fields have come first. */
  find({ bytes, start, end }: MessageRange): void {
    const firstTag = this.#firstTag;
    const secondTag = this.#secondTag;
    this.firstAt = 0;
    this.secondAt = 0;
    let at = start;
    while (at < end) {
      const tag = bytes[at] ?? 0;
      const next = bytes[at + 1] ?? 0;
      const wireType = tag & WIRE_TYPE_BITS;
      if (tag === firstTag) this.firstAt = at + 1;
      else if (tag === secondTag) this.secondAt = at + 1;
      if (wireType === WIRE_LENGTH && tag < CONTINUED && next < CONTINUED) at += 2 + next;
      else if (wireType === WIRE_FIXED64 && tag < CONTINUED) at += 1 + FIXED64_BYTES;
      else at = this.#skipOther(bytes, at, end);
    }
  }

  /** Moves behind a field of another form: a number, a length of two bytes, `flags` of a span, and all that is rare. */
  #skipOther(bytes: Uint8Array, at: number, end: number): number {
    const tag = bytes[at] ?? 0;
    const next = bytes[at + 1] ?? 0;
    const third = bytes[at + 2] ?? 0;
    const wireType = tag & WIRE_TYPE_BITS;
    if (tag >= CONTINUED) {
      if (next < CONTINUED && wireType === WIRE_FIXED32) return at + 2 + FIXED32_BYTES;
    } else if (wireType === WIRE_VARINT) {
      if (next < CONTINUED) return at + 2;
    } else if (wireType === WIRE_LENGTH && third < CONTINUED) return at + 3 + (next - CONTINUED) + (third << 7);
    return this.#skipRareField(bytes, at, end);
  }

  /** Moves behind a field of any form; a tag may be longer than it needs to be. */
  #skipRareField(bytes: Uint8Array, at: number, end: number): number {
    const reader = new WireReader(bytes, at, end);
    const tag = reader.readTag();
    if (tag === this.#firstTag) this.firstAt = reader.position;
    if (tag === this.#secondTag) this.secondAt = reader.position;
    reader.skipValue(tag);
    return reader.position;
  }
}
