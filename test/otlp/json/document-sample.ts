/** Requests of one item in both encodings, for the tests of OTLP JSON. */
import { FirnError } from "../../../src/errors.ts";
import { decodeJsonRequest } from "../../../src/otlp/json/decode.ts";
import type { Signal } from "../../../src/signal.ts";
import { lengthField, logs, metrics, tag, traces } from "../wire-builder.ts";

/** JSON path of the record of {@link record}. */
export const RECORD_PATH = "resourceLogs[0].scopeLogs[0].logRecords[0]";

/** A logs request in JSON with one record of these members. */
export function record(members: string): string {
  return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${members}}]}]}]}`;
}

/** A traces request in JSON with one span of these members. */
export function span(members: string): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[{${members}}]}]}]}`;
}

/** A metrics request in JSON with one metric of these members. */
export function metric(members: string): string {
  return `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{${members}}]}]}]}`;
}

/** A metrics request in JSON with one point of a gauge. */
export function point(members: string): string {
  return metric(`"gauge":{"dataPoints":[{${members}}]}`);
}

/** A metrics request in JSON with one point of an exponential histogram. */
export function histogram(members: string): string {
  return metric(`"exponentialHistogram":{"dataPoints":[{${members}}]}`);
}

/** The protobuf of {@link record} with a body of these fields. */
export function wireBody(...fields: readonly (readonly number[])[]): Uint8Array {
  return logs(lengthField(5, ...fields));
}

/** The protobuf of {@link span}. */
export function wireSpan(...fields: readonly (readonly number[])[]): Uint8Array {
  return traces(lengthField(2, ...fields));
}

/** The protobuf of {@link point}. */
export function wirePoint(...fields: readonly (readonly number[])[]): Uint8Array {
  return metrics(lengthField(5, lengthField(1, ...fields)));
}

/** The protobuf of {@link histogram}. */
export function wireHistogram(...fields: readonly (readonly number[])[]): Uint8Array {
  return metrics(lengthField(10, lengthField(1, ...fields)));
}

/** A field of 64 bits. */
export function fixed64(number: number, value: bigint): readonly number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return [...tag(number, 1), ...bytes];
}

/** A field of an IEEE 754 double. */
export function double(number: number, value: number): readonly number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...tag(number, 1), ...bytes];
}

/** Decodes a document given as text or as bytes. */
export function decodeText(signal: Signal, text: string | readonly number[]): Uint8Array {
  return decodeJsonRequest(signal, typeof text === "string" ? new TextEncoder().encode(text) : Uint8Array.from(text));
}

/** Decodes a document that must be refused. */
export function findFault(signal: Signal, text: string | readonly number[]): FirnError {
  try {
    decodeText(signal, text);
  } catch (error) {
    if (error instanceof FirnError) return error;
    throw error;
  }
  throw new Error(`Expected a refusal of ${String(text)}`);
}

/** The kind of FirnError that an action throws. */
export function toKind(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof FirnError ? error.kind : String(error);
  }
  return "nothing thrown";
}
