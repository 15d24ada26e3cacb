import { expect, test } from "vitest";
import { isFilterName, parseItemFilter } from "../../src/replay/filter-parameters.ts";
import type { Signal } from "../../src/signal.ts";

const parse = (query: string, signal: Signal | "all" = "traces"): unknown =>
  parseItemFilter(new URLSearchParams(query), signal, null);
const TRACE_ID = "0123456789abcdef0123456789ABCDEF";
const NONE = {
  service: null,
  traceId: null,
  spanName: null,
  metricName: null,
  minSeverity: null,
  attributes: [],
  resourceAttributes: [],
  eventTime: null,
};

test("parseItemFilter() is null without a condition", () => {
  expect(parse("signal=traces&format=proto")).toBe(null);
});

test("parseItemFilter() reads the filters of every signal", () => {
  const attributes = "attr.http.method=GET&attr.attr.=&resource.k8s.pod.name=a%20b";
  const common = {
    ...NONE,
    service: "shop",
    attributes: [
      { key: "http.method", value: "GET" },
      { key: "attr.", value: "" },
    ],
    resourceAttributes: [{ key: "k8s.pod.name", value: "a b" }],
  };

  expect(parse(`service=shop&trace_id=${TRACE_ID}&span_name=GET%20/&${attributes}`)).toEqual({
    ...common,
    traceId: Uint8Array.fromHex(TRACE_ID),
    spanName: "GET /",
  });
  expect(parse(`service=shop&metric_name=m&${attributes}`, "metrics")).toEqual({ ...common, metricName: "m" });
  expect(parse(`service=shop&severity=warn2&${attributes}`, "logs")).toEqual({ ...common, minSeverity: 14 });
});

test("parseItemFilter() takes a window of event time for a condition", () => {
  const eventTime = { startUnixNano: 1n, endUnixNano: 2n };

  expect(parseItemFilter(new URLSearchParams(), "logs", eventTime)).toEqual({ ...NONE, eventTime });
});

test.each([
  ["INFO", 9],
  ["error3", 19],
  ["warning", 13],
  ["1", 1],
  ["24", 24],
])("parseItemFilter() reads severity %s as %i", (text, minSeverity) => {
  expect(parse(`severity=${text}`, "logs")).toMatchObject({ minSeverity });
});

test.each<readonly [signal: Signal | "all", query: string, field: string, message: string]>([
  [
    "traces",
    "metric_name=a",
    "metric_name",
    'Cannot use "metric_name" with signal "traces": expected service, trace_id',
  ],
  ["traces", "severity=info", "severity", "expected service, trace_id, span_name, attr.<key> or resource.<key>"],
  ["metrics", `trace_id=${TRACE_ID}`, "trace_id", "expected service, metric_name, attr.<key> or resource.<key>"],
  ["metrics", "span_name=a", "span_name", 'Cannot use "span_name" with signal "metrics"'],
  ["metrics", "severity=info", "severity", 'Cannot use "severity" with signal "metrics"'],
  ["logs", "span_name=a", "span_name", "expected service, trace_id, severity, attr.<key> or resource.<key>"],
  ["logs", "metric_name=a", "metric_name", 'Cannot use "metric_name" with signal "logs"'],
  [
    "profiles",
    "service=a",
    "service",
    "its requests are kept whole and have no filters, expected no filter, or one of",
  ],
  ["profiles", "attr.a=b", "attr.a", 'Cannot use "attr.a" with signal "profiles"'],
  [
    "all",
    "severity=error",
    "severity",
    'Cannot use "severity" with signal "all": only logs have it, expected signal "logs", or service, trace_id, attr.<k',
  ],
  ["all", "span_name=a", "span_name", 'only traces have it, expected signal "traces", or service'],
  ["all", "metric_name=a", "metric_name", 'only metrics have it, expected signal "metrics", or service'],
  ["all", "service=", "service", "expected a name"],
  ["traces", "service=", "service", 'Cannot parse "service": found "", expected a name, or leave it out'],
  ["traces", "span_name=", "span_name", "expected a name"],
  ["metrics", "metric_name=", "metric_name", "expected a name"],
  ["traces", "trace_id=", "trace_id", 'Cannot parse "trace_id": found "", expected 32 hex digits that are not all 0'],
  ["traces", `trace_id=${TRACE_ID}0`, "trace_id", "expected 32 hex digits"],
  ["traces", `trace_id=${TRACE_ID.replace("0", "g")}`, "trace_id", "expected 32 hex digits"],
  ["traces", "trace_id=01234567-89ab-cdef-0123-456789abcdef", "trace_id", "expected 32 hex digits"],
  ["logs", `trace_id=${"0".repeat(32)}`, "trace_id", "expected 32 hex digits that are not all 0"],
  [
    "logs",
    "severity=",
    "severity",
    'Cannot parse "severity": found "", expected trace, debug, info, warn, error, fatal,',
  ],
  ["logs", "severity=loud", "severity", "each with 2, 3 or 4 behind it if need be, or 1 to 24"],
  ["logs", "severity=0", "severity", 'found "0"'],
  ["logs", "severity=25", "severity", 'found "25"'],
  ["logs", "severity=09", "severity", 'found "09"'],
  ["logs", "severity=info5", "severity", 'found "info5"'],
  ["logs", "attr.=a", "attr.", 'Cannot use "attr.": expected the attribute\'s key behind it, as in attr.a.b'],
  ["logs", "resource.=a", "resource.", "as in resource.a.b"],
])("parseItemFilter() of %s refuses %s", (signal, query, field, message) => {
  let thrown: unknown = null;
  try {
    parse(query, signal);
  } catch (error) {
    thrown = error;
  }

  expect(thrown).toMatchObject({ kind: "invalid_request", field, message: expect.stringContaining(message) });
});

test("parseItemFilter() takes 32 filters by attributes and no more", () => {
  const filters = Array.from({ length: 33 }, (_, index) => `attr.k${index}=v`);

  expect(parse(filters.slice(1).join("&"))).toMatchObject({ attributes: { length: 32 } });
  expect(() => parse(filters.join("&"))).toThrow('Cannot use 33 filters "attr.<key>": expected at most 32');
});

test("isFilterName() knows filters and prefixes, in lower case alone", () => {
  const names = ["service", "trace_id", "attr.a", "attr.", "resource.b", "Service", "attr", "attribute.a", "start"];

  expect(names.filter(isFilterName)).toEqual(["service", "trace_id", "attr.a", "attr.", "resource.b"]);
});
