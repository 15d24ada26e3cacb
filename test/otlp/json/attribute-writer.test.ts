/** Attributes of the usual form are written as all others: an unknown field, which means nothing, makes them such. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeJsonRequest } from "../../../src/otlp/json/encode.ts";
import { lengthField, logs, varintField } from "../wire-builder.ts";
import { double, toKind } from "./document-sample.ts";

const UNKNOWN = varintField(30, 1);
const TEXT = fc.string({ unit: fc.constantFrom("a", '"', "\n", "é", "😀", "x".repeat(50)), maxLength: 6 });
const VALUE = fc.oneof(
  TEXT.map((text) => lengthField(1, text)),
  fc.integer({ min: 0, max: 300 }).map((bits) => varintField(2, bits)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => varintField(3, value)),
  fc.double().map((value) => double(4, value)),
  TEXT.map((text) => lengthField(5, lengthField(1, lengthField(1, text)))),
  TEXT.map((text) => lengthField(6, lengthField(1, lengthField(1, text)))),
  fc.uint8Array({ maxLength: 10 }).map((bytes) => lengthField(7, [...bytes])),
  fc.integer({ min: 0, max: 300 }).map((index) => varintField(8, index)),
  fc.constant([]),
);
/** Also fields that come twice, in the other order or not at all. */
const ATTRIBUTE = fc
  .tuple(
    fc.array(TEXT, { maxLength: 2 }),
    fc.array(VALUE, { maxLength: 2 }),
    fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 1 }),
    fc.boolean(),
  )
  .map(([keys, values, indexes, isReversed]) => {
    const fields = [
      ...keys.map((key) => lengthField(1, key)),
      ...values.map((value) => lengthField(2, value)),
      ...indexes.map((index) => varintField(3, index)),
    ];
    return isReversed ? fields.toReversed() : fields;
  });
/** Depth of a KeyValue in the body of a log record, and what one in a list in its value adds. */
const BODY_DEPTH = 7;
const DEPTH_STEP = 3;

/** The body of a record whose innermost KeyValue, with these fields, is so many messages deep. */
function nest(depth: number, ...fields: readonly (readonly number[])[]): readonly number[] {
  let body = lengthField(6, lengthField(1, ...fields));
  for (let at = depth; at > BODY_DEPTH; at -= DEPTH_STEP) body = lengthField(6, lengthField(1, lengthField(2, body)));
  return lengthField(5, body);
}

function encode(...fields: readonly (readonly number[])[]): string {
  return new TextDecoder().decode(encodeJsonRequest("logs", logs(...fields)));
}

test("encodeJsonRequest() writes an attribute as it writes one with an unknown field", () => {
  fc.assert(
    fc.property(ATTRIBUTE, (fields) => {
      expect(encode(lengthField(6, ...fields))).toBe(encode(lengthField(6, ...fields, UNKNOWN)));
    }),
    { numRuns: 5000 },
  );
});

test("encodeJsonRequest() writes a value as it writes one with an unknown field", () => {
  fc.assert(
    fc.property(VALUE, (value) => {
      expect(encode(lengthField(5, value))).toBe(encode(lengthField(5, value, UNKNOWN)));
    }),
    { numRuns: 5000 },
  );
});

test("encodeJsonRequest() refuses the value of an attribute 100 messages deep, and writes an absent one as {}", () => {
  const key = lengthField(1, "k");
  const value = lengthField(2, lengthField(1, "v"));

  expect(encode(nest(97, key, value))).toContain('{"key":"k","value":{"stringValue":"v"}}');
  expect(encode(nest(100, key))).toContain('{"key":"k","value":{}}');
  expect(toKind(() => encode(nest(100, key, value)))).toBe("corrupt_object");
});
