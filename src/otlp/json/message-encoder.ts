/**
 * One protobuf message → one JSON object, in pdata's order whatever the order on the wire.
 *
 * A message is looked over once to find where its fields lie (`message-frame.ts`) and written afterwards, so that
 * reversed, repeated and split fields cost nothing extra: singular messages are the sum of their occurrences (otlp-http
 * 6). Hot path, hence a class that reuses its frames and nests by recursion (at most `MAX_MESSAGE_DEPTH` deep), with
 * large functions, since calls are what takes time: `bench/otlp-json-encode.ts`.
 */
import { MAX_MESSAGE_DEPTH } from "../../limits.ts";
import { toConstantText, type ByteWriter, type ConstantText } from "../byte-writer.ts";
import { WIRE_LENGTH } from "../wire/format.ts";
import type { AttributeCache } from "./attribute-cache.ts";
import { writeUsualAttribute, writeUsualValue } from "./attribute-writer.ts";
import { FieldReader } from "./field-reader.ts";
import type { MessageFrame } from "./message-frame.ts";
import { isPackable, type FieldPlan, type MessagePlan } from "./message-plan.ts";
import { ScalarWriter } from "./scalar-writer.ts";
import { writeUsualSpan } from "./span-writer.ts";

/** Mask of all slots. */
export const ALL_FIELDS = -1;
/** Attributes down to this depth are remembered: what the longest of them nests, 48 levels, is allowed there. */
const MAX_ATTRIBUTE_DEPTH = 32;
const COMMA = 0x2c;
const CLOSE_BRACKET = 0x5d;
const EMPTY_OBJECT: ConstantText = toConstantText("{}");
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Writes messages of one source after the other into one output. */
export class MessageEncoder {
  readonly output: ByteWriter;
  readonly #reader: FieldReader = new FieldReader();
  readonly #scalars: ScalarWriter;
  readonly #attributes: AttributeCache | null;

  /** @param attributes those that others of the same encoder are likely to be; null for a source too short for that */
  constructor(output: ByteWriter, attributes: AttributeCache | null) {
    this.output = output;
    this.#attributes = attributes;
    this.#scalars = new ScalarWriter(this.#reader, output);
  }

  /** Takes the bytes that frames count in. */
  open(source: Uint8Array): void {
    this.#reader.open(source);
  }

