/** What stands around a cut: lengths, containers, buffers. What is cut and why is in `cut`. */
import { expect, test } from "vitest";
import { validateRequest } from "../../src/otlp/validate.ts";
import { fill, lengthField, span, tag, traces, varint, varintField } from "./wire-builder.ts";

type Bytes = readonly number[];
const TRACE_ID: Bytes = fill(16, 1);
const SPAN_ID: Bytes = fill(8, 2);

/** A span of exactly these fields. */
function bareSpan(...fields: readonly Bytes[]): Bytes {
  return lengthField(2, ...fields);
}

/** A container with one scope that holds these spans. */
function container(...spans: readonly Bytes[]): Bytes {
  return lengthField(1, lengthField(2, ...spans));
}

/** A request of these spans with the highest field number first in every container, as the Collector writes it. */
function backwardRequest(...spans: readonly Bytes[]): Uint8Array {
  const scope = lengthField(2, ...spans, lengthField(1, lengthField(1, "library")));
  return Uint8Array.from(lengthField(1, lengthField(3, "url"), scope, lengthField(1, varintField(2, 1))));
}

test("validateRequest() shortens lengths to fewer bytes around a cut", () => {
  const long = bareSpan(lengthField(5, "x".repeat(20_000)));

  expect(validateRequest("traces", traces(span(), long)).body).toEqual(traces(span()));
});

test("validateRequest() leaves lengths that are not minimal alone unless something in them is cut", () => {
  const scope = lengthField(2, span());
  const padded = [...tag(1, 2), 0x80 | scope.length, 0x80, 0x00, ...scope];
  const cut = lengthField(1, lengthField(2, bareSpan()));

  const validation = validateRequest("traces", Uint8Array.from([...padded, ...cut]));

  expect([...validation.body]).toEqual([...padded, ...lengthField(1, lengthField(2))]);
});

test("validateRequest() cuts the last span when scope and resource stand behind it, as the Collector writes", () => {
  const backwards = bareSpan(lengthField(5, "name"), lengthField(2, SPAN_ID), lengthField(1, TRACE_ID));

  const validation = validateRequest("traces", backwardRequest(backwards, bareSpan(lengthField(2, SPAN_ID))));

  expect(validation.body).toEqual(backwardRequest(backwards));
  expect(validation.message).toContain("resourceSpans[0].scopeSpans[0].spans[1].traceId");
});

test("validateRequest() cuts spans in several containers and leaves the containers between them alone", () => {
  const scope = lengthField(2, span());
  const padded = [...tag(1, 2), 0x80 | scope.length, 0x80, 0x00, ...scope];
  const body = [...container(bareSpan(), span()), ...padded, ...container(span(), bareSpan())];

  const validation = validateRequest("traces", Uint8Array.from(body));

  expect([...validation.body]).toEqual([...container(span()), ...padded, ...container(span())]);
  expect(validation.message).toMatch(/^2 of 5 spans rejected: resourceSpans\[0\].scopeSpans\[0\].spans\[0\]/);
});

test("validateRequest() leaves lengths alone around a span whose bad id is sent again, good", () => {
  const good = bareSpan(lengthField(1, fill(3, 1)), lengthField(1, TRACE_ID), lengthField(2, SPAN_ID));
  const scope = lengthField(2, good);
  const body = Uint8Array.from([...tag(1, 2), 0x80 | scope.length, 0x80, 0x00, ...scope]);

  expect(validateRequest("traces", body).body).toBe(body);
});

test("validateRequest() does not change the body that it cuts", () => {
  const body = traces(span(lengthField(13)), bareSpan(), span());
  const copy = body.slice();

  validateRequest("traces", body);

  expect(body).toEqual(copy);
});

test("validateRequest() returns no buffer that is mostly empty", () => {
  const { body } = validateRequest("traces", traces(span(), bareSpan(lengthField(5, "x".repeat(10_000)))));

  expect(body.buffer.byteLength).toBeLessThan(2 * body.length);
});

test("validateRequest() cuts four million empty spans without a list of them", () => {
  const heads = [...tag(1, 2), ...varint(8_000_005), ...tag(2, 2), ...varint(8_000_000)];
  const body = new Uint8Array(heads.length + 8_000_000).map((_, index) => (index % 2 === heads.length % 2 ? 0x12 : 0));
  body.set(heads);

  const validation = validateRequest("traces", body);

  expect(validation.rejectedCount).toBe(4_000_000);
  expect(validation.body).toEqual(traces());
});

test("validateRequest() cuts half of 20 000 spans in bounded time", () => {
  const spans = Array.from({ length: 10_000 }, () => [span(), bareSpan()]).flat();

  const validation = validateRequest("traces", traces(...spans));

  expect(validation.itemCount).toBe(10_000);
  expect(validation.rejectedCount).toBe(10_000);
  expect(validation.body.length).toBe(10_000 * span().length + 2 + 2 * varint(10_000 * span().length).length);
});
