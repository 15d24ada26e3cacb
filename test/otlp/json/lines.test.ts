/** Where containers are joined and cut; item counts and real data are in `test/node/otlp/json/codec.test.ts`. */
import { expect, test } from "vitest";
import { openJsonLines } from "../../../src/otlp/json/lines.ts";
import type { ItemSignal } from "../../../src/signal.ts";
import { lengthField, varintField } from "../wire-builder.ts";

function cut(signal: ItemSignal, maxLineBytes: number, ...containers: readonly (readonly number[])[]): string[] {
  const lines = openJsonLines(signal, maxLineBytes);
  const output: string[] = [];
  for (const wire of containers) output.push(...toTexts(lines.add(Uint8Array.from(wire))));
  output.push(...toTexts(lines.end()));
  return output;
}

/** Lines are views that the next one is written over. */
function toTexts(lines: Iterable<Uint8Array>): string[] {
  return Array.from(lines, (bytes) => new TextDecoder().decode(bytes));
}

const attribute = (key: string): readonly number[] => lengthField(1, lengthField(1, key));
const resource = (key: string): readonly number[] => lengthField(1, attribute(key));
const record = (text: string): readonly number[] => lengthField(2, lengthField(3, text));
const instrumentationScope = (name: string, ...fields: readonly (readonly number[])[]): readonly number[] =>
  lengthField(2, lengthField(1, lengthField(1, name)), ...fields, lengthField(3, "t"));

function container(key: string, ...scopes: readonly (readonly number[])[]): readonly number[] {
  return [...resource(key), ...scopes.flat(), ...lengthField(3, "u")];
}

function line(...containers: readonly string[]): string {
  return `{"resourceLogs":[${containers.join(",")}]}\n`;
}

function logsOf(key: string, ...scopes: readonly string[]): string {
  return `{"resource":{"attributes":[{"key":"${key}","value":{}}]},"scopeLogs":[${scopes.join(",")}],"schemaUrl":"u"}`;
}

function scopeOf(name: string, ...texts: readonly string[]): string {
  const records = texts.map((text) => `{"severityText":"${text}","body":{}}`).join(",");
  return `{"scope":{"name":"${name}"},"logRecords":[${records}],"schemaUrl":"t"}`;
}

test("openJsonLines() joins containers that fit into one line", () => {
  const one = container("a", instrumentationScope("s", record("x")));

  expect(cut("logs", 1000, one, one)).toEqual([line(logsOf("a", scopeOf("s", "x")), logsOf("a", scopeOf("s", "x")))]);
});

test("openJsonLines() keeps a container whole that fits into a line of its own", () => {
  const first = container("a", instrumentationScope("s", record("x")));
  const second = container("b", instrumentationScope("s", record("y"), record("z")));
  const expected = [line(logsOf("a", scopeOf("s", "x"))), line(logsOf("b", scopeOf("s", "y", "z")))];

  expect(cut("logs", expected[1]?.length ?? 0, first, second)).toEqual(expected);
});

test("openJsonLines() cuts a container between its instrumentation scopes", () => {
  const wire = container(
    "a",
    instrumentationScope("s", record("x"), record("y")),
    instrumentationScope("r", record("z"), record("w")),
  );
  const expected = [line(logsOf("a", scopeOf("s", "x", "y"))), line(logsOf("a", scopeOf("r", "z", "w")))];

  expect(cut("logs", expected[0]?.length ?? 0, wire)).toEqual(expected);
});

test("openJsonLines() cuts an instrumentation scope between its items and joins what follows", () => {
  const wire = container("a", instrumentationScope("s", record("x"), record("y"), record("z")));
  const expected = [line(logsOf("a", scopeOf("s", "x", "y"))), line(logsOf("a", scopeOf("s", "z")))];

  expect(cut("logs", expected[0]?.length ?? 0, wire)).toEqual(expected);
});

