/** The message about a bad id; which ids are bad and what becomes of their items is in `validate` and `cut`. */
import { expect, test } from "vitest";
import { validateRequest } from "../../src/otlp/validate.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { decodeText, metric, point, record, span } from "./json/document-sample.ts";
import { fill, lengthField, traces } from "./wire-builder.ts";

const TRACE_ID = '"traceId":"0102030405060708090a0b0c0d0e0f10"';
const BASE64_TRACE_ID = "AQIDBAUGBwgJCgsMDQ4PEA==";
const BASE64_SPAN_ID = "AQIDBAUGBwg=";
const HINT = "ids are hex in OTLP JSON, this looks like base64";

function messageOf(signal: ItemSignal, document: string): string {
  return validateRequest(signal, decodeText(signal, document)).message;
}

test.each<[name: string, signal: ItemSignal, document: string]>([
  ["a trace id", "traces", span(`"traceId":"${BASE64_TRACE_ID}","spanId":"${BASE64_SPAN_ID}"`)],
  ["a span id", "traces", span(`${TRACE_ID},"spanId":"${BASE64_SPAN_ID}"`)],
  ["an id with escapes", "traces", span(`${TRACE_ID},"spanId":"\\/\\/8DBAUGBwg="`)],
  ["an id of the URL alphabet", "traces", span(`${TRACE_ID},"spanId":"-_8DBAUGBwg="`)],
  ["a parent span id", "traces", span(`${TRACE_ID},"spanId":"0102030405060708","parentSpanId":"${BASE64_SPAN_ID}"`)],
  ["the trace id of a link", "traces", linked(`"traceId":"${BASE64_TRACE_ID}"`)],
  ["the trace id of a log record", "logs", record(`"traceId":"${BASE64_TRACE_ID}"`)],
  ["the span id of an exemplar", "metrics", point(`"exemplars":[{${TRACE_ID},"spanId":"${BASE64_SPAN_ID}"}]`)],
])("validateRequest() hints at base64 in %s", (_, signal, document) => {
  expect(messageOf(signal, document)).toContain(`(${HINT})`);
});

test("validateRequest() puts the hint behind what the id must be", () => {
  const message = messageOf("traces", span(`"traceId":"${BASE64_TRACE_ID}"`));

  expect(message).toBe(
    `1 of 1 spans rejected: resourceSpans[0].scopeSpans[0].spans[0].traceId must be 16 bytes, got 24 (${HINT})`,
  );
});

const SPAN_ID = '"spanId":"0102030405060708"';
const ZEROS = "0".repeat(32);

test.each<[name: string, members: string, fault: string]>([
  ["has no trace id", SPAN_ID, "traceId must be 16 bytes, got 0"],
  ["has null for its trace id", `"traceId":null,${SPAN_ID}`, "traceId must be 16 bytes, got 0"],
  ["has an empty trace id", `"traceId":"",${SPAN_ID}`, "traceId must be 16 bytes, got 0"],
  ["has a trace id that is not hex", `"traceId":"${"g".repeat(32)}",${SPAN_ID}`, "traceId must be 16 bytes, got 32"],
  ["has a trace id of an odd number of digits", `"traceId":"123",${SPAN_ID}`, "traceId must be 16 bytes, got 3"],
  ["has a trace id that is all zero", `"traceId":"${ZEROS}",${SPAN_ID}`, "traceId must not be all zero"],
  ["has no span id", TRACE_ID, "spanId must be 8 bytes, got 0"],
  ["has null for its span id", `${TRACE_ID},"spanId":null`, "spanId must be 8 bytes, got 0"],
  ["has a span id that is all zero", `${TRACE_ID},"spanId":"${ZEROS.slice(16)}"`, "spanId must not be all zero"],
  [
    "has a parent that is not hex",
    `${TRACE_ID},${SPAN_ID},"parentSpanId":"xyz"`,
    "parentSpanId must be 8 bytes, got 3",
  ],
])("validateRequest() rejects a span of JSON that %s", (_, members, fault) => {
  const validation = validateRequest("traces", decodeText("traces", span(members)));

  expect([validation.itemCount, validation.rejectedCount]).toEqual([0, 1]);
  expect(validation.message).toBe(`1 of 1 spans rejected: resourceSpans[0].scopeSpans[0].spans[0].${fault}`);
});

