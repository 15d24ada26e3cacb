/**
 * Where one message lies and where its fields do: what a look over a message finds before it is written. Of scalars the
 * last occurrence counts, of oneofs the last member (otlp-http 6).
 * Part of the hot path of `message-encoder.ts`: `bench/otlp-json-encode.ts`.
 */
import { MAX_MESSAGE_DEPTH } from "../../limits.ts";
import { corrupt, type FieldReader } from "./field-reader.ts";
import {
  MAX_SLOTS,
  MAX_TAGS,
  UNKNOWN_FIELD,
  WRONG_WIRE_TYPE,
  type FieldPlan,
  type MessagePlan,
} from "./message-plan.ts";

// The values of `wire/format.ts` again: what a module imports, its compiled code loads anew in every round of a loop.
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;

/** One for each depth, used again for the next message there. */
export class MessageFrame {
  /** Where the message lies, if it is one piece. */
  start = 0;
  end = 0;
  /** Start and end of each piece, if it is a singular message that came in several; 0 of them if it is one piece. */
  pieces: Int32Array = new Int32Array(0);
  pieceCount = 0;
  /** The piece in which the walk over the occurrences of a field stands. */
  #piece = 0;
  /** Bit of each slot that occurs, and of each that occurs more than once. */
  seen = 0;
  repeated = 0;
  /** By slot: tag of the first occurrence that counts, value and end of the last. */
  readonly firstTags: Int32Array = new Int32Array(MAX_SLOTS);
  readonly valueStarts: Int32Array = new Int32Array(MAX_SLOTS);
  readonly valueEnds: Int32Array = new Int32Array(MAX_SLOTS);
  /** Depth of the message, 1 for a request. */
  readonly depth: number;
  #inner: MessageFrame | null = null;

  constructor(depth: number) {
    this.depth = depth;
  }

  /**
   * The frame of the messages inside this one.
   * @throws FirnError `corrupt_object` below the depth that every OTLP reader accepts
   */
  get inner(): MessageFrame {
    return this.#inner ?? this.#openInner();
  }

  /** Makes the message one piece. */
  setRange(start: number, end: number): void {
    this.start = start;
    this.end = end;
    this.pieceCount = 0;
  }

  /** Adds a piece, one that lies behind those there are. */
  addPiece(start: number, end: number): void {
    const index = 2 * this.pieceCount;
    if (index === this.pieces.length) {
      const grown = new Int32Array(Math.max(8, 2 * this.pieces.length));
      grown.set(this.pieces);
      this.pieces = grown;
    }
    this.pieces[index] = start;
    this.pieces[index + 1] = end;
    this.pieceCount += 1;
  }

  /**
   * Finds the fields of the message.
   * @throws FirnError `corrupt_object` if one is unsound or has a wire type that it cannot have
   */
  scan(plan: MessagePlan, reader: FieldReader): void {
    this.seen = 0;
    this.repeated = 0;
    if (this.pieceCount === 0) this.#scanPiece(plan, reader, this.start, this.end);
    for (let index = 0; index < 2 * this.pieceCount; index += 2) {
      this.#scanPiece(plan, reader, this.pieces[index] ?? 0, this.pieces[index + 1] ?? 0);
    }
  }

  /** Says whether the scanned message has a field. */
  has(field: FieldPlan): boolean {
    return (this.seen & (1 << field.slot)) !== 0;
  }

  /** Says whether the scanned message has a field more than once. */
  hasSeveral(field: FieldPlan): boolean {
    return (this.repeated & (1 << field.slot)) !== 0;
  }

  /**
   * Begins a walk over the occurrences of a field of the scanned message; one such walk at a time.
   * @returns where the first one is
   */
  startWalk(field: FieldPlan): number {
    this.#piece = 0;
    return this.firstTags[field.slot] ?? 0;
  }

