/**
 * What items have in common: the resource, the instrumentation scope and, for metrics, the metric that they stand in,
 * each in a canonical form. Two parts of the same fields are equal by bytes, and the form of a form is itself. Digests
 * in the archive rest on it (protocol 5.5), so it never changes: docs/decisions/0008-items-and-regrouping.md.
 *
 * | a part holds, in this order      | written as                                                                  |
 * |----------------------------------|-----------------------------------------------------------------------------|
 * | fields that its rules name       | in the order of their numbers, tags and lengths as short as can be          |
 * | – a message                      | once, all occurrences joined, which is how protobuf merges them             |
 * | – a text or a number             | the last occurrence, unless it is empty or 0                                |
 * | – a list                         | every occurrence, in order                                                  |
 * | fields of any other number       | as they came, in order                                                      |
 *
 * Hot path, hence a class: one metric often holds one data point. Benchmark: `bench/otlp-items.ts`.
 */
import { ByteWriter } from "./byte-writer.ts";
import { hasValue, toRange, type MessageRange } from "./fields.ts";
import { TAG_STEP, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire/format.ts";

/** Containers in the request. */
export const CONTAINER_TAG = 0x0a;
/** Scope containers in their container; spans, log records and metrics in their scope container. */
export const CHILD_TAG = 0x12;
/** Data points in the member of a metric's `data`. */
export const POINT_TAG = 0x0a;

/** What becomes of the fields of one number; `children` are what the part leaves out. */
type Rule = "message" | "text" | "number" | "list" | "children";

/** Rules by field number: those of opentelemetry-proto v1.11.0, which stay whatever later versions add. */
export type PartRules = readonly (Rule | undefined)[];

/** ResourceSpans, ScopeSpans and their like. */
export const CONTAINER_RULES: PartRules = [undefined, "message", "children", "text"];

/** Metric; the member of its `data` is a part of its own. Field 12 is `metadata`. */
export const METRIC_RULES: PartRules = [
  undefined,
  "text",
  "text",
  "text",
  undefined,
  "children",
  undefined,
  "children",
  undefined,
  "children",
  "children",
  "children",
  "list",
];

/** A member of a metric's `data`. */
export interface DataMember {
  readonly rules: PartRules;
  /** Message of its data points. */
  readonly pointMessage: string;
}

/** The members of `data` by their tags: gauge, sum, histogram, exponential histogram, summary. */
export const DATA_MEMBERS: Readonly<Record<number, DataMember>> = {
  0x2a: { rules: [undefined, "children"], pointMessage: "NumberDataPoint" },
  0x3a: { rules: [undefined, "children", "number", "number"], pointMessage: "NumberDataPoint" },
  0x4a: { rules: [undefined, "children", "number"], pointMessage: "HistogramDataPoint" },
  0x52: { rules: [undefined, "children", "number"], pointMessage: "ExponentialHistogramDataPoint" },
  0x5a: { rules: [undefined, "children"], pointMessage: "SummaryDataPoint" },
};

/** What items have in common. */
export interface ItemContext {
  /** The container (ResourceSpans, …) without its scope containers. */
  readonly resource: ContextPart;
  /** The scope container (ScopeSpans, …) without its items or metrics. */
  readonly scope: ContextPart;
  /** Null unless the items are data points. */
  readonly metric: MetricContext | null;
}

/** The metric of a data point. */
export interface MetricContext {
  /** The metric without its data. */
  readonly metric: ContextPart;
  /** Tag of the member of `data` that is set. */
  readonly dataTag: number;
  /** That member without its data points. */
  readonly data: ContextPart;
}

const WIRE_TYPE_BITS = 7;
/** A byte of a varint from here on is not the last one. */
const CONTINUED = 0x80;
/** Room that a part begins with: a metric's name and description fit. */
const PART_INITIAL_BYTES = 512;

/** A part of a context, read from its message only when it is asked for. */
export class ContextPart {
  readonly #message: MessageRange;
  readonly #rules: PartRules;
  readonly #pieceTag: number | undefined;
  #form: Uint8Array | null = null;

  /**
   * @param message the message, sound
   * @param pieceTag when given, the part's message is not that one but all its fields with this tag, joined
   */
  constructor(message: MessageRange, rules: PartRules, pieceTag?: number) {
    this.#message = message;
    this.#rules = rules;
    this.#pieceTag = pieceTag;
  }

  /** The canonical form, in an array of its own: a message, whose fields `fields.ts` reads. */
  get bytes(): Uint8Array {
    if (this.#form === null) {
      const output = new ByteWriter(PART_INITIAL_BYTES, Number.POSITIVE_INFINITY);
      this.writeTo(output);
      this.#form = output.toBytes();
    }
    return this.#form;
  }

  /** Says whether a text of the part is exactly this, without making the form. */
  hasText(tag: number, expected: Uint8Array): boolean {
    return this.#pieceTag === undefined && this.#form === null
      ? hasValue(this.#message, tag, expected)
      : hasValue(toRange(this.bytes), tag, expected);
  }

  /** Appends the canonical form. */
  writeTo(output: ByteWriter): void {
    const { length } = output;
    if (this.#form !== null) output.append(this.#form);
    else if (this.#pieceTag !== undefined || !writePlain(output, this.#message, this.#rules))
      this.#writeAnyway(output, length);
  }

  /** Writes the form of a message of any shape. @param length of the output without it */
  #writeAnyway(output: ByteWriter, length: number): void {
    output.length = length;
    if (!this.#writeInOrder(output)) {
      output.length = length;
      for (let number = 1; number <= this.#rules.length; number += 1) this.#writeNumber(output, number);
    }
  }

  /** Writes the fields as they come, as long as that is the canonical order and none comes twice; else says no. */
  #writeInOrder(output: ByteWriter): boolean {
    const rules = this.#rules;
    const fields = this.#openFields();
    let last = 0;
    for (let field = fields.next(); field !== null; field = fields.next()) {
      const number = toOrder(field.tag, rules);
      const rule = rules[number];
      if (rule === "children") continue;
      if (number < last || (number === last && rule !== undefined && rule !== "list")) return false;
      last = number;
      writeField(output, rule, field);
    }
    return true;
  }

  /** Writes the fields of one number: a walk for each, instead of a list of what may be millions of unknown fields. */
  #writeNumber(output: ByteWriter, number: number): void {
    const rule = this.#rules[number];
    if (rule === "children" || (rule === undefined && number < this.#rules.length)) return;
    if (rule === "message") this.#writeMerged(output, number);
    else {
      const { length } = output;
      const fields = this.#openFields();
      for (let field = fields.next(); field !== null; field = fields.next()) {
        if (toOrder(field.tag, this.#rules) !== number) continue;
        // The last occurrence counts.
        if (rule === "text" || rule === "number") output.length = length;
        writeField(output, rule, field);
      }
    }
  }

  #writeMerged(output: ByteWriter, number: number): void {
    let count = 0;
    let length = 0;
    const sizes = this.#openFields();
    for (let field = sizes.next(); field !== null; field = sizes.next()) {
      if (toOrder(field.tag, this.#rules) !== number) continue;
      count += 1;
      length += field.position - field.valueStart;
    }
    if (count === 0) return;
    output.varint(number * TAG_STEP + WIRE_LENGTH);
    output.varint(length);
    const values = this.#openFields();
    for (let field = values.next(); field !== null; field = values.next()) {
      if (toOrder(field.tag, this.#rules) === number) output.copy(field.bytes, field.valueStart, field.position);
    }
  }

  #openFields(): FieldScan {
    return new FieldScan(this.#message, this.#pieceTag);
  }
}

/**
 * Writes the form of a message as nearly all are: what its rules name, in order, none twice, nothing empty, tags and
 * lengths as short as can be. All of it is copied but for the children, without a look at the fields one by one.
 *
 * @returns whether it is such a message; if not, some of it may have been written
 */
function writePlain(output: ByteWriter, { bytes, start, end }: MessageRange, rules: PartRules): boolean {
  let last = 0;
  let from = start;
  for (let at = start; at < end;) {
    const tag = bytes[at] ?? 0;
    const number = tag >>> 3;
    const rule = tag < CONTINUED ? rules[number] : undefined;
    const next = rule === undefined ? 0 : endOfPlainField(bytes, at, rule);
    if (next === 0 || next > end || (tag & WIRE_TYPE_BITS) !== (rule === "number" ? WIRE_VARINT : WIRE_LENGTH))
      return false;
    if (rule === "children") {
      output.copy(bytes, from, at);
      from = next;
    } else {
      if (number < last || (number === last && rule !== "list")) return false;
      last = number;
    }
    at = next;
  }
  output.copy(bytes, from, end);
  return true;
}

/** Finds the end of a field with a tag of one byte; 0 when it is empty or not as short as can be. */
function endOfPlainField(bytes: Uint8Array, at: number, rule: Rule): number {
  const first = bytes[at + 1] ?? 0;
  if (rule === "number") return first === 0 || first >= CONTINUED ? 0 : at + 2;
  if (first < CONTINUED) return first === 0 && rule === "text" ? 0 : at + 2 + first;
  const second = bytes[at + 2] ?? 0;
  if (second < CONTINUED) return second === 0 ? 0 : at + 3 + (first & ~CONTINUED) + (second << 7);
  const third = bytes[at + 3] ?? 0;
  if (third === 0 || third >= CONTINUED) return 0;
  return at + 4 + (first & ~CONTINUED) + ((second & ~CONTINUED) << 7) + (third << 14);
}

/** Goes through the fields of a message that may come in pieces. */
class FieldScan {
  readonly #pieces: WireReader | null;
  readonly #pieceTag: number;
  readonly #fields: WireReader;

  constructor({ bytes, start, end }: MessageRange, pieceTag: number | undefined) {
    this.#pieces = pieceTag === undefined ? null : new WireReader(bytes, start, end);
    this.#pieceTag = pieceTag ?? 0;
    this.#fields = new WireReader(bytes, start, pieceTag === undefined ? end : start);
  }

  /** Moves behind the next field, which the reader then describes; null at the end. */
  next(): WireReader | null {
    while (this.#fields.isAtEnd()) {
      if (this.#pieces?.findField(this.#pieceTag) !== true) return null;
      this.#fields.enterValue(this.#pieces);
    }
    this.#fields.readField();
    return this.#fields;
  }
}

/** The number by which a field is sorted: its own, or the one behind all others when no rule names it. */
function toOrder(tag: number, rules: PartRules): number {
  const number = Math.floor(tag / TAG_STEP);
  return number < rules.length && rules[number] !== undefined ? number : rules.length;
}

function writeField(output: ByteWriter, rule: Rule | undefined, field: WireReader): void {
  const { tag, bytes, fieldStart, valueStart, position } = field;
  if (rule === undefined) {
    output.copy(bytes, fieldStart, position);
    return;
  }
  if (rule === "number" ? isZero(field) : rule === "text" && valueStart === position) return;
  output.varint(tag);
  if (rule !== "number") output.varint(position - valueStart);
  output.copy(bytes, valueStart, position);
}

/** Says whether a varint is 0, which may take more than one byte. */
function isZero({ bytes, valueStart, position }: WireReader): boolean {
  for (let at = valueStart; at < position; at += 1) if (((bytes[at] ?? 0) & 0x7f) !== 0) return false;
  return true;
}
