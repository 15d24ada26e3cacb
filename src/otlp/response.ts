/**
 * Bodies of answers, in the encoding of the request: the Export response of a signal and `google.rpc.Status`.
 *
 * Which status code an answer has, and which violations it names, is decided by whoever calls. Field numbers from
 * `opentelemetry/proto/collector/**` and from googleapis `google/rpc/{status,error_details}.proto` (otlp-http 4).
 */
import { ByteWriter, splitInteger } from "./byte-writer.ts";
import { MAX_ERROR_MESSAGE_BYTES } from "../limits.ts";
import type { Signal } from "../signal.ts";

/** The two encodings of OTLP/HTTP. */
export type Encoding = "protobuf" | "json";

/** Media types exactly as clients compare them: lower case, no parameters (otlp-http 4.1). */
export const CONTENT_TYPE: Readonly<Record<Encoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** What became of the items of an accepted request. */
export interface ExportOutcome {
  /** Items that were refused, from 0. */
  readonly rejectedCount: number;
  /** English text for developers; empty when nothing is to be said. */
  readonly message: string;
}

/** What a `google.rpc.Status` says. */
export interface StatusBody {
  /** gRPC code, such as 3 for INVALID_ARGUMENT. */
  readonly code: number;
  readonly message: string;
  /** Become one BadRequest detail; none if empty. */
  readonly violations: readonly { readonly field: string; readonly description: string }[];
}

/** JSON key of the counter; its field number in `partial_success` is 1 for every signal. */
const REJECTED_KEY: Readonly<Record<Signal, string>> = {
  traces: "rejectedSpans",
  metrics: "rejectedDataPoints",
  logs: "rejectedLogRecords",
  profiles: "rejectedProfiles",
};
const BAD_REQUEST_TYPE = "type.googleapis.com/google.rpc.BadRequest";
/** Response bodies stay below 4 MiB (otlp-http 3.3); Firn's have about a KiB, and this is the hard bound. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
/** What one UTF-16 code unit takes at most. */
const MAX_UTF8_BYTES = 3;

/**
 * Encodes `Export…ServiceResponse`.
 *
 * Full success is zero bytes or `{}`, with `partial_success` unset, as the specification demands. A message without
 * rejected items is a warning: the counter is absent then.
 */
export function encodeExportResponse(signal: Signal, encoding: Encoding, outcome: ExportOutcome): Uint8Array {
  const { rejectedCount } = outcome;
  const message = toCutText(outcome.message);
  const isFullSuccess = rejectedCount === 0 && message === "";
  if (encoding === "json") {
    const counter = rejectedCount === 0 ? {} : { [REJECTED_KEY[signal]]: String(rejectedCount) };
    const errorMessage = message === "" ? {} : { errorMessage: message };
    return encodeJson(isFullSuccess ? {} : { partialSuccess: { ...counter, ...errorMessage } });
  }
  if (isFullSuccess) return new Uint8Array(0);
  const partialSuccess = openWriter();
  if (rejectedCount !== 0) {
    const { low, high } = splitInteger(rejectedCount);
    partialSuccess.varint(1 * 8);
    partialSuccess.varint64(low, high);
  }
  putText(partialSuccess, 2, message);
  const response = openWriter();
  response.delimited(1, partialSuccess.toBytes());
  return response.toBytes();
}

/** Encodes `google.rpc.Status`, with a `google.rpc.BadRequest` detail if there are violations. */
export function encodeStatus(encoding: Encoding, status: StatusBody): Uint8Array {
  const message = toCutText(status.message);
  const violations = status.violations.map(({ field, description }) => ({
    field: toCutText(field),
    description: toCutText(description),
  }));
  if (encoding === "json") {
    const details =
      violations.length === 0 ? {} : { details: [{ "@type": BAD_REQUEST_TYPE, fieldViolations: violations }] };
    return encodeJson({ code: status.code, message, ...details });
  }
  const body = openWriter();
  if (status.code !== 0) {
    body.varint(1 * 8);
    body.varint(status.code);
  }
  putText(body, 2, message);
  if (violations.length > 0) body.delimited(3, encodeBadRequestAny(violations));
  return body.toBytes();
}

/** Encodes `google.protobuf.Any` that holds a BadRequest: `type_url` 1, `value` 2. */
function encodeBadRequestAny(violations: StatusBody["violations"]): Uint8Array {
  const badRequest = openWriter();
  for (const { field, description } of violations) {
    const violation = openWriter();
    putText(violation, 1, field);
    putText(violation, 2, description);
    badRequest.delimited(1, violation.toBytes());
  }
  const any = openWriter();
  putText(any, 1, BAD_REQUEST_TYPE);
  any.delimited(2, badRequest.toBytes());
  return any.toBytes();
}

function openWriter(): ByteWriter {
  return new ByteWriter(256, MAX_RESPONSE_BYTES);
}

function putText(writer: ByteWriter, fieldNumber: number, text: string): void {
  if (text !== "") writer.delimited(fieldNumber, new TextEncoder().encode(text));
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Cuts a text to the limit in UTF-8, never through a character, and makes it encodable. */
function toCutText(text: string): string {
  if (text.length * MAX_UTF8_BYTES <= MAX_ERROR_MESSAGE_BYTES) return text.toWellFormed();
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(MAX_ERROR_MESSAGE_BYTES));
  return text.slice(0, read).toWellFormed();
}
