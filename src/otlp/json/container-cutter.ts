/**
 * Containers of protobuf → lines of OTLP JSON of bounded length. What a message looks like is `message-encoder.ts`'s,
 * how a line is filled `line-buffer.ts`'s, what encloses a line the caller's; here is where messages are cut.
 */
import { MAX_TOP_LEVEL_FIELD_BYTES } from "../../limits.ts";
import type { ItemSignal } from "../../signal.ts";
import { ByteWriter } from "../byte-writer.ts";
import { AttributeCache } from "./attribute-cache.ts";
import { REQUEST_DEPTH } from "./encode.ts";
import { LineBuffer, type LineFrame } from "./line-buffer.ts";
import { MessageEncoder } from "./message-encoder.ts";
import { MessageFrame } from "./message-frame.ts";
import { REQUEST_PLAN, type FieldPlan, type MessagePlan } from "./message-plan.ts";

/** Cuts containers into lines of JSON. */
export interface JsonCutter {
  /**
   * Takes one container and yields the lines that it completes, each with its line feed and valid until the next is
   * asked for. To be iterated to the end before the next call; the bytes of the container are read meanwhile.
   * @param container payload of one ResourceSpans, ResourceMetrics or ResourceLogs
   * @throws FirnError `corrupt_object` if it is no such message, `too_large` if one record of it, or what encloses its
   *   records, takes more than `MAX_TOP_LEVEL_FIELD_BYTES` as JSON
   */
  add(container: Uint8Array): Iterable<Uint8Array>;
  /** Yields what is left, valid as before; a further {@link JsonCutter.add} starts anew. */
  end(): Iterable<Uint8Array>;
}

/** Room for an element that is too much for a line, as a part of the line: few make the writer grow. */
const EXPECTED_EXTRA = 0.25;
/** A message is cut into its parts, not written whole, unless its JSON fits a line at this ratio to its protobuf. */
const MAX_RATIO = 16;
/** Messages that are cut → number of the list at which they are; a Metric is cut inside the member of its oneof. */
const LIST_FIELDS: ReadonlyMap<string, number> = new Map([
  ...["ResourceSpans", "ScopeSpans", "ResourceMetrics", "ScopeMetrics", "ResourceLogs", "ScopeLogs"].map(
    (name) => [name, 2] as const,
  ),
  ...["Gauge", "Sum", "Histogram", "ExponentialHistogram", "Summary"].map((name) => [name, 1] as const),
]);
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/**
 * Opens a cutter of containers into lines of at most `maxLineBytes` bytes.
 *
 * Small containers share a line. One that does not fit is cut between its instrumentation scopes, then between items,
 * then between the data points of a metric; resource, scope, schema URLs and metric are repeated. A single record that
 * is too long by itself stands alone in a line that is too long; several share one only where what is repeated around
 * them is more than the limit and more than 16 KiB.
 *
 * @param frame what encloses the containers of a line
 * @param maxLineBytes limit of a line with its frame, in bytes
 */
export function openContainerCutter(signal: ItemSignal, frame: LineFrame, maxLineBytes: number): JsonCutter {
  return new ContainerCutter(signal, frame, maxLineBytes);
}

/** Where a message is cut: the list, directly in it or in the member of a oneof that is set. */
interface Division {
  readonly member: FieldPlan | null;
  readonly list: FieldPlan;
}

class ContainerCutter implements JsonCutter {
  readonly #encoder: MessageEncoder;
  readonly #buffer: LineBuffer;
  readonly #container: MessagePlan | null;
  readonly #maxWholeBytes: number;
  readonly #frame: MessageFrame = new MessageFrame(REQUEST_DEPTH + 1);

  constructor(signal: ItemSignal, frame: LineFrame, maxLineBytes: number) {
    const output = new ByteWriter(maxLineBytes * (1 + EXPECTED_EXTRA), MAX_TOP_LEVEL_FIELD_BYTES);
    const list = REQUEST_PLAN[signal].fields[0];
    this.#encoder = new MessageEncoder(output, new AttributeCache());
    this.#buffer = new LineBuffer(output, frame, maxLineBytes);
    this.#container = list?.message ?? null;
    this.#maxWholeBytes = maxLineBytes / MAX_RATIO;
  }

