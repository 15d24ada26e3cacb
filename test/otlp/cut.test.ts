import { expect, test } from "vitest";
import { validateRequest } from "../../src/otlp/validate.ts";
import { fill, fixed64Field, lengthField, logs, metrics, span, tag, traces, varintField } from "./wire-builder.ts";

type Bytes = readonly number[];
const TRACE_ID: Bytes = fill(16, 1);
const SPAN_ID: Bytes = fill(8, 2);

/** A span of exactly these fields. */
function bareSpan(...fields: readonly Bytes[]): Bytes {
  return lengthField(2, ...fields);
}

function link(traceId: Bytes, spanId: Bytes): Bytes {
  return lengthField(13, lengthField(1, traceId), lengthField(2, spanId));
}

function exemplarIn(...fields: readonly Bytes[]): Uint8Array {
  return metrics(lengthField(5, lengthField(1, lengthField(5, ...fields))));
}

/** A metric, a histogram with one data point, whose exemplar has these fields. */
function metric(...exemplarFields: readonly Bytes[]): Bytes {
  return lengthField(2, lengthField(9, lengthField(1, lengthField(8, ...exemplarFields))), lengthField(1, "name"));
}

test.each<readonly [fact: string, bad: Bytes, reason: string]>([
  ["has no trace id", bareSpan(lengthField(2, SPAN_ID)), "traceId must be 16 bytes, got 0"],
  ["has an empty trace id", bareSpan(lengthField(1, []), lengthField(2, SPAN_ID)), "traceId must be 16 bytes, got 0"],
  ["ends with an empty trace id after a good one", span(lengthField(1, [])), "traceId must be 16 bytes, got 0"],
  ["has a trace id of 15 bytes", span(lengthField(1, fill(15, 1))), "traceId must be 16 bytes, got 15"],
  ["has a trace id that is all zero", span(lengthField(1, fill(16, 0))), "traceId must not be all zero"],
  ["has no span id", bareSpan(lengthField(1, TRACE_ID)), "spanId must be 8 bytes, got 0"],
  ["has a span id of 16 bytes", span(lengthField(2, fill(16, 1))), "spanId must be 8 bytes, got 16"],
  ["has a span id that is all zero", span(lengthField(2, fill(8, 0))), "spanId must not be all zero"],
  ["has a parent id of 7 bytes", span(lengthField(4, fill(7, 1))), "parentSpanId must be 8 bytes, got 7"],
  ["is empty", bareSpan(), "traceId must be 16 bytes, got 0"],
])("validateRequest() cuts a span that %s", (_fact, bad, reason) => {
  const rest = [lengthField(1, lengthField(1, "library")), lengthField(3, "schema")];

  const validation = validateRequest("traces", traces(...rest, span(), bad, span(), [...tag(90, 0), 7]));

  expect(validation).toEqual({
    itemCount: 2,
    rejectedCount: 1,
    body: traces(...rest, span(), span(), [...tag(90, 0), 7]),
    message: `1 of 3 spans rejected: resourceSpans[0].scopeSpans[0].spans[1].${reason}`,
  });
});

test.each<readonly [fact: string, good: Bytes]>([
  ["has an empty parent id", span(lengthField(4, []))],
  ["has a parent id of eight zero bytes", span(lengthField(4, fill(8, 0)))],
  [
    "sends a bad trace id before the good one",
    bareSpan(lengthField(1, fill(3, 1)), lengthField(1, TRACE_ID), lengthField(2, SPAN_ID)),
  ],
  ["sends a bad parent id before the good one", span(lengthField(4, fill(3, 1)), lengthField(4, SPAN_ID))],
  ["sends its fields backwards", bareSpan(lengthField(5, "name"), lengthField(2, SPAN_ID), lengthField(1, TRACE_ID))],
])("validateRequest() keeps a span that %s", (_fact, good) => {
  const body = traces(good);

  const validation = validateRequest("traces", body);

  expect(validation).toEqual({ itemCount: 1, rejectedCount: 0, body, message: "" });
  expect(validation.body).toBe(body);
});

test("validateRequest() counts a span with several faults once", () => {
  const validation = validateRequest("traces", traces(bareSpan(), bareSpan(lengthField(4, [1]), link([], []))));

  expect(validation.rejectedCount).toBe(2);
  expect(validation.itemCount).toBe(0);
  expect(validation.body).toEqual(traces());
  expect(validation.message).toBe(
    "2 of 2 spans rejected: resourceSpans[0].scopeSpans[0].spans[0].traceId must be 16 bytes, got 0",
  );
});

test("validateRequest() drops links with bad ids and counts them", () => {
  const good = link(TRACE_ID, SPAN_ID);
  const before = span(link(fill(16, 0), SPAN_ID), good, varintField(14, 5), link(TRACE_ID, []), lengthField(5, "name"));

  const validation = validateRequest("traces", traces(before));

  expect(validation).toEqual({
    itemCount: 1,
    rejectedCount: 0,
    body: traces(span(good, lengthField(5, "name"), varintField(14, 7))),
    message: "2 links dropped: resourceSpans[0].scopeSpans[0].spans[0].links[0].traceId must not be all zero",
  });
});

