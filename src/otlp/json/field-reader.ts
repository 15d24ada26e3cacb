/**
 * Reads protobuf a field at a time without allocating: where the value lies, and what a scalar says as two halves.
 * For the JSON encoder, whose bytes were stored and perhaps written by others: what is unsound is `corrupt_object`.
 * Hot path, hence a class whose fields are the results: `bench/otlp-json.ts`.
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

/** A cursor without a position: every method takes one and returns the next. */
export class FieldReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** Tag of the last field: {@link TAG_STEP} times its number plus its wire type. */
  tag = 0;
  /** First byte of the last field's value, behind the length if it has one. */
  valueStart = 0;
  /** The last varint or fixed value, as two unsigned halves. */
  low = 0;
  high = 0;
  #view: DataView = new DataView(this.bytes.buffer);

  /** Takes the bytes that all positions count in. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Reads tag and length of the field at `position`.
   *
   * @param end end of the message
   * @returns position after the field
   */
  readField(position: number, end: number): number {
    const { bytes } = this;
    const first = bytes[position] ?? 0;
    let next = position + 1;
    if (first < 0x80) this.tag = first;
    else {
      next = this.readVarint(position, end);
      this.tag = this.low;
    }
    if (this.tag < TAG_STEP) throw corrupt("a field has the number 0");
    const wireType = this.tag & (TAG_STEP - 1);
    if (wireType === WIRE_LENGTH) {
      let size = bytes[next++] ?? 0;
      if (size >= 0x80) {
        next = this.readVarint(next - 1, end);
        size = this.high === 0 ? this.low : Number.POSITIVE_INFINITY;
      }
      this.valueStart = next;
      next += size;
    } else {
      this.valueStart = next;
      if (wireType === WIRE_VARINT) next = skipVarint(bytes, next, end);
      else if (wireType === WIRE_FIXED64) next += 8;
      else if (wireType === WIRE_FIXED32) next += 4;
      else next = this.#skipGroup(wireType, end);
    }
    if (next > end) throw corrupt("a field ends behind its message");
    return next;
  }

  /** Reads a varint of at most 64 bits into `low` and `high`. */
  readVarint(position: number, end: number): number {
    const { bytes } = this;
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
        this.low = low >>> 0;
        this.high = high >>> 0;
        return position + index + 1;
      }
    }
    throw corrupt(`a varint is longer than ${MAX_VARINT_BYTES} bytes`);
  }

  /** Reads 64 bits into `low` and `high`. */
  readFixed64(position: number): number {
    this.low = this.#view.getUint32(position, true);
    this.high = this.#view.getUint32(position + 4, true);
    return position + 8;
  }

  /** Reads 32 bits into `low`. */
  readFixed32(position: number): number {
    this.low = this.#view.getUint32(position, true);
    this.high = 0;
    return position + 4;
  }

  /** The double at `position`. */
  readDouble(position: number): number {
    return this.#view.getFloat64(position, true);
  }

  /** Position after a group whose start tag was read. */
  #skipGroup(wireType: number, end: number): number {
    if (wireType !== WIRE_GROUP_START) throw corrupt(`a field has wire type ${wireType}`);
    const reader = new WireReader(this.bytes, this.valueStart, end);
    try {
      reader.skipValue(this.tag);
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
