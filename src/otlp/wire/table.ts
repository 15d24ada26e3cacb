/** The message table as the wire sees it: wire types and tags of its fields. */
import { unreachable } from "../../errors.ts";
import type { FieldKind, FieldSpec } from "../schema.ts";
import { MESSAGES } from "../schema.generated.ts";
import { TAG_STEP, WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from "./format.ts";

/** Finds a field that the code knows by name; the schema has it. */
export function toField(message: string, name: string): FieldSpec {
  const field = MESSAGES[message]?.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`Cannot find field ${name} of ${message} in the message table`);
  return field;
}

/** Tag of a field as one value of it is written, unpacked. */
export function toTag(field: FieldSpec): number {
  return field.number * TAG_STEP + toWireType(field.kind);
}

/** The wire type in which one value of a kind is written. */
export function toWireType(kind: FieldKind): number {
  switch (kind) {
    case "double":
    case "fixed64":
    case "sfixed64":
      return WIRE_FIXED64;
    case "fixed32":
      return WIRE_FIXED32;
    case "string":
    case "bytes":
    case "message":
      return WIRE_LENGTH;
    case "int32":
    case "uint32":
    case "sint32":
    case "int64":
    case "uint64":
    case "sint64":
    case "bool":
    case "enum":
      return WIRE_VARINT;
    default:
      return unreachable(kind, "field kind");
  }
}
