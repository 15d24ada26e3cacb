/**
 * Reads protobuf a field at a time without allocating: where the value lies, and what a scalar says as two halves.
 * For the JSON encoder, whose bytes were stored and perhaps written by others: what is unsound is `corrupt_object`.
 * Hot path, hence a class whose fields are the results: `bench/otlp-json-encode.ts`.
 */
import { FirnError } from "../../errors.ts";
import {
  MAX_VARINT_BYTES,
  TAG_STEP,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_GROUP_START,
  WIRE_LENGTH,
  WIRE_VARINT,
  WireReader,
} from "../wire/format.ts";

/**
 * A cursor without a position: every method takes one and returns the next. Positions, lengths and halves are int32
 * throughout: a single larger number would make the compiled code reckon in doubles.
 */
export class FieldReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes, for words. */
  view: DataView = new DataView(this.bytes.buffer);
  /** Tag of the last field: {@link TAG_STEP} times its number plus its wire type, as an int32. */
  tag = 0;
  /** First byte of the last field's value, behind the length if it has one. */
  valueStart = 0;
  /** The last varint or fixed value, as two halves, each an int32. */
  low = 0;
  high = 0;

  /** Takes the bytes that all positions count in. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Reads tag and length of the field at `position`.
   *
   * @param end end of the message
   * @returns position after the field
   */
  readField(position: number, end: number): number {
    const first = this.bytes[position] ?? 0;
    let next = position + 1;
    this.tag = first;
    if (first >= 0x80) {
      next = this.readVarint(position, end);
      this.tag = this.low;
    }
    if (this.tag >>> 3 === 0) throw corrupt("a field has the number 0");
    const wireType = this.tag & (TAG_STEP - 1);
    if (wireType === WIRE_LENGTH) return this.readLength(next, end);
    this.valueStart = next;
    if (wireType === WIRE_VARINT) next = skipVarint(this.bytes, next, end);
    else if (wireType === WIRE_FIXED64) next += 8;
    else if (wireType === WIRE_FIXED32) next += 4;
    else next = this.#skipGroup(wireType, end);
    if (next > end) throw corrupt("a field ends behind its message");
    return next;
  }

  /**
   * Reads the length at `position` and leaves where its value starts in `valueStart`.
   * @returns position after the value
   */
  readLength(position: number, end: number): number {
    let size = this.bytes[position] ?? 0;
    let start = position + 1;
    if (size >= 0x80) {
      start = this.readVarint(position, end);
      size = this.high === 0 ? this.low : -1;
    }
    if (size < 0 || size > end - start) throw corrupt("a field ends behind its message");
    this.valueStart = start;
    return start + size;
  }

  /** Reads a varint of at most 64 bits into `low` and `high`. */
  readVarint(position: number, end: number): number {
    const { bytes } = this;
    const first = bytes[position] ?? 0;
    if (first < 0x80 && position < end) {
      this.low = first;
      this.high = 0;
      return position + 1;
    }
    let low = 0;
    let high = 0;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      if (position + index >= end) throw corrupt("a varint ends behind its message");
      const byte = bytes[position + index] ?? 0;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index > 4) high |= bits << (7 * index - 32);
      else {
        low |= bits << 28;
        high |= bits >> 4;
      }
      if (byte < 0x80) {
        this.low = low;
        this.high = high;
        return position + index + 1;
      }
    }
    throw corrupt(`a varint is longer than ${MAX_VARINT_BYTES} bytes`);
  }

  /** Reads 64 bits into `low` and `high`. */
  readFixed64(position: number): number {
    this.low = this.view.getInt32(position, true);
    this.high = this.view.getInt32(position + 4, true);
    return position + 8;
  }

  /** Reads 32 bits into `low`. */
  readFixed32(position: number): number {
    this.low = this.view.getInt32(position, true);
    this.high = 0;
    return position + 4;
  }

  /** The double at `position`. */
  readDouble(position: number): number {
    return this.view.getFloat64(position, true);
  }

  /** Position after a group whose start tag was read. */
  #skipGroup(wireType: number, end: number): number {
    if (wireType !== WIRE_GROUP_START) throw corrupt(`a field has wire type ${wireType}`);
    const reader = new WireReader(this.bytes, this.valueStart, end);
    try {
      reader.skipValue(this.tag >>> 0);
    } catch (error) {
      throw new FirnError("corrupt_object", "Cannot write OTLP JSON: an unknown group is unsound", { cause: error });
    }
    return reader.position;
  }
}

/** Makes the error of bytes that are no sound message. */
export function corrupt(found: string): FirnError {
  return new FirnError("corrupt_object", `Cannot write OTLP JSON: the protobuf is unsound, ${found}`);
}

function skipVarint(bytes: Uint8Array, position: number, end: number): number {
  const limit = Math.min(end, position + MAX_VARINT_BYTES);
  for (let next = position; next < limit; next++) {
    if ((bytes[next] ?? 0) < 0x80) return next + 1;
  }
  throw corrupt("a varint is too long or cut");
}
