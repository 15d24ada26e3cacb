/**
 * Cuts a stream of OTLP protobuf, such as the inflated bytes of an archive object, at its top-level fields.
 *
 * Concatenated requests are one message, so the only boundaries that matter are those of field 1, the containers
 * (ResourceSpans, ResourceMetrics, ResourceLogs). A consumer that passes protobuf on writes `field` as it came; one
 * that wants the message takes `container`. Nothing inside a container is looked at.
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
import { FirnError } from "../errors.ts";
import { MAX_MESSAGE_DEPTH, MAX_TOP_LEVEL_FIELD_BYTES, TOP_LEVEL_FIELDS_AT_ONCE } from "../limits.ts";

/** A complete top-level field. */
export interface TopLevelField {
  /** The whole field as it stood on the wire: tag, length if it has one, payload. */
  readonly field: Uint8Array;
  /** Payload of field 1, a view of `field`; `null` for a field that this version of OTLP does not know. */
  readonly container: Uint8Array | null;
}

/** A cursor over pieces of one stream, in order. */
export interface TopLevelSplitter {
  /**
   * Takes the next piece and returns the fields that it completes. They may be views of `piece`: use them up, or copy
   * them, before the memory of the piece is reused.
   * @throws FirnError `corrupt_object` if the bytes are not protobuf, if field 1 is no message, or if a field is larger
   * than `MAX_TOP_LEVEL_FIELD_BYTES`; the splitter is then of no further use
   */
  push(piece: Uint8Array): readonly TopLevelField[];
  /**
   * The same in runs of at most `TOP_LEVEL_FIELDS_AT_ONCE`, each a field or more; what stands before a fault is given
   * before it is thrown. It is read to its end before the next piece is taken.
   */
  split(piece: Uint8Array): Iterable<readonly TopLevelField[]>;
  /** Ends the stream. @throws FirnError `corrupt_object` if it ended inside a field */
  end(): void;
}

/** Room that a field begins with when it crosses a piece; it doubles, so the copying stays linear. */
const PENDING_INITIAL_BYTES = 4096;
const MAX_FIELD_NUMBER = 536_870_911;
const MAX_LENGTH = 0x7fff_ffff;
const CONTAINER_FIELD = 1;

/** A tag and, for wire type 2, the length behind it. */
interface ElementHeader {
  readonly fieldNumber: number;
  readonly wireType: number;
  readonly payloadStart: number;
  /** Position after the element; may lie beyond the bytes that are there. */
  readonly end: number;
}

/** Opens a splitter at the beginning of a stream. */
export function openTopLevelSplitter(): TopLevelSplitter {
  return new TopLevelCursor();
}

/** Joins fields that follow each other in memory: all of a piece are one run of bytes, and a run is a request, too. */
export function* joinAdjacent(fields: readonly TopLevelField[]): Generator<Uint8Array, void, void> {
  let memory: ArrayBufferLike | null = null;
  let start = 0;
  let end = 0;
  for (const each of fields) {
    const { buffer, byteOffset, length } = each instanceof SplitField ? each : each.field;
    if (buffer !== memory || byteOffset !== end) {
      if (memory !== null) yield new Uint8Array(memory, start, end - start);
      memory = buffer;
      start = byteOffset;
    }
    end = byteOffset + length;
  }
  if (memory !== null) yield new Uint8Array(memory, start, end - start);
}

/**
 * A field whose views are made when they are asked for: who passes fields on never does, and thousands of views outlive
 * a collection.
 */
class SplitField implements TopLevelField {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly length: number;
  readonly #payloadStart: number | null;

  /** @param payloadStart where the payload of field 1 begins in the field; `null` for any other */
  constructor({ buffer, byteOffset }: Uint8Array, start: number, end: number, payloadStart: number | null) {
    this.buffer = buffer;
    this.byteOffset = byteOffset + start;
    this.length = end - start;
    this.#payloadStart = payloadStart;
  }

  get field(): Uint8Array {
    return new Uint8Array(this.buffer, this.byteOffset, this.length);
  }

  get container(): Uint8Array | null {
    const start = this.#payloadStart;
    return start === null ? null : new Uint8Array(this.buffer, this.byteOffset + start, this.length - start);
  }
}

class TopLevelCursor implements TopLevelSplitter {
  /** Bytes of the field that began in an earlier piece; `#pendingBytes` of them are filled. */
  #pending = new Uint8Array(0);
  #pendingBytes = 0;
  /** Bytes of the field in progress that were walked: only groups consist of more than one element. */
  #walkedBytes = 0;
  #openGroups: readonly number[] = [];

  push(piece: Uint8Array): readonly TopLevelField[] {
    const fields: TopLevelField[] = [];
    for (const run of this.split(piece)) for (const field of run) fields.push(field);
    return fields;
  }

  *split(piece: Uint8Array): Generator<readonly TopLevelField[], void, void> {
    let fields: TopLevelField[] = [];
    try {
      for (let start = this.#takePending(piece, fields); start < piece.length;) {
        const { isComplete, next } = this.#walk(piece, start, piece.length);
        if (!isComplete) {
          this.#keep(piece.subarray(start));
          break;
        }
        fields.push(toField(piece, start, next));
        start = next;
        if (fields.length < TOP_LEVEL_FIELDS_AT_ONCE) continue;
        yield fields;
        fields = [];
      }
    } catch (error) {
      if (fields.length > 0) yield fields;
      throw error;
    }
    if (fields.length > 0) yield fields;
  }

