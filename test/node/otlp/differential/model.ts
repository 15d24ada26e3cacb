/**
 * What a message means, apart from any encoding: a tree of plain values that protobufjs, ProtoJSON text and the random
 * generator all lead to, and a text of it that two equal meanings share. Nothing of the product takes part.
 */
import protobuf from "protobufjs";

/** A value that is neither bytes nor made of others: 64-bit integers as decimal text, other numbers as numbers. */
export type Scalar = number | string | boolean;

/** What a field holds. */
export type Value = Scalar | Uint8Array | Model | readonly Value[];

/** A message by the field names of its `.proto` file; an absent field has no entry. */
export type Model = { [field: string]: Value };

/** What the walks over a message need of a field. */
export interface Field {
  readonly number: number;
  readonly name: string;
  readonly jsonName: string;
  /** As in the `.proto` file: `double`, `sint32`, …; `enum` and `message` for those. */
  readonly kind: string;
  readonly isWide: boolean;
  readonly isId: boolean;
  readonly isRepeated: boolean;
  /** A zero that was sent is told from none. */
  readonly hasPresence: boolean;
  readonly oneof: string | null;
  readonly message: Shape | null;
}

/** A message type. */
export interface Shape {
  /** As in the table of the product: `Span.Event`. */
  readonly name: string;
  /** In the order of their numbers. */
  readonly fields: readonly Field[];
  readonly byJsonName: ReadonlyMap<string, Field>;
}

const shapes = new Map<protobuf.Type, Shape>();

/** Reads what the walks need of a type, once. */
export function toShape(type: protobuf.Type): Shape {
  const known = shapes.get(type);
  if (known !== undefined) return known;
  const fields: Field[] = [];
  const byJsonName = new Map<string, Field>();
  const shape: Shape = { name: qualifiedName(type), fields, byJsonName };
  // Known before its fields are: a message may hold itself.
  shapes.set(type, shape);
  fields.push(...type.fieldsArray.map(toField).toSorted((a, b) => a.number - b.number));
  for (const field of fields) byJsonName.set(field.jsonName, field);
  return shape;
}

function qualifiedName(type: protobuf.Type): string {
  return type.parent instanceof protobuf.Type ? `${qualifiedName(type.parent)}.${type.name}` : type.name;
}

function toField(field: protobuf.Field): Field {
  const type = field.resolvedType;
  const isMessage = type instanceof protobuf.Type;
  return {
    number: field.id,
    name: field.name,
    jsonName: field.name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    kind: isMessage ? "message" : type instanceof protobuf.Enum ? "enum" : field.type,
    isWide: field.type.endsWith("64"),
    isId: field.type === "bytes" && /(?:^|_)(?:trace|span|profile)_id$/.test(field.name),
    isRepeated: field.repeated,
    hasPresence: isMessage || field.partOf !== null,
    oneof: field.partOf === null || field.partOf.isProto3Optional ? null : field.partOf.name,
    message: isMessage ? toShape(type) : null,
  };
}

/** Encodes with protobufjs, in its order and its one form. */
export function encodeModel(type: protobuf.Type, model: Model): Uint8Array {
  return Uint8Array.from(type.encode(type.fromObject(model)).finish());
}

/** Says what protobufjs understands of a message, as {@link formatModel} writes it. */
export function formatDecoded(type: protobuf.Type, body: Uint8Array): string {
  return formatModel(toShape(type), decodeModel(type, body));
}

/** Decodes with protobufjs, fields in the order of the shape. */
export function decodeModel(type: protobuf.Type, body: Uint8Array): Model {
  return type.toObject(type.decode(body), { longs: String });
}

/**
 * A message as OTLP JSON has it in the form of the Collector (`pdata`): a message that is no element and no member of a
 * oneof is always there, and an id of zeros, which means the same as none, is not.
 */
export function toCollectorForm(shape: Shape, model: Model): Model {
  const written: Model = {};
  for (const field of shape.fields) {
    const value = model[field.name];
    const { message } = field;
    if (message !== null && field.isRepeated) {
      if (value !== undefined)
        written[field.name] = (value as readonly Model[]).map((element) => toCollectorForm(message, element));
    } else if (message !== null) {
      if (value !== undefined || field.oneof === null)
        written[field.name] = toCollectorForm(message, (value ?? {}) as Model);
    } else if (value !== undefined && !isZeroId(field, value)) written[field.name] = value;
  }
  return written;
}

/** Bytes of an id by its field's name. */
export function toIdBytes(name: string): number {
  return name.endsWith("span_id") ? 8 : 16;
}

function isZeroId({ isId, name }: Field, value: Value): boolean {
  const isWhole = value instanceof Uint8Array && value.length === toIdBytes(name);
  return isId && isWhole && value.every((byte) => byte === 0);
}

/**
 * Writes the meaning of a message as text: fields in the order of their numbers, without what proto3 can't tell from
 * nothing.
 */
export function formatModel(shape: Shape, model: Model): string {
  let text = "{";
  for (const field of shape.fields) {
    const value = model[field.name];
    if (value === undefined) continue;
    if (field.isRepeated) {
      const list = value as readonly Value[];
      if (list.length > 0) text += `${field.name}:[${list.map((element) => formatValue(field, element)).join(",")}],`;
      continue;
    }
    const written = formatValue(field, value);
    if (field.hasPresence || !DEFAULTS.has(written)) text += `${field.name}:${written},`;
  }
  return `${text}}`;
}

const DEFAULTS: ReadonlySet<string> = new Set(['""', "0", "false", "0x"]);

function formatValue(field: Field, value: Value): string {
  if (field.message !== null) return formatModel(field.message, value as Model);
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString("hex")}`;
  if (field.kind === "string") return JSON.stringify(value);
  if (Object.is(value, -0)) return "-0";
  return String(toScalar(value));
}

/** A value that is known to be a scalar. */
export function toScalar(value: Value): Scalar {
  if (typeof value === "object") throw new TypeError("Expected a scalar, found a list, a message or bytes");
  return value;
}
