/**
 * One protobuf message → one JSON object, in the order of the table whatever the order on the wire.
 *
 * A message is looked over once to find where its fields lie and written afterwards, so that reversed, repeated and
 * split fields cost nothing extra: singular fields count as their last occurrence, singular messages as the sum of
 * theirs, oneofs as their last member (otlp-http 6). Hot path, hence a class that reuses its frames and nests by
 * recursion (at most `MAX_MESSAGE_DEPTH` deep): `bench/otlp-json.ts`.
 */
import { MAX_MESSAGE_DEPTH } from "../../limits.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { corrupt, FieldReader } from "./field-reader.ts";
import { ScalarWriter } from "./scalar-writer.ts";
import { isPackable, MAX_FIELDS, type FieldPlan, type MessagePlan } from "./message-plan.ts";
import { TAG_STEP, WIRE_LENGTH } from "../wire/format.ts";

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Where one message lies and where its fields do; one for each depth, used again for the next message there. */
export class MessageFrame {
  /** Start and end of each piece of the message: more than one if a singular message came in several. */
  segments: Int32Array = new Int32Array(2);
  /** Numbers of `segments` that count. */
  segmentLength = 2;
  /** Bit of each slot that occurs, and of each that occurs more than once. */
  seen = 0;
  repeated = 0;
  /** By slot: tag of the first occurrence that counts, value and end of the last. */
  readonly firstTags: Int32Array = new Int32Array(MAX_FIELDS);
  readonly valueStarts: Int32Array = new Int32Array(MAX_FIELDS);
  readonly valueEnds: Int32Array = new Int32Array(MAX_FIELDS);
  /** Where the walk over the elements of one list stands: a piece, and a position in it. */
  cursorSegment = 0;
  cursorPosition = 0;
  readonly #depth: number;
  #inner: MessageFrame | null = null;

  /** @param depth of the message, 1 for a request */
  constructor(depth: number) {
    this.#depth = depth;
  }