test.each([
  ["no parent", ""],
  ["null for its parent", ',"parentSpanId":null'],
  ["an empty parent", ',"parentSpanId":""'],
  ["a parent of eight zero bytes", `,"parentSpanId":"${ZEROS.slice(16)}"`],
  ["no name, no times and no kind that is known", ',"name":"","kind":99,"startTimeUnixNano":"9","endTimeUnixNano":"0"'],
])("validateRequest() keeps a span of JSON with %s", (_, members) => {
  const validation = validateRequest("traces", decodeText("traces", span(`${TRACE_ID},${SPAN_ID}${members}`)));

  expect([validation.itemCount, validation.message]).toEqual([1, ""]);
});

test.each<[name: string, members: string, fault: string]>([
  ["absent ids", "", ""],
  ["null for its ids", '"traceId":null,"spanId":null', ""],
  ["empty ids", '"traceId":"","spanId":""', ""],
  ["a span id alone", SPAN_ID, ""],
  ["a trace id that is not hex", `"traceId":"x",${SPAN_ID}`, "traceId must be 16 bytes, got 1"],
  ["a trace id that is all zero", `"traceId":"${ZEROS}",${SPAN_ID}`, "traceId must not be all zero"],
  ["a span id that is not hex", `${TRACE_ID},"spanId":"x"`, "spanId must be 8 bytes, got 1"],
])("validateRequest() keeps a log record of JSON with %s", (_, members, fault) => {
  const validation = validateRequest("logs", decodeText("logs", record(members)));

  expect([validation.itemCount, validation.rejectedCount]).toEqual([1, 0]);
  expect(validation.message.split(".").at(-1)).toBe(fault);
});

test.each<[name: string, signal: ItemSignal, document: string]>([
  ["a metric without data", "metrics", metric('"name":"","unit":""')],
  ["a data point without a value", "metrics", point("")],
  ["a sum of no temporality", "metrics", metric('"sum":{"aggregationTemporality":0,"dataPoints":[{}]}')],
  [
    "bucket counts that do not match their bounds",
    "metrics",
    metric('"histogram":{"dataPoints":[{"bucketCounts":["1"],"explicitBounds":[1,2,3]}]}'),
  ],
  ["a severity that is unknown", "logs", record('"severityNumber":99,"timeUnixNano":"0"')],
])("validateRequest() keeps %s as it is", (_, signal, document) => {
  const body = decodeText(signal, document);

  expect(validateRequest(signal, body)).toMatchObject({ rejectedCount: 0, message: "" });
  expect(validateRequest(signal, body).body).toBe(body);
});

test.each([
  ["24 hex digits", "0102030405060708090a0b0c"],
  ["a UUID", "01020304-0506-0708-090a-0b0c0d0e0f10"],
  ["24 characters without padding", "AQIDBAUGBwgJCgsMDQ4PEAAA"],
  ["24 characters of which one is no base64", "AQIDBAUGBwgJCgsMDQ4PE*=="],
  ["12 characters without padding", "AQIDBAUGBwgA"],
  ["an empty text", ""],
])("validateRequest() does not hint at base64 for %s", (_, id) => {
  const message = messageOf("traces", span(`"traceId":"${id}","spanId":"0102030405060708"`));

  expect(message).toMatch(/traceId must be 16 bytes, got \d+$/);
});

test("validateRequest() does not hint at base64 for an id of 24 raw bytes", () => {
  const { message } = validateRequest("traces", traces(lengthField(2, lengthField(1, fill(24, 7)))));

  expect(message).toMatch(/traceId must be 16 bytes, got 24$/);
});

function linked(members: string): string {
  return span(`${TRACE_ID},"spanId":"0102030405060708","links":[{${members}}]`);
}