  end(): void {
    if (this.#pendingBytes > 0) {
      throw corrupt(`the stream ends inside a field, after ${this.#pendingBytes} bytes of it`);
    }
  }

  /** Adds the field that began in an earlier piece, if this one completes it; returns where the next begins. */
  #takePending(piece: Uint8Array, fields: TopLevelField[]): number {
    if (this.#pendingBytes === 0) return 0;
    const start = this.#completePending(piece);
    if (start < 0) return piece.length;
    fields.push(toField(this.#pending, 0, this.#pendingBytes));
    this.#pending = new Uint8Array(0);
    this.#pendingBytes = 0;
    return start;
  }

  /** Adds to the pending field exactly the bytes it lacks; returns the position after them, -1 if it lacks more. */
  #completePending(piece: Uint8Array): number {
    let taken = 0;
    for (;;) {
      const { isComplete, next } = this.#walk(this.#pending, 0, this.#pendingBytes);
      if (isComplete) return taken;
      if (taken === piece.length) return -1;
      const wanted = Math.min(next - this.#pendingBytes, piece.length - taken);
      this.#keep(piece.subarray(taken, taken + wanted));
      taken += wanted;
    }
  }

  /** Walks the field at `start` on from where it stopped; `next` is its end, or a position that it reaches at least. */
  #walk(bytes: Uint8Array, start: number, limit: number): { readonly isComplete: boolean; readonly next: number } {
    for (;;) {
      const header = readElement(bytes, start + this.#walkedBytes, limit);
      if (header === null) return { isComplete: false, next: limit + 1 };
      if (header.end - start > MAX_TOP_LEVEL_FIELD_BYTES) {
        throw corrupt(`a top-level field is larger than ${MAX_TOP_LEVEL_FIELD_BYTES} bytes`);
      }
      if (header.end > limit) return { isComplete: false, next: header.end };
      this.#openGroups = stepGroups(this.#openGroups, header);
      this.#walkedBytes = header.end - start;
      if (this.#openGroups.length === 0) {
        this.#walkedBytes = 0;
        return { isComplete: true, next: header.end };
      }
    }
  }

  #keep(bytes: Uint8Array): void {
    const needed = this.#pendingBytes + bytes.length;
    if (needed > this.#pending.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#pending.length, PENDING_INITIAL_BYTES));
      grown.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = grown;
    }
    this.#pending.set(bytes, this.#pendingBytes);
    this.#pendingBytes = needed;
  }
}

function toField(bytes: Uint8Array, start: number, end: number): TopLevelField {
  const header = readElement(bytes, start, end);
  if (header === null || header.fieldNumber !== CONTAINER_FIELD) return new SplitField(bytes, start, end, null);
  if (header.wireType !== 2) throw corrupt(`field 1 has wire type ${header.wireType}, expected 2`);
  return new SplitField(bytes, start, end, header.payloadStart - start);
}

/** Groups that are open after an element. */
function stepGroups(open: readonly number[], element: ElementHeader): readonly number[] {
  if (element.wireType === 3) {
    if (open.length >= MAX_MESSAGE_DEPTH) throw corrupt(`groups nest deeper than ${MAX_MESSAGE_DEPTH}`);
    return [...open, element.fieldNumber];
  }
  if (element.wireType !== 4) return open;
  if (open.at(-1) !== element.fieldNumber)
    throw corrupt(`a group of field ${element.fieldNumber} ends that is not open`);
  return open.slice(0, -1);
}

/** Reads one element's header; `null` if the bytes end before it is known where the element ends. */
function readElement(bytes: Uint8Array, start: number, limit: number): ElementHeader | null {
  const tag = readVarint(bytes, start, limit, 5);
  if (tag === null) return null;
  const fieldNumber = Math.floor(tag.value / 8);
  const wireType = tag.value % 8;
  if (fieldNumber === 0 || fieldNumber > MAX_FIELD_NUMBER) throw corrupt(`a field has the number ${fieldNumber}`);
  const payloadStart = tag.end;
  switch (wireType) {
    case 0: {
      const value = readVarint(bytes, payloadStart, limit, 10);
      return value === null ? null : { fieldNumber, wireType, payloadStart, end: value.end };
    }
    case 1:
      return { fieldNumber, wireType, payloadStart, end: payloadStart + 8 };
    case 2: {
      const length = readVarint(bytes, payloadStart, limit, 10);
      if (length === null) return null;
      if (length.value > MAX_LENGTH) throw corrupt(`a field has a length above ${MAX_LENGTH} bytes`);
      return { fieldNumber, wireType, payloadStart: length.end, end: length.end + length.value };
    }
    case 3:
    case 4:
      return { fieldNumber, wireType, payloadStart, end: payloadStart };
    case 5:
      return { fieldNumber, wireType, payloadStart, end: payloadStart + 4 };
    default:
      throw corrupt(`a field has the wire type ${wireType}`);
  }
}

/** Reads a varint as a number, exact up to 2^53; `null` if the bytes end inside it. */
function readVarint(
  bytes: Uint8Array,
  start: number,
  limit: number,
  maxBytes: number,
): { readonly value: number; readonly end: number } | null {
  let value = 0;
  let factor = 1;
  for (let index = 0; index < maxBytes; index++) {
    if (start + index >= limit) return null;
    const byte = bytes[start + index] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: start + index + 1 };
    factor *= 128;
  }
  throw corrupt(`a varint is longer than ${maxBytes} bytes`);
}

function corrupt(found: string): FirnError {
  return new FirnError("corrupt_object", `Cannot split OTLP protobuf into top-level fields: ${found}`);
}
