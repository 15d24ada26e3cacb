/**
 * The protobuf wire format, a field at a time: {@link WireReader} reads, {@link varintBytes} and {@link writeVarint}
 * write. Knows nothing of messages; `walk.ts` is the fast way over a whole request and does not come here.
 * https://protobuf.dev/programming-guides/encoding/
 */
import { FirnError } from "../../errors.ts";

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
export const WIRE_GROUP_START = 3;
export const WIRE_GROUP_END = 4;
export const WIRE_FIXED32 = 5;

/** Bytes of the longest varint: 64 bits, seven a byte. */
export const MAX_VARINT_BYTES = 10;
/** Bytes of the longest tag: 32 bits, seven a byte. */
export const MAX_TAG_BYTES = 5;
/** A tag is this many times the field number, plus the wire type. */
export const TAG_STEP = 8;
/** Tags are below: field numbers have 29 bits. */
const MAX_TAG = 2 ** 32;
/** Unknown groups nest at most this deep (otlp-http 6), less the messages around them: parsers count both together. */
const MAX_GROUP_DEPTH = 100;

/** How deep groups may nest in a message of some depth, the request being 1. */
export function toMaxGroups(depth: number): number {
  return MAX_GROUP_DEPTH - (depth - 1);
}

/** How every message of a {@link WireReader} begins. */
export const READ_FAULT = "Cannot read protobuf: ";

