/**
 * The message table made ready for the JSON codec: the order in which pdata writes fields, tags, quoted names and links
 * to the messages of fields. Derived from `schema.generated.ts` and {@link LEADING_FIELDS} once, in about a tenth of a
 * millisecond; nothing ever changes it.
 */
import { toConstantText, type ConstantText } from "../byte-writer.ts";
import { ID_BYTES } from "../item-ids.ts";
import { MESSAGES } from "../schema.generated.ts";
import { REQUEST_MESSAGE, type FieldKind, type FieldSpec } from "../schema.ts";
import { toWireType } from "../wire/table.ts";
import { TAG_STEP, WIRE_LENGTH } from "../wire/format.ts";
import type { Signal } from "../../signal.ts";

/** One field of a message, for the codec. */
export interface FieldPlan {
  /** Place in {@link MessagePlan.fields}; also its bit in masks of fields. */
  readonly slot: number;
  readonly number: number;
  readonly jsonName: string;
  /** `"jsonName":` in UTF-8. */
  readonly quotedName: Uint8Array;
  /** The same as little-endian words; the last one holds the last four bytes, whatever the word before it holds. */
  readonly nameWords: Int32Array;
  readonly kind: FieldKind;
  readonly isRepeated: boolean;
  /** A zero that was sent is kept: `optional` fields and members of a oneof. */
  readonly keepsZero: boolean;
  /** Bytes of the id that JSON writes as hex; 0 for all other fields, whose bytes are base64. */
  readonly idBytes: number;
  /** Bits of the other members of its oneof. */
  readonly rivals: number;
  /** `,"jsonName":`, for a list with its bracket. */
  readonly prefix: ConstantText;
  /** Wire type of one value. */
  readonly wireType: number;
  /** Tag that our writer uses: packed for repeated numbers. */
  readonly tag: number;
  /** Plan of the value, when `kind` is `message`. */
  readonly message: MessagePlan | null;
}

/** One message, for the codec. */
export interface MessagePlan {
  /** Dense number of the message among all, below {@link MESSAGE_COUNT}. */
  readonly id: number;
  readonly name: string;
  /** In the order in which they are written. */
  readonly fields: readonly FieldPlan[];
  /** Field number → slot, -1 for numbers that the message does not have. */
  readonly slots: Int8Array;
  /** Tag → slot, {@link UNKNOWN_FIELD} or {@link WRONG_WIRE_TYPE}; no field has a larger tag. */
  readonly slotsByTag: Int8Array;
  /** By slot: bits of the other members of its oneof. */
  readonly rivals: Int32Array;
  /** Bits of the fields that are written even if they are absent: messages outside of lists and oneofs, as `{}`. */
  readonly always: number;
  /** Which usual form `attribute-writer.ts` or `span-writer.ts` knows of the message. */
  readonly usual: "attribute" | "value" | "span" | null;
}

/** What {@link MessagePlan.slotsByTag} says of a number that the message does not have. */
export const UNKNOWN_FIELD = -1;
/** What {@link MessagePlan.slotsByTag} says of a known number with a wire type that its kind cannot have. */
export const WRONG_WIRE_TYPE = -2;

/** Fields a message may have, so that a mask of them fits 31 bits; also bounds the field numbers. */
export const MAX_FIELDS = 31;
/** Fields of the largest message. */
export const MAX_SLOTS: number = Math.max(...Object.values(MESSAGES).map((specs) => specs.length));
/** Length of {@link MessagePlan.slotsByTag}. */
export const MAX_TAGS: number = (MAX_FIELDS + 1) * TAG_STEP;
/** Number of messages in the table. */
export const MESSAGE_COUNT: number = Object.keys(MESSAGES).length;

/**
 * Fields that pdata writes first; the others follow in the order of their numbers. `MarshalJSON` in
 * `opentelemetry-collector`, `pdata/internal/generated_proto_*.go`: nearly the order in which `.proto` files declare.
 */
const LEADING_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Span: ["trace_id", "span_id", "trace_state", "parent_span_id", "flags"],
  LogRecord: ["time_unix_nano", "observed_time_unix_nano"],
  NumberDataPoint: ["attributes", "start_time_unix_nano", "time_unix_nano", "as_double", "as_int"],
  HistogramDataPoint: ["attributes"],
  SummaryDataPoint: ["attributes"],
  Exemplar: ["filtered_attributes", "time_unix_nano", "as_double", "as_int", "trace_id"],
};
const USUAL_FORMS: Readonly<Record<string, MessagePlan["usual"]>> = {
  KeyValue: "attribute",
  AnyValue: "value",
  Span: "span",
};
/** The id of a profile is hex like the others (`pdata/internal/profileid.go`); no rule of otlp-http 7 is about it. */
const HEX_BYTES: Readonly<Record<string, number>> = { ...ID_BYTES, profile_id: 16 };

/** The plan of each signal's request. */
export const REQUEST_PLAN: Readonly<Record<Signal, MessagePlan>> = buildRequestPlans();