  *add(container: Uint8Array): Generator<Uint8Array, void, void> {
    this.#encoder.open(container);
    this.#frame.setRange(0, container.length);
    if (this.#container !== null) yield* this.#cut(this.#container, this.#frame, container.length);
  }

  *end(): Generator<Uint8Array, void, void> {
    this.#buffer.end();
    yield* this.#buffer.takeLines();
  }

  /** Writes the message in its frame, whole or in parts. */
  *#cut(plan: MessagePlan, frame: MessageFrame, sizeBytes: number): Generator<Uint8Array, void, void> {
    const encoder = this.#encoder;
    const division = sizeBytes > this.#maxWholeBytes ? this.#findDivision(plan, frame) : null;
    if (division === null) {
      this.#writeWhole(plan, frame);
      if (this.#buffer.hasLines) yield* this.#buffer.takeLines();
      return;
    }
    const { list } = division;
    const listFrame = division.member === null ? frame : frame.inner;
    const element = list.message;
    if (element === null) return;
    this.#open(plan, frame, division);
    let end = encoder.nextElement(list, listFrame, listFrame.startWalk(list));
    for (; end >= 0; end = encoder.nextElement(list, listFrame, end)) {
      const elementBytes = end - encoder.elementStart;
      listFrame.inner.setRange(encoder.elementStart, end);
      if (elementBytes > this.#maxWholeBytes && isDivisible(element))
        yield* this.#cut(element, listFrame.inner, elementBytes);
      else this.#writeWhole(element, listFrame.inner);
      if (this.#buffer.hasLines) yield* this.#buffer.takeLines();
    }
    this.#buffer.close();
  }

  #writeWhole(plan: MessagePlan, frame: MessageFrame): void {
    this.#buffer.beginElement();
    this.#encoder.writeMessage(plan, frame);
    this.#buffer.endElement();
  }

  /** Scans the message and finds the list to cut; null if it has none, or an empty one. */
  #findDivision(plan: MessagePlan, frame: MessageFrame): Division | null {
    const encoder = this.#encoder;
    encoder.scan(plan, frame);
    const list = findList(plan);
    if (list !== null) return frame.has(list) ? { member: null, list } : null;
    for (const member of plan.fields) {
      if (member.message === null || member.rivals === 0 || !frame.has(member)) continue;
      const points = findList(member.message);
      this.#enter(member, frame);
      return points !== null && frame.inner.has(points) ? { member, list: points } : null;
    }
    return null;
  }

  /** Encodes what stands before and behind the list, and opens it in the line. */
  #open(plan: MessagePlan, frame: MessageFrame, { member, list }: Division): void {
    const encoder = this.#encoder;
    const { output } = encoder;
    const start = output.length;
    const outer = member ?? list;
    this.#writeBefore(plan, frame, outer);
    if (member?.message) {
      this.#enter(member, frame);
      this.#writeBefore(member.message, frame.inner, list);
    }
    const middle = output.length;
    output.byte(CLOSE_BRACKET);
    if (member?.message) this.#writeBehind(member.message, frame.inner, list);
    this.#writeBehind(plan, frame, outer);
    // The outer fields were written through the frame of the member, so it is filled again.
    if (member !== null) this.#enter(member, frame);
    const head = output.bytes.slice(start, middle);
    const tail = output.bytes.slice(middle, output.length);
    output.length = start;
    this.#buffer.open(head, tail);
  }

  #enter(member: FieldPlan, frame: MessageFrame): void {
    if (member.message === null) return;
    this.#encoder.enterField(member, frame);
    this.#encoder.scan(member.message, frame.inner);
  }

  /** Writes an object from its brace to where the value of a field begins; of a list, to its first element. */
  #writeBefore(plan: MessagePlan, frame: MessageFrame, field: FieldPlan): void {
    const encoder = this.#encoder;
    const start = encoder.output.length;
    encoder.writeFields(plan, frame, (1 << field.slot) - 1);
    encoder.output.text(field.prefix);
    encoder.output.bytes[start] = OPEN_BRACE;
  }

  /** Writes an object from behind the value of a field to its brace. */
  #writeBehind(plan: MessagePlan, frame: MessageFrame, field: FieldPlan): void {
    const encoder = this.#encoder;
    encoder.writeFields(plan, frame, -1 << (field.slot + 1));
    encoder.output.byte(CLOSE_BRACE);
  }
}

function isDivisible(plan: MessagePlan): boolean {
  return plan.name === "Metric" || findList(plan) !== null;
}

/** The list at which a message is cut. */
function findList(plan: MessagePlan): FieldPlan | null {
  const slot = plan.slots[LIST_FIELDS.get(plan.name) ?? 0] ?? -1;
  return plan.fields[slot] ?? null;
}
