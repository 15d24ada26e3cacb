/**
 * The shape of the message table that `schema.generated.ts` fills from the vendored `.proto` files. Validation,
 * counting, both directions of JSON and the error paths read this one table, so that they can't disagree.
 */
import type { Signal } from "../signal.ts";

/** How a field is written: a protobuf scalar, an enum (int32 on the wire) or a message. */
export type FieldKind =
  | "double"
  | "int32"
  | "uint32"
  | "sint32"
  | "int64"
  | "uint64"
  | "sint64"
  | "fixed32"
  | "fixed64"
  | "sfixed64"
  | "bool"
  | "string"
  | "bytes"
  | "enum"
  | "message";

/** One field of a message. */
export interface FieldSpec {
  /** Field number on the wire. */
  readonly number: number;
  /** Name in the `.proto` file. */
  readonly name: string;
  /** Key in OTLP JSON: lowerCamelCase. */
  readonly jsonName: string;
  readonly kind: FieldKind;
  /** Key of {@link MessageTable}, when `kind` is `message`. */
  readonly message?: string;
  readonly repeated?: true;
  /** Name of the oneof that the field belongs to. */
  readonly oneof?: string;
  /** Explicit presence (`optional`): a zero that was sent is kept. */
  readonly optional?: true;
}

/** Message name → fields in the order of their numbers. */
export type MessageTable = Readonly<Record<string, readonly FieldSpec[]>>;

/** The request message of each signal; its field 1 is the repeated container of resources. */
export const REQUEST_MESSAGE: Readonly<Record<Signal, string>> = {
  traces: "ExportTraceServiceRequest",
  metrics: "ExportMetricsServiceRequest",
  logs: "ExportLogsServiceRequest",
  profiles: "ExportProfilesServiceRequest",
};