  /** Writes the message in its frame as an object. */
  writeMessage(plan: MessagePlan, frame: MessageFrame): void {
    frame.scan(plan, this.#reader);
    const start = this.output.length;
    this.writeFields(plan, frame, ALL_FIELDS);
    this.closeObject(start);
  }

  /** Finds the fields of the message in its frame. */
  scan(plan: MessagePlan, frame: MessageFrame): void {
    frame.scan(plan, this.#reader);
  }

  /**
   * Writes the members of a scanned message, each behind a comma: those that pdata always writes, and fields that were
   * sent, but for zeros without presence.
   * @param mask bits of the slots that may be written
   */
  writeFields(plan: MessagePlan, frame: MessageFrame, mask: number): void {
    const { output } = this;
    const scalars = this.#scalars;
    const { fields } = plan;
    let rest = (frame.seen | plan.always) & mask;
    if (plan.usual === "span") rest = writeUsualSpan(output, this.#reader, frame, rest);
    for (; rest !== 0; rest &= rest - 1) {
      const slot = 31 - Math.clz32(rest & -rest);
      const field = fields[slot];
      if (field === undefined) continue;
      if (field.message === null && !field.isRepeated) {
        scalars.writeMember(field, frame.valueStarts[slot] ?? 0, frame.valueEnds[slot] ?? 0);
        continue;
      }
      const start = output.length;
      output.text(field.prefix);
      if (field.isRepeated) {
        const first = output.length;
        this.writeElements(field, frame);
        if (output.length === first) output.length = start;
        else output.byte(CLOSE_BRACKET);
      } else if (field.message !== null) this.#writeMessage(field, field.message, frame);
    }
  }

  /** Makes an object of the members written since `start`: its brace takes the place of their first comma. */
  closeObject(start: number): void {
    const { output } = this;
    output.reserve(2);
    if (output.length === start) output.length += 1;
    output.bytes[start] = OPEN_BRACE;
    output.bytes[output.length++] = CLOSE_BRACE;
  }

  /** Makes the inner frame that of a singular message field, all its pieces together; an empty one if it is absent. */
  enterField(field: FieldPlan, frame: MessageFrame): void {
    const { inner } = frame;
    if (!frame.has(field)) inner.setRange(0, 0);
    else inner.setRange(frame.valueStarts[field.slot] ?? 0, frame.valueEnds[field.slot] ?? 0);
    if (!frame.hasSeveral(field)) return;
    let end = this.nextElement(field, frame, frame.startWalk(field));
    for (; end >= 0; end = this.nextElement(field, frame, end)) inner.addPiece(this.elementStart, end);
  }

  /**
   * Finds the next occurrence and leaves where its value starts in {@link MessageEncoder.elementStart}.
   * @param from what {@link MessageFrame.startWalk} or the call before returned
   * @returns position after the occurrence, -1 if there is none
   */
  nextElement(field: FieldPlan, frame: MessageFrame, from: number): number {
    const reader = this.#reader;
    const last = frame.valueEnds[field.slot] ?? 0;
    for (let position = from; position < last;) {
      position = reader.readField(frame.skipGap(position), last);
      if (reader.tag >>> 3 === field.number) return position;
    }
    return -1;
  }

  /** Start of the value that {@link MessageEncoder.nextElement} found. */
  get elementStart(): number {
    return this.#reader.valueStart;
  }

  /** Writes the elements of a list of a scanned message, with commas between. */
  writeElements(field: FieldPlan, frame: MessageFrame): void {
    if (field.message === null) this.#writeScalars(field, frame);
    else this.#writeMessages(field, field.message, frame);
  }

  #writeMessage(field: FieldPlan, plan: MessagePlan, frame: MessageFrame): void {
    if (!frame.has(field) && plan.always === 0) {
      // Without a frame, which would count as one more level of messages than were sent.
      this.output.text(EMPTY_OBJECT);
      return;
    }
    this.enterField(field, frame);
    this.#writeInner(plan, frame.inner);
  }

  /** As {@link MessageEncoder.writeMessage}, the short way if there is one. */
  #writeInner(plan: MessagePlan, frame: MessageFrame): void {
    if (plan.usual === null || !this.#writeUsual(plan, frame)) this.writeMessage(plan, frame);
  }

  #writeUsual(plan: MessagePlan, frame: MessageFrame): boolean {
    if (frame.pieceCount > 0 || frame.depth === MAX_MESSAGE_DEPTH) return false;
    switch (plan.usual) {
      case "attribute":
        return writeUsualAttribute(this.output, this.#reader, frame.start, frame.end);
      case "value":
        return writeUsualValue(this.output, this.#reader, frame.start, frame.end);
      default:
        return false;
    }
  }

  #writeMessages(field: FieldPlan, plan: MessagePlan, frame: MessageFrame): void {
    const { output } = this;
    const { inner } = frame;
    const { bytes, view } = this.#reader;
    const attributes = plan.usual === "attribute" && inner.depth <= MAX_ATTRIBUTE_DEPTH ? this.#attributes : null;
    const begin = output.length;
    const last = frame.valueEnds[field.slot] ?? 0;
    // Tag of an element whose tag is one byte and whose length is two at most, if elements can be so.
    const plainTag = field.tag < 0x80 && frame.pieceCount === 0 ? field.tag : -1;
    for (let position = frame.startWalk(field); position < last;) {
      const first = bytes[position + 1] ?? 0;
      const second = first < 0x80 ? 0 : (bytes[position + 2] ?? 0);
      let start = position + (first < 0x80 ? 2 : 3);
      if (bytes[position] === plainTag && second < 0x80) position = start + ((first & 0x7f) | (second << 7));
      else {
        position = this.nextElement(field, frame, position);
        if (position < 0) break;
        start = this.elementStart;
      }
      if (output.length > begin) output.byte(COMMA);
      if (attributes !== null && attributes.write(output, view, start, position)) continue;
      const before = output.length;
      inner.setRange(start, position);
      this.#writeInner(plan, inner);
      if (attributes !== null) attributes.learn(output, before, view, start, position);
    }
  }

  /** Writes the elements of a list of strings, bytes or numbers, packed or not. */
  #writeScalars(field: FieldPlan, frame: MessageFrame): void {
    const { output } = this;
    const begin = output.length;
    const mayBePacked = isPackable(field.kind);
    let end = this.nextElement(field, frame, frame.startWalk(field));
    for (; end >= 0; end = this.nextElement(field, frame, end)) {
      if (mayBePacked && (this.#reader.tag & 7) === WIRE_LENGTH) this.#writePacked(field, end, begin);
      else {
        if (output.length > begin) output.byte(COMMA);
        this.#scalars.write(field, this.elementStart, end);
      }
    }
  }

  /** Writes the numbers of the packed list that was found last. @param begin where the list begins in the output */
  #writePacked(field: FieldPlan, end: number, begin: number): void {
    const { output } = this;
    const scalars = this.#scalars;
    for (let position = this.elementStart; position < end;) {
      if (output.length > begin) output.byte(COMMA);
      position = scalars.write(field, position, end);
    }
  }
}