test("validateRequest() drops a link without ids that stands before a good one", () => {
  const good = link(TRACE_ID, SPAN_ID);

  const validation = validateRequest("traces", traces(span(lengthField(13), good)));

  expect(validation.body).toEqual(traces(span(good, varintField(14, 1))));
});

test("validateRequest() keeps the count of dropped links within 32 bits", () => {
  const validation = validateRequest("traces", traces(span(varintField(14, 0xffff_ffff), link([], []))));

  expect(validation.body).toEqual(traces(span(varintField(14, 0xffff_ffff))));
});

test.each<readonly [fact: string, fields: readonly Bytes[], kept: readonly Bytes[], reason: string]>([
  [
    "both ids when the trace id is bad",
    [lengthField(9, fill(15, 1)), lengthField(10, SPAN_ID)],
    [],
    "traceId must be 16 bytes, got 15",
  ],
  [
    "both ids when the trace id is all zero",
    [lengthField(9, fill(16, 0)), lengthField(10, SPAN_ID)],
    [],
    "traceId must not be all zero",
  ],
  [
    "a bad span id only",
    [lengthField(9, TRACE_ID), lengthField(10, [1])],
    [lengthField(9, TRACE_ID)],
    "spanId must be 8 bytes, got 1",
  ],
  [
    "every occurrence of a bad id",
    [lengthField(10, SPAN_ID), lengthField(10, fill(8, 0))],
    [],
    "spanId must not be all zero",
  ],
])("validateRequest() removes from a log record %s", (_fact, fields, kept, reason) => {
  const validation = validateRequest("logs", logs(fixed64Field(1), ...fields, lengthField(3, "INFO")));

  expect(validation).toEqual({
    itemCount: 1,
    rejectedCount: 0,
    body: logs(fixed64Field(1), ...kept, lengthField(3, "INFO")),
    message: `ids of 1 log records removed: resourceLogs[0].scopeLogs[0].logRecords[0].${reason}`,
  });
});

test.each<readonly [fact: string, fields: readonly Bytes[]]>([
  ["empty ids", [lengthField(9, []), lengthField(10, [])]],
  ["a span id alone", [lengthField(10, SPAN_ID)]],
  [
    "good ids after bad ones",
    [lengthField(9, [1]), lengthField(10, [1]), lengthField(9, TRACE_ID), lengthField(10, SPAN_ID)],
  ],
])("validateRequest() leaves a log record with %s alone", (_fact, fields) => {
  const body = logs(...fields);

  expect(validateRequest("logs", body)).toEqual({ itemCount: 1, rejectedCount: 0, body, message: "" });
});

test("validateRequest() removes the bad ids of an exemplar and keeps the data point", () => {
  const validation = validateRequest(
    "metrics",
    exemplarIn(lengthField(4, SPAN_ID), fixed64Field(2), lengthField(5, [1])),
  );

  expect(validation).toEqual({
    itemCount: 1,
    rejectedCount: 0,
    body: exemplarIn(fixed64Field(2)),
    message:
      "ids of 1 exemplars removed: " +
      "resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[0].exemplars[0].traceId must be 16 bytes, got 1",
  });
});

test("validateRequest() names each kind of cut once", () => {
  const validation = validateRequest("traces", traces(bareSpan(), span(link([], []))));

  expect(validation.message).toBe(
    "1 of 2 spans rejected: resourceSpans[0].scopeSpans[0].spans[0].traceId must be 16 bytes, got 0; " +
      "1 links dropped: resourceSpans[0].scopeSpans[0].spans[1].links[0].traceId must be 16 bytes, got 0",
  );
});

test("validateRequest() drops a link without ids at the end of the last span", () => {
  const body = Uint8Array.from([...traces(span(lengthField(13))), ...traces(span())]);

  const validation = validateRequest("traces", body);

  expect([...validation.body]).toEqual([...traces(span(varintField(14, 1))), ...traces(span())]);
});

test.each<readonly [kind: string, validation: () => { readonly message: string }]>([
  ["log records", () => validateRequest("logs", logs(lengthField(9, [1]), lengthField(10, [1])))],
  ["exemplars", () => validateRequest("metrics", exemplarIn(lengthField(4, [1]), lengthField(5, [1])))],
])("validateRequest() counts %s with two bad ids once", (kind, validation) => {
  expect(validation().message).toMatch(new RegExp(`^ids of 1 ${kind} removed: .*traceId must be 16 bytes, got 1$`));
});

test("validateRequest() removes the ids of exemplars of several metrics", () => {
  const bad = metric(lengthField(4, fill(8, 0)));
  const [body, expected] = [
    [bad, metric(), bad],
    [metric(), metric(), metric()],
  ].map((all) => Uint8Array.from(lengthField(1, lengthField(2, ...all))));

  const validation = validateRequest("metrics", body ?? new Uint8Array(0));

  expect(validation.body).toEqual(expected);
  expect(validation.message).toContain("ids of 2 exemplars removed");
});

test("validateRequest() refuses a request that is unsound behind a bad span", () => {
  const body = Uint8Array.from([...traces(bareSpan()), ...lengthField(1, varintField(2, 1))]);

  expect(() => validateRequest("traces", body)).toThrow(
    /^Cannot decode resourceSpans\[1\].scopeSpans\[0\]: found wire type 0/,
  );
});
