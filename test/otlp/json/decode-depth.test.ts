/** How deep messages may nest: otlp-http 5.4. Unknown values of any depth have `decode.test.ts`. */
import { expect, test } from "vitest";
import { decodeText, findFault, record, span } from "./document-sample.ts";
import { lengthField, logs, traces } from "../wire-builder.ts";

/** An AnyValue of so many arrays, two messages each. */
function nestArrays(count: number): string {
  return `${'{"arrayValue":{"values":['.repeat(count)}{}${"]}}".repeat(count)}`;
}

/** An AnyValue of so many lists of key and value, three messages each. */
function nestLists(count: number): string {
  return `${'{"kvlistValue":{"values":[{"key":"k","value":'.repeat(count)}{}${"}]}}".repeat(count)}`;
}

function attribute(value: string): string {
  return span(`"attributes":[{"key":"a","value":${value}}]`);
}

/** The protobuf of {@link nestArrays} or {@link nestLists} as an attribute of a span. */
function wireAttribute(count: number, wrap: (inner: readonly number[]) => readonly number[]): Uint8Array {
  let value: readonly number[] = [];
  for (let index = 0; index < count; index++) value = wrap(value);
  return traces(lengthField(2, lengthField(9, lengthField(1, "a"), lengthField(2, value))));
}

test("decodeJsonRequest() accepts 40 nested arrays on a span", () => {
  const expected = wireAttribute(40, (inner) => lengthField(5, lengthField(1, inner)));

  expect(decodeText("traces", attribute(nestArrays(40)))).toEqual(expected);
});

test("decodeJsonRequest() accepts 28 nested kvlists on a span", () => {
  const expected = wireAttribute(28, (inner) =>
    lengthField(6, lengthField(1, lengthField(1, "k"), lengthField(2, inner))),
  );

  expect(decodeText("traces", attribute(nestLists(28)))).toEqual(expected);
});

// Request, resource, scope and record are four messages; the body is the fifth.
test("decodeJsonRequest() accepts 100 levels of messages: 47 arrays and an object in a body", () => {
  const body = `"body":${'{"arrayValue":{"values":['.repeat(47)}{"arrayValue":{}}${"]}}".repeat(47)}`;
  let value: readonly number[] = lengthField(5);
  for (let index = 0; index < 47; index++) value = lengthField(5, lengthField(1, value));

  expect(decodeText("logs", record(body))).toEqual(logs(lengthField(5, value)));
});

test("decodeJsonRequest() refuses 101 levels of messages and names the path", () => {
  const fault = findFault("logs", record(`"body":${nestArrays(48)}`));

  expect(fault.kind).toBe("invalid_request");
  expect(fault.message).toContain("100");
  expect(fault.field).toMatch(/^resourceLogs\[0\]\.scopeLogs\[0\]\.logRecords\[0\]\.body\.arrayValue\.values\[0\]\./);
});

test("decodeJsonRequest() refuses 10,000 levels of kvlists", () => {
  expect(findFault("traces", attribute(nestLists(10_000))).kind).toBe("invalid_request");
});

test("decodeJsonRequest() refuses 100,000 levels of arrays without overflowing the stack", () => {
  expect(findFault("logs", record(`"body":${nestArrays(100_000)}`)).kind).toBe("invalid_request");
});

test("decodeJsonRequest() refuses 1,000,000 levels that never close", () => {
  expect(findFault("logs", `{"a":${"[".repeat(1_000_000)}`).kind).toBe("invalid_request");
  expect(findFault("logs", record(`"body":${'{"arrayValue":{"values":['.repeat(250_000)}`)).kind).toBe(
    "invalid_request",
  );
});