  /**
   * The frame of the messages inside this one.
   * @throws FirnError `corrupt_object` below the depth that every OTLP reader accepts
   */
  get inner(): MessageFrame {
    if (this.#inner !== null) return this.#inner;
    if (this.#depth === MAX_MESSAGE_DEPTH) throw corrupt(`messages nest deeper than ${MAX_MESSAGE_DEPTH}`);
    this.#inner = new MessageFrame(this.#depth + 1);
    return this.#inner;
  }

  /** Makes the message one piece. */
  setRange(start: number, end: number): void {
    this.segments[0] = start;
    this.segments[1] = end;
    this.segmentLength = 2;
  }

  /** Adds a piece. */
  addRange(start: number, end: number): void {
    if (this.segmentLength === this.segments.length) {
      const grown = new Int32Array(2 * this.segments.length);
      grown.set(this.segments);
      this.segments = grown;
    }
    this.segments[this.segmentLength++] = start;
    this.segments[this.segmentLength++] = end;
  }

  /** Says whether the scanned message has a field. */
  has(field: FieldPlan): boolean {
    return (this.seen & (1 << field.slot)) !== 0;
  }

  /** Begins a walk over the occurrences of a field of the scanned message; one such walk at a time. */
  startElements(field: FieldPlan): void {
    this.cursorSegment = 0;
    this.cursorPosition = this.firstTags[field.slot] ?? 0;
  }
}

/** Writes messages of one source after the other into one output. */
export class MessageEncoder {
  readonly output: ByteWriter;
  readonly #reader: FieldReader = new FieldReader();
  readonly #scalars: ScalarWriter;

  constructor(output: ByteWriter) {
    this.output = output;
    this.#scalars = new ScalarWriter(this.#reader, output);
  }

  /** Takes the bytes that segments count in. */
  open(source: Uint8Array): void {
    this.#reader.open(source);
  }

  /** Writes the message in its frame as an object. */
  writeMessage(plan: MessagePlan, frame: MessageFrame): void {
    this.scan(plan, frame);
    this.output.byte(OPEN_BRACE);
    this.writeFields(plan, frame, 0, plan.fields.length);
    this.output.byte(CLOSE_BRACE);
  }

  /** Finds the fields of the message in its frame. */
  scan(plan: MessagePlan, frame: MessageFrame): void {
    const reader = this.#reader;
    const { segments, segmentLength } = frame;
    let seen = 0;
    let repeated = 0;
    for (let index = 0; index < segmentLength; index += 2) {
      const end = segments[index + 1] ?? 0;
      for (let position = segments[index] ?? 0, next = position; position < end; position = next) {
        next = reader.readField(position, end);
        const { tag } = reader;
        const slot = tag >= (MAX_FIELDS + 1) * TAG_STEP ? -1 : (plan.slots[tag >>> 3] ?? -1);
        const field = plan.fields[slot];
        if (field === undefined) continue;
        if ((tag & 7) !== field.wireType && tag !== field.tag)
          throw corrupt(`${plan.name}.${field.jsonName} has wire type ${tag & 7}`);
        seen &= ~field.rivals;
        const bit = 1 << slot;
        if ((seen & bit) === 0) {
          frame.firstTags[slot] = position;
          seen |= bit;
          repeated &= ~bit;
        } else repeated |= bit;
        frame.valueStarts[slot] = reader.valueStart;
        frame.valueEnds[slot] = next;
      }
    }
    frame.seen = seen;
    frame.repeated = repeated;
  }

  /**
   * Writes the members of a scanned message whose slots are from `firstSlot` to before `endSlot`, with commas between.
   * @returns whether there were any
   */
  writeFields(plan: MessagePlan, frame: MessageFrame, firstSlot: number, endSlot: number): boolean {
    const { output } = this;
    const { seen } = frame;
    let hasAny = false;
    for (let slot = firstSlot; slot < endSlot; slot++) {
      const field = plan.fields[slot];
      if (field === undefined || (seen & (1 << slot)) === 0) continue;
      const start = output.length;
      if (hasAny) output.byte(COMMA);
      output.append(field.quotedName);
      const isWritten = field.isRepeated ? this.#writeList(field, frame) : this.#writeField(field, frame);
      if (isWritten) hasAny = true;
      else output.length = start;
    }
    return hasAny;
  }

  /** Makes the inner frame that of a singular message field, all its pieces together. */
  enterField(field: FieldPlan, frame: MessageFrame): void {
    const { inner } = frame;
    const { slot } = field;
    if ((frame.repeated & (1 << slot)) === 0) {
      inner.setRange(frame.valueStarts[slot] ?? 0, frame.valueEnds[slot] ?? 0);
      return;
    }
    inner.segmentLength = 0;
    frame.startElements(field);
    for (let end = this.nextElement(field, frame); end >= 0; end = this.nextElement(field, frame)) {
      inner.addRange(this.elementStart, end);
    }
  }

  /**
   * Finds the next occurrence and leaves where its value starts in {@link MessageEncoder.elementStart}.
   * @returns position after the occurrence, -1 if there is none
   */
  nextElement(field: FieldPlan, frame: MessageFrame): number {
    const reader = this.#reader;
    const { segments, segmentLength } = frame;
    const last = frame.valueEnds[field.slot] ?? 0;
    for (; frame.cursorSegment < segmentLength; frame.cursorSegment += 2) {
      const end = segments[frame.cursorSegment + 1] ?? 0;
      let next = Math.max(frame.cursorPosition, segments[frame.cursorSegment] ?? 0);
      while (next < end && next < last) {
        next = reader.readField(next, end);
        if (reader.tag >>> 3 !== field.number) continue;
        frame.cursorPosition = next;
        return next;
      }
    }
    return -1;
  }

  /** Start of the value that {@link MessageEncoder.nextElement} found. */
  get elementStart(): number {
    return this.#reader.valueStart;
  }

  /** Writes a singular value; false for a zero that JSON omits. */
  #writeField(field: FieldPlan, frame: MessageFrame): boolean {
    if (field.message !== null) {
      this.enterField(field, frame);
      this.writeMessage(field.message, frame.inner);
      return true;
    }
    this.#scalars.write(field, frame.valueStarts[field.slot] ?? 0, frame.valueEnds[field.slot] ?? 0);
    return field.keepsZero || !this.#scalars.isZero;
  }

  /** Writes a list of messages or scalars, packed or not; false if it has no element. */
  #writeList(field: FieldPlan, frame: MessageFrame): boolean {
    const { output } = this;
    output.byte(OPEN_BRACKET);
    const start = output.length;
    const isPackedKind = isPackable(field.kind);
    frame.startElements(field);
    for (let end = this.nextElement(field, frame); end >= 0; end = this.nextElement(field, frame)) {
      let position = this.elementStart;
      if (isPackedKind && (this.#reader.tag & 7) === WIRE_LENGTH) {
        while (position < end) {
          if (output.length > start) output.byte(COMMA);
          position = this.#scalars.write(field, position, end);
        }
        continue;
      }
      if (output.length > start) output.byte(COMMA);
      if (field.message === null) this.#scalars.write(field, position, end);
      else {
        frame.inner.setRange(position, end);
        this.writeMessage(field.message, frame.inner);
      }
    }
    output.byte(CLOSE_BRACKET);
    return output.length > start + 1;
  }
}
