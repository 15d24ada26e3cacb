/**
 * The message table made ready for the JSON codec: tags, quoted names and links to the messages of fields.
 * Derived from `schema.generated.ts` alone, once, in about a tenth of a millisecond; nothing ever changes it.
 */
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
  readonly kind: FieldKind;
  readonly isRepeated: boolean;
  /** A zero that was sent is kept: `optional` fields and members of a oneof. */
  readonly keepsZero: boolean;
  /** Bytes of the id that JSON writes as hex; 0 for all other fields, whose bytes are base64. */
  readonly idBytes: number;
  /** Bits of the other members of its oneof. */
  readonly rivals: number;
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
  readonly fields: readonly FieldPlan[];
  /** Field number → slot, -1 for numbers that the message does not have. */
  readonly slots: Int8Array;
}

/** Fields a message may have, so that a mask of them fits 31 bits; also bounds the field numbers. */
export const MAX_FIELDS = 31;
/** Number of messages in the table. */
export const MESSAGE_COUNT: number = Object.keys(MESSAGES).length;

/** The plan of each signal's request. */
export const REQUEST_PLAN: Readonly<Record<Signal, MessagePlan>> = buildRequestPlans();

/** Says whether a kind is written packed when repeated. */
export function isPackable(kind: FieldKind): boolean {
  return kind !== "message" && kind !== "string" && kind !== "bytes";
}

function buildRequestPlans(): Record<Signal, MessagePlan> {
  const plans = new Map<string, MessagePlan & { readonly fields: FieldPlan[] }>();
  for (const [name, specs] of Object.entries(MESSAGES)) {
    const slots = new Int8Array(MAX_FIELDS + 1).fill(-1);
    for (const [slot, spec] of specs.entries()) {
      if (spec.number > MAX_FIELDS)
        throw new RangeError(`Cannot plan ${name}.${spec.name}: field number ${spec.number}`);
      slots[spec.number] = slot;
    }
    plans.set(name, { id: plans.size, name, fields: [], slots });
  }
  const find = (name: string): MessagePlan & { readonly fields: FieldPlan[] } => {
    const plan = plans.get(name);
    if (plan === undefined) throw new RangeError(`Cannot plan the message table: no message "${name}"`);
    return plan;
  };
  for (const [name, specs] of Object.entries(MESSAGES)) {
    find(name).fields.push(...specs.map((spec, slot) => buildField(spec, slot, specs, find)));
  }
  return {
    traces: find(REQUEST_MESSAGE.traces),
    metrics: find(REQUEST_MESSAGE.metrics),
    logs: find(REQUEST_MESSAGE.logs),
    profiles: find(REQUEST_MESSAGE.profiles),
  };
}

function buildField(
  spec: FieldSpec,
  slot: number,
  siblings: readonly FieldSpec[],
  find: (name: string) => MessagePlan,
): FieldPlan {
  const isRepeated = spec.repeated === true;
  const wireType = toWireType(spec.kind);
  const writtenType = isRepeated && isPackable(spec.kind) ? WIRE_LENGTH : wireType;
  let rivals = 0;
  for (const [index, sibling] of siblings.entries()) {
    if (spec.oneof !== undefined && sibling.oneof === spec.oneof && index !== slot) rivals |= 1 << index;
  }
  return {
    slot,
    number: spec.number,
    jsonName: spec.jsonName,
    quotedName: new TextEncoder().encode(`"${spec.jsonName}":`),
    kind: spec.kind,
    isRepeated,
    keepsZero: spec.optional === true || spec.oneof !== undefined,
    idBytes: spec.kind === "bytes" ? (ID_BYTES[spec.name] ?? 0) : 0,
    rivals,
    wireType,
    tag: spec.number * TAG_STEP + writtenType,
    message: spec.message === undefined ? null : find(spec.message),
  };
}