/** Says whether a kind is written packed when repeated. */
export function isPackable(kind: FieldKind): boolean {
  return kind !== "message" && kind !== "string" && kind !== "bytes";
}

type FindPlan = (name: string) => MessagePlan & { readonly fields: FieldPlan[] };

function buildRequestPlans(): Record<Signal, MessagePlan> {
  const plans = new Map<string, ReturnType<FindPlan>>();
  const ordered = Object.entries(MESSAGES).map(([name, specs]) => [name, orderFields(name, specs)] as const);
  for (const [name, specs] of ordered) {
    const usual = USUAL_FORMS[name] ?? null;
    plans.set(name, { id: plans.size, name, fields: [], usual, ...indexFields(name, specs) });
  }
  const find: FindPlan = (name) => {
    const plan = plans.get(name);
    if (plan === undefined) throw new RangeError(`Cannot plan the message table: no message "${name}"`);
    return plan;
  };
  for (const [name, specs] of ordered) {
    find(name).fields.push(...specs.map((spec, slot) => buildField(spec, slot, specs, find)));
  }
  return {
    traces: find(REQUEST_MESSAGE.traces),
    metrics: find(REQUEST_MESSAGE.metrics),
    logs: find(REQUEST_MESSAGE.logs),
    profiles: find(REQUEST_MESSAGE.profiles),
  };
}

function orderFields(name: string, specs: readonly FieldSpec[]): readonly FieldSpec[] {
  const leading = (LEADING_FIELDS[name] ?? []).map((fieldName) => {
    const spec = specs.find((candidate) => candidate.name === fieldName);
    if (spec === undefined) throw new RangeError(`Cannot plan ${name}: no field "${fieldName}"`);
    return spec;
  });
  return [...leading, ...specs.filter((spec) => !leading.includes(spec))];
}

type IndexedFields = Pick<MessagePlan, "slots" | "slotsByTag" | "rivals" | "always">;

function indexFields(name: string, specs: readonly FieldSpec[]): IndexedFields {
  const slots = new Int8Array(MAX_FIELDS + 1).fill(UNKNOWN_FIELD);
  const slotsByTag = new Int8Array(MAX_TAGS).fill(UNKNOWN_FIELD);
  const rivals = Int32Array.from(specs, (spec) => findRivals(spec, specs));
  let always = 0;
  for (const [slot, spec] of specs.entries()) {
    if (spec.number > MAX_FIELDS) throw new RangeError(`Cannot plan ${name}.${spec.name}: field number ${spec.number}`);
    const firstTag = spec.number * TAG_STEP;
    slots[spec.number] = slot;
    slotsByTag.fill(WRONG_WIRE_TYPE, firstTag, firstTag + TAG_STEP);
    slotsByTag[firstTag + toWireType(spec.kind)] = slot;
    slotsByTag[firstTag + toWrittenType(spec)] = slot;
    if (spec.kind === "message" && spec.repeated !== true && spec.oneof === undefined) always |= 1 << slot;
  }
  return { slots, slotsByTag, rivals, always };
}

function findRivals(spec: FieldSpec, siblings: readonly FieldSpec[]): number {
  let rivals = 0;
  for (const [slot, sibling] of siblings.entries()) {
    if (spec.oneof !== undefined && sibling.oneof === spec.oneof && sibling !== spec) rivals |= 1 << slot;
  }
  return rivals;
}

/** Wire type that our writer uses: packed for repeated numbers. */
function toWrittenType({ kind, repeated }: FieldSpec): number {
  return repeated === true && isPackable(kind) ? WIRE_LENGTH : toWireType(kind);
}

function buildField(spec: FieldSpec, slot: number, siblings: readonly FieldSpec[], find: FindPlan): FieldPlan {
  const isRepeated = spec.repeated === true;
  const quotedName = new TextEncoder().encode(`"${spec.jsonName}":`);
  return {
    slot,
    number: spec.number,
    jsonName: spec.jsonName,
    quotedName,
    nameWords: toOverlappingWords(quotedName),
    kind: spec.kind,
    isRepeated,
    keepsZero: spec.optional === true || spec.oneof !== undefined,
    idBytes: spec.kind === "bytes" ? (HEX_BYTES[spec.name] ?? 0) : 0,
    rivals: findRivals(spec, siblings),
    prefix: toConstantText(`,"${spec.jsonName}":${isRepeated ? "[" : ""}`),
    wireType: toWireType(spec.kind),
    tag: spec.number * TAG_STEP + toWrittenType(spec),
    message: spec.message === undefined ? null : find(spec.message),
  };
}

function toOverlappingWords(text: Uint8Array): Int32Array {
  const view = new DataView(text.buffer, text.byteOffset, text.byteLength);
  const last = text.length - 4;
  return Int32Array.from({ length: Math.ceil(text.length / 4) }, (_, index) =>
    view.getInt32(Math.min(4 * index, last), true),
  );
}
