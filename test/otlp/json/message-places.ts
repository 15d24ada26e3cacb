/** Every message of the table at one place in a request, in both encodings: for tests of rules that hold everywhere. */
import { MESSAGES } from "../../../src/otlp/schema.generated.ts";
import { REQUEST_MESSAGE, type FieldKind, type FieldSpec } from "../../../src/otlp/schema.ts";
import { SIGNALS, type Signal } from "../../../src/signal.ts";
import { lengthField, tag, varint } from "../wire-builder.ts";
import { double, fixed64 } from "./document-sample.ts";

/** A message and how to reach it from the request of a signal. */
export interface MessagePlace {
  readonly signal: Signal;
  readonly message: string;
  readonly fields: readonly FieldSpec[];
  /** The fields on the way, outermost first. */
  readonly way: readonly FieldSpec[];
}

/** One place of every message, the requests included. */
export const MESSAGE_PLACES: readonly MessagePlace[] = listPlaces();

/** A field and the place of its message. */
export interface FieldPlace {
  readonly place: MessagePlace;
  readonly spec: FieldSpec;
  /** Such as `Span.kind`, for names of tests. */
  readonly name: string;
}

/** Every field of every message. */
export const FIELD_PLACES: readonly FieldPlace[] = MESSAGE_PLACES.flatMap((place) =>
  place.fields.map((spec) => ({ place, spec, name: `${place.message}.${spec.jsonName}` })),
);

/** A document in which the message has these members. */
export function toDocument({ way }: MessagePlace, members: string): string {
  return way.reduceRight((inner, { jsonName, repeated }) => {
    return repeated === true ? `{"${jsonName}":[${inner}]}` : `{"${jsonName}":${inner}}`;
  }, `{${members}}`);
}

/** The request in which the message has these fields. */
export function toWire({ way }: MessagePlace, ...fields: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(way.reduceRight((inner, { number }) => [...lengthField(number, inner)], fields.flat()));
}

/** JSON path of a member of the message. */
export function toPath({ way }: MessagePlace, member: string): string {
  return [...way.map(({ jsonName, repeated }) => (repeated === true ? `${jsonName}[0]` : jsonName)), member].join(".");
}

/** Two different values of a kind, as JSON. */
export function sampleValues({ kind, name }: FieldSpec): readonly [string, string] {
  switch (kind) {
    case "message":
      return ["{}", '{"unknown":1}'];
    case "string":
      return ['"a"', '"b"'];
    case "bytes":
      return name.endsWith("_id") ? ['"0a"', '"0b"'] : ['"Cg=="', '"Cw=="'];
    case "bool":
      return ["true", "false"];
    default:
      return ["5", "7"];
  }
}

/** A number as JSON of the field: in a list, if it is repeated. */
export function toMember({ jsonName, repeated }: FieldSpec, value: string): string {
  return `"${jsonName}":${repeated === true ? `[${value}]` : value}`;
}

/** Bytes of a field with this number, packed if it is repeated. */
export function numberField({ kind, number, repeated }: FieldSpec, value: number): readonly number[] {
  const { wireType, bytes } = writeNumber(kind, value);
  return repeated === true ? lengthField(number, bytes) : [...tag(number, wireType), ...bytes];
}

function writeNumber(kind: FieldKind, value: number): { readonly wireType: number; readonly bytes: readonly number[] } {
  switch (kind) {
    case "double":
      return { wireType: 1, bytes: double(1, value).slice(1) };
    case "fixed64":
    case "sfixed64":
      return { wireType: 1, bytes: fixed64(1, BigInt(value)).slice(1) };
    case "fixed32":
      return { wireType: 5, bytes: fixed64(1, BigInt(value)).slice(1, 5) };
    case "sint32":
    case "sint64":
      return { wireType: 0, bytes: varint(value < 0 ? -2 * value - 1 : 2 * value) };
    default:
      return { wireType: 0, bytes: varint(value) };
  }
}

/** Kinds whose values are integers. */
export const INTEGER_KINDS: readonly FieldKind[] = [
  "int32",
  "uint32",
  "sint32",
  "int64",
  "uint64",
  "sint64",
  "fixed32",
  "fixed64",
  "sfixed64",
  "enum",
];

function listPlaces(): readonly MessagePlace[] {
  const places: MessagePlace[] = [];
  const isKnown = (message: string): boolean => places.some((place) => place.message === message);
  for (const signal of SIGNALS) {
    const root = REQUEST_MESSAGE[signal];
    places.push({ signal, message: root, fields: MESSAGES[root] ?? [], way: [] });
  }
  // The list grows while it is walked: breadth first.
  for (const { signal, fields, way } of places) {
    for (const spec of fields) {
      const { message } = spec;
      if (message === undefined || isKnown(message)) continue;
      places.push({ signal, message, fields: MESSAGES[message] ?? [], way: [...way, spec] });
    }
  }
  return places;
}