test("openJsonLines() writes a record that is too long alone and goes on behind it", () => {
  const long = "x".repeat(300);
  const wire = container("a", instrumentationScope("s", record("a"), record(long), record("b")));

  expect(cut("logs", 220, wire)).toEqual([
    line(logsOf("a", scopeOf("s", "a"))),
    line(logsOf("a", scopeOf("s", long))),
    line(logsOf("a", scopeOf("s", "b"))),
  ]);
});

test("openJsonLines() takes a line that is exactly as long as the limit", () => {
  const wire = container("a", instrumentationScope("s", record("x"), record("y")));
  const whole = line(logsOf("a", scopeOf("s", "x", "y")));

  expect(cut("logs", whole.length, wire)).toEqual([whole]);
  expect(cut("logs", whole.length - 1, wire)).toHaveLength(2);
});

test("openJsonLines() cuts a metric between its data points and repeats the metric", () => {
  const points = [1, 2, 3].map((flags) => lengthField(1, varintField(8, flags)));
  const metadata = lengthField(12, lengthField(1, "m"));
  const sum = lengthField(7, varintField(2, 2), ...points, varintField(3, 1));
  const wire = lengthField(2, lengthField(2, lengthField(1, "n"), lengthField(3, "By"), sum, metadata));
  const expected = [1, 2, 3].map(
    (flags) =>
      '{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},"metrics":[{"name":"n","unit":"By",' +
      `"sum":{"dataPoints":[{"flags":${flags}}],"aggregationTemporality":2,"isMonotonic":true},` +
      '"metadata":[{"key":"m","value":{}}]}]}]}]}\n',
  );

  expect(cut("metrics", 100, wire)).toEqual(expected);
});

test("openJsonLines() keeps metrics without data points and scopes without items", () => {
  const wire = [...lengthField(2, lengthField(2, lengthField(1, "n"), lengthField(5))), ...lengthField(2)];

  expect(cut("metrics", 90, wire, [])).toEqual([
    '{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},"metrics":[{"name":"n","gauge":{}}]}]}]}\n',
    '{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{}}]},{"resource":{}}]}\n',
  ]);
});

test("openJsonLines() merges a resource that came in pieces, before and behind the items", () => {
  const scope = instrumentationScope("s", record("x"), record("y"));
  const wire = [...resource("a"), ...scope, ...resource("b")];
  const expected = ["x", "y"].map((text) =>
    line(
      `{"resource":{"attributes":[{"key":"a","value":{}},{"key":"b","value":{}}]},"scopeLogs":[${scopeOf("s", text)}]}`,
    ),
  );

  expect(cut("logs", 180, wire)).toEqual(expected);
});

test("openJsonLines() does not repeat a heavy resource for every item", () => {
  const heavy = "k".repeat(100_000);
  const records = Array.from({ length: 1000 }, () => record("0123456789"));
  const wire = container(heavy, instrumentationScope("s", ...records));

  const lines = cut("logs", 20_000, wire);

  expect(lines.length).toBeLessThan(4);
  expect(lines.join("").split("0123456789")).toHaveLength(1001);
});

test("openJsonLines() yields nothing for nothing", () => {
  expect(cut("traces", 1000)).toEqual([]);
});

test("openJsonLines() starts anew after its end", () => {
  const lines = openJsonLines("logs", 1000);
  const one = Uint8Array.from(container("a", instrumentationScope("s", record("x"))));

  const first = [...toTexts(lines.add(one)), ...toTexts(lines.end())];
  const second = [...toTexts(lines.add(one)), ...toTexts(lines.end())];

  expect(second).toEqual(first);
});

test("openJsonLines() writes all lines into the same two pieces of memory", () => {
  const lines = openJsonLines("logs", 1000);
  const records = Array.from({ length: 100 }, () => record("x".repeat(300)));
  const wire = Uint8Array.from(container("a", instrumentationScope("s", ...records)));

  const memories = Array.from(lines.add(wire), ({ buffer }) => buffer);

  expect(memories.length).toBeGreaterThan(10);
  expect(new Set(memories).size).toBe(2);
});