/**
 * A cursor over the fields of one message. Each read takes the short form first, which is nearly always there; hot
 * enough to be a class: `bench/otlp-cut.ts` and `bench/otlp-items.ts`.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  end: number;
  position: number;
  /** The last field of {@link WireReader.readField}: its tag, where it began, and its value, behind tag and length. */
  tag = 0;
  fieldStart: number;
  valueStart: number;

  /**
   * @param bytes what the offsets count in, not necessarily the message alone
   * @param position first byte of the message
   * @param end first byte after it
   */
  constructor(bytes: Uint8Array, position: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
    this.fieldStart = position;
    this.valueStart = position;
  }

  /** Says whether every field was read. */
  isAtEnd(): boolean {
    return this.position >= this.end;
  }

  /** Moves behind a field and says its tag; where it was is left in `fieldStart` and `valueStart`. */
  readField(): number {
    this.fieldStart = this.position;
    const tag = this.readTag();
    this.tag = tag;
    if (tag % TAG_STEP === WIRE_LENGTH) {
      const end = this.readValueEnd();
      this.valueStart = this.position;
      this.position = end;
    } else {
      this.valueStart = this.position;
      this.skipValue(tag);
    }
    return tag;
  }

  /** Opens the value of the field that was read last. */
  openValue(): WireReader {
    return new WireReader(this.bytes, this.valueStart, this.position);
  }

  /** Moves to the value of the field that another reader of the same bytes has read last. */
  enterValue(outer: WireReader): void {
    this.position = outer.valueStart;
    this.end = outer.position;
  }

  /** Moves behind the next field with a tag; says no when there is none. */
  findField(tag: number): boolean {
    while (!this.isAtEnd()) if (this.readField() === tag) return true;
    return false;
  }

  /** Reads a tag: {@link TAG_STEP} times the field number plus the wire type. */
  readTag(): number {
    const first = this.position < this.end ? (this.bytes[this.position] ?? 0) : 0;
    if (first < TAG_STEP || first >= 0x80) return this.readLongTag();
    this.position += 1;
    return first;
  }

  private readLongTag(): number {
    let tag = 0;
    for (let index = 0; index < MAX_TAG_BYTES; index += 1) {
      const byte = this.readByte();
      tag += (byte & 0x7f) * 2 ** (7 * index);
      if (byte >= 0x80) continue;
      if (tag >= TAG_STEP && tag < MAX_TAG) return tag;
      throw this.toError(`field number ${Math.floor(tag / TAG_STEP)}`);
    }
    throw this.toError(`a tag of more than ${MAX_TAG_BYTES} bytes`);
  }

  /** Reads a varint and keeps its low 32 bits, as an unsigned number. */
  readUint32(): number {
    let value = 0;
    for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
      const byte = this.readByte();
      if (index < 5) value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) return value >>> 0;
    }
    throw this.toError(`a varint of more than ${MAX_VARINT_BYTES} bytes`);
  }

  /** Reads a varint of 64 bits, unsigned; `BigInt.asIntN(64, …)` gives the signed reading. */
  readUint64(): bigint {
    let value = 0n;
    for (let index = 0n; index < MAX_VARINT_BYTES; index += 1n) {
      const byte = this.readByte();
      value |= BigInt(byte & 0x7f) << (7n * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw this.toError(`a varint of more than ${MAX_VARINT_BYTES} bytes`);
  }

  /** Reads the length in front of a length-delimited value and says where that value ends. */
  readValueEnd(): number {
    const { bytes } = this;
    let start = this.position + 1;
    // A byte behind the end of the message may be read here, but then the value ends there too.
    let size = bytes[start - 1] ?? 0x80;
    if (size >= 0x80) {
      const second = bytes[start] ?? 0x80;
      if (second >= 0x80) return this.readLongValueEnd();
      size = (size & 0x7f) | (second << 7);
      start += 1;
    }
    if (start + size > this.end) return this.readLongValueEnd();
    this.position = start;
    return start + size;
  }

  private readLongValueEnd(): number {
    let size = 0;
    for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
      const byte = this.readByte();
      // A double: lengths above 2^31 lose digits here, and none of them fits.
      size += (byte & 0x7f) * 2 ** (7 * index);
      if (byte >= 0x80) continue;
      if (size <= this.end - this.position) return this.position + size;
      throw this.toError(`a length of ${size} bytes, ${this.end - this.position} bytes before the end of the message`);
    }
    throw this.toError(`a length of more than ${MAX_VARINT_BYTES} bytes`);
  }

  /**
   * Moves behind the value of a tag; a group is followed to its end, without recursion.
   *
   * @param maxGroups how deep groups may nest here
   */
  skipValue(tag: number, maxGroups: number = MAX_GROUP_DEPTH): void {
    const wireType = tag % TAG_STEP;
    if (wireType === WIRE_LENGTH) this.position = this.readValueEnd();
    else if (wireType === WIRE_GROUP_START || wireType === WIRE_GROUP_END) this.skipGroup(tag, maxGroups);
    else this.skipPlainValue(wireType);
  }

  private skipGroup(tag: number, maxGroups: number): void {
    const open: number[] = [];
    for (let current = tag; ; current = this.readTag()) {
      const wireType = current % TAG_STEP;
      if (wireType === WIRE_GROUP_START) open.push(current - WIRE_GROUP_START + WIRE_GROUP_END);
      else if (wireType !== WIRE_GROUP_END) this.skipPlainValue(wireType);
      else if (open.pop() !== current) throw this.toError("the end of a group that is not the innermost open one");
      if (open.length === 0) return;
      if (open.length > maxGroups) throw this.toError(`groups nested more than ${maxGroups} deep`);
    }
  }

  private skipPlainValue(wireType: number): void {
    if (wireType === WIRE_VARINT) this.skipVarint();
    else if (wireType === WIRE_FIXED64) this.skipBytes(8);
    else if (wireType === WIRE_LENGTH) this.position = this.readValueEnd();
    else if (wireType === WIRE_FIXED32) this.skipBytes(4);
    else throw this.toError(`wire type ${wireType}`);
  }

  private skipVarint(): void {
    if (this.position < this.end && (this.bytes[this.position] ?? 0) < 0x80) this.position += 1;
    else this.readUint32();
  }

  private skipBytes(count: number): void {
    if (count > this.end - this.position) throw this.toError("the end of the message inside a value");
    this.position += count;
  }

  private readByte(): number {
    const byte = this.position < this.end ? this.bytes[this.position] : undefined;
    if (byte === undefined) throw this.toError("the end of the message inside a value");
    this.position += 1;
    return byte;
  }

  private toError(found: string): FirnError {
    return new FirnError("invalid_request", `${READ_FAULT}found ${found} before byte ${this.position}`);
  }
}

/** Bytes that a varint of this value takes: 1 to 5. */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

/**
 * Writes an unsigned varint of at most 32 bits.
 *
 * @returns the position after it
 */
export function writeVarint(output: Uint8Array, position: number, value: number): number {
  let at = position;
  let rest = value >>> 0;
  for (; rest > 0x7f; rest >>>= 7) output[at++] = (rest & 0x7f) | 0x80;
  output[at++] = rest;
  return at;
}
