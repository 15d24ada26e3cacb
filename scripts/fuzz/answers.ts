/** Answers as a client's own libraries read them, protobufjs and `JSON.parse`, and stricter than clients are. */
import protobuf from "protobufjs";
import type { Signal } from "../../src/signal.ts";
import { loadProtos } from "../generate-otlp-schema.ts";

/** How a body is written. */
export type Encoding = "protobuf" | "json";

/** A `google.rpc.Status` with its `BadRequest` detail. */
export interface Status {
  readonly code: number;
  readonly message: string;
  readonly violations: readonly { readonly field: string; readonly description: string }[];
}

/** `partial_success` of an answer. */
export interface PartialSuccess {
  readonly rejectedCount: number;
  readonly errorMessage: string;
}

/** The six fields of googleapis `google/rpc/{status,error_details}.proto` and `google/protobuf/any.proto`. */
const RPC = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message FieldViolation { string field = 1; string description = 2; }
  message BadRequest { repeated FieldViolation field_violations = 1; }
`).root;
const BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest";
const OTLP = loadProtos();
const RESPONSES: Readonly<Record<Signal, { readonly message: string; readonly counter: string }>> = {
  traces: { message: "ExportTraceServiceResponse", counter: "rejected_spans" },
  metrics: { message: "ExportMetricsServiceResponse", counter: "rejected_data_points" },
  logs: { message: "ExportLogsServiceResponse", counter: "rejected_log_records" },
  profiles: { message: "ExportProfilesServiceResponse", counter: "rejected_profiles" },
};

/** Reads the body of a failure. @throws Error when it is anything but a Status */
export function readStatus(encoding: Encoding, body: Uint8Array): Status {
  if (encoding === "json") return readJsonStatus(parseJson(body));
  const type = RPC.lookupType("Status");
  const status = type.toObject(type.decode(body), { defaults: true, bytes: Uint8Array });
  const details = status["details"] as readonly { readonly typeUrl: string; readonly value: Uint8Array }[];
  const badRequest = RPC.lookupType("BadRequest");
  const violations = details.flatMap(({ typeUrl, value }) => {
    if (typeUrl !== BAD_REQUEST) throw new Error(`A detail of the Status is of type "${typeUrl}"`);
    const decoded = badRequest.toObject(badRequest.decode(value), { defaults: true });
    return decoded["fieldViolations"] as Status["violations"];
  });
  return { code: Number(status["code"]), message: String(status["message"]), violations };
}

interface JsonStatus {
  readonly code: number;
  readonly message: string;
  readonly details?: readonly { readonly "@type": string; readonly fieldViolations: Status["violations"] }[];
}

function readJsonStatus(value: unknown): Status {
  const { code, message, details = [], ...others } = value as JsonStatus;
  const isStatus = typeof code === "number" && typeof message === "string" && Object.keys(others).length === 0;
  if (!isStatus) throw new Error(`Not a Status: ${JSON.stringify(value)}`);
  const violations = details.flatMap((detail) => {
    if (detail["@type"] !== BAD_REQUEST) throw new Error(`A detail of the Status is of type "${detail["@type"]}"`);
    return detail.fieldViolations;
  });
  return { code, message, violations };
}

/** Reads the body of a success. @returns `null` for a full one @throws Error when it is anything but a response */
export function readExportResponse(signal: Signal, encoding: Encoding, body: Uint8Array): PartialSuccess | null {
  const { message, counter } = RESPONSES[signal];
  if (encoding === "json") {
    const { partialSuccess, ...others } = parseJson(body) as { readonly partialSuccess?: Record<string, unknown> };
    if (Object.keys(others).length > 0) throw new Error(`Not an export response: ${Object.keys(others).join(", ")}`);
    return partialSuccess === undefined ? null : readPartialSuccess(partialSuccess, toJsonName(counter));
  }
  const type = OTLP.lookupType(message);
  const response = type.toObject(type.decode(body), { longs: String });
  const inner = response["partial_success"] as Record<string, unknown> | undefined;
  return inner === undefined ? null : readPartialSuccess({ ...inner, errorMessage: inner["error_message"] }, counter);
}

function readPartialSuccess(inner: Readonly<Record<string, unknown>>, counter: string): PartialSuccess {
  const rejected = inner[counter] ?? "0";
  const errorMessage = inner["errorMessage"];
  // A 64-bit integer is text in ProtoJSON, and an empty message would say nothing.
  if (typeof rejected !== "string" || typeof errorMessage !== "string" || errorMessage === "")
    throw new Error(`Not a partial success: ${JSON.stringify(inner)}`);
  return { rejectedCount: Number(rejected), errorMessage };
}

function toJsonName(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function parseJson(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as unknown;
}
