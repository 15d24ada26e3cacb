/** The message about a bad id; which ids are bad and what becomes of their items is in `validate` and `cut`. */
import { expect, test } from "vitest";
import { validateRequest } from "../../src/otlp/validate.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { decodeText, point, record, span } from "./json/document-sample.ts";
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