  /** Where the field goes on that is next in a walk: behind the end of a piece lies what is not of the message. */
  skipGap(position: number): number {
    if (this.pieceCount === 0) return position;
    let next = Math.max(position, this.pieces[2 * this.#piece] ?? 0);
    // A piece may be empty.
    while (this.#piece + 1 < this.pieceCount && (this.pieces[2 * this.#piece + 1] ?? 0) <= next) {
      this.#piece += 1;
      next = Math.max(next, this.pieces[2 * this.#piece] ?? 0);
    }
    return next;
  }

  #openInner(): MessageFrame {
    if (this.depth === MAX_MESSAGE_DEPTH) throw corrupt(`messages nest deeper than ${MAX_MESSAGE_DEPTH}`);
    this.#inner = new MessageFrame(this.depth + 1);
    return this.#inner;
  }

  #scanPiece(plan: MessagePlan, reader: FieldReader, start: number, end: number): void {
    for (let position = start; position < end;) {
      position = scanPlainFields(reader.bytes, position, end, plan, this);
      if (position < end) position = this.#scanField(plan, reader, position, end);
    }
  }

  /** Finds one field, whatever it looks like. */
  #scanField(plan: MessagePlan, reader: FieldReader, position: number, end: number): number {
    const next = reader.readField(position, end);
    const { tag } = reader;
    const slot = tag >= 0 && tag < MAX_TAGS ? (plan.slotsByTag[tag] ?? UNKNOWN_FIELD) : UNKNOWN_FIELD;
    if (slot === WRONG_WIRE_TYPE) throw corrupt(`field ${tag >>> 3} of ${plan.name} has wire type ${tag & 7}`);
    if (slot === UNKNOWN_FIELD) return next;
    const bit = 1 << slot;
    if ((this.seen & bit) !== 0) this.repeated |= bit;
    else {
      this.seen = (this.seen & ~(plan.rivals[slot] ?? 0)) | bit;
      this.repeated &= ~bit;
      this.firstTags[slot] = position;
    }
    this.valueStarts[slot] = reader.valueStart;
    this.valueEnds[slot] = next;
    return next;
  }
}

/**
 * Finds fields as long as they are known, tag and length take at most two bytes each, and varints one: nearly all of
 * them. The loop calls nothing, so that the compiler keeps its state in registers.
 * @returns position of the first field that is otherwise, or `end`
 */
function scanPlainFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  plan: MessagePlan,
  frame: MessageFrame,
): number {
  const { slotsByTag, rivals } = plan;
  const { firstTags, valueStarts, valueEnds } = frame;
  let { seen, repeated } = frame;
  let position = start;
  while (position < end) {
    // No tag is above 255, so that the second byte of one is always 1, and the first is the tag.
    const tag = bytes[position] ?? 0;
    let valueStart = position + 1;
    if (tag >= 0x80 && bytes[valueStart++] !== 1) break;
    const slot = slotsByTag[tag] ?? -1;
    if (slot < 0) break;
    const wireType = tag & 7;
    let next = valueStart + 8;
    if (wireType === WIRE_FIXED32) next = valueStart + 4;
    else if (wireType !== WIRE_FIXED64) {
      const first = bytes[valueStart] ?? 0;
      next = valueStart + 1;
      if (wireType === WIRE_LENGTH) {
        const second = first < 0x80 ? 0 : (bytes[next++] ?? 0);
        if (second >= 0x80) break;
        valueStart = next;
        next += (first & 0x7f) | (second << 7);
      } else if (first >= 0x80) break;
    }
    if (next > end) break;
    const bit = 1 << slot;
    if ((seen & bit) !== 0) repeated |= bit;
    else {
      seen = (seen & ~(rivals[slot] ?? 0)) | bit;
      repeated &= ~bit;
      firstTags[slot] = position;
    }
    // Short elements of a list, of which only the last is of interest.
    const listTag = wireType === WIRE_LENGTH && tag < 0x80 ? tag : -1;
    while (next < end && bytes[next] === listTag) {
      const size = bytes[next + 1] ?? 0;
      if (size >= 0x80 || next + 2 + size > end) break;
      repeated |= bit;
      valueStart = next + 2;
      next = valueStart + size;
    }
    valueStarts[slot] = valueStart;
    valueEnds[slot] = next;
    position = next;
  }
  frame.seen = seen;
  frame.repeated = repeated;
  return position;
}
