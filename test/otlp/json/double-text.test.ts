/** Doubles as text against `String()`, which finds the same digits; `collector-json.test.ts` has what pdata writes. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "../../../src/otlp/byte-writer.ts";
import { writeDouble } from "../../../src/otlp/json/double-text.ts";
import { writeShortestDecimal } from "../../../src/otlp/json/shortest-decimal.ts";

const MAX_BYTES = 1000;
const RUNS = { numRuns: 20_000 };
/** Every bit pattern, not only those that are near to some integer. */
const ANY_DOUBLE = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((bits) => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
});
/** Measured values: few digits, or all that a division gives. */
const DECIMAL = fc
  .tuple(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 0, max: 12 }))
  .map(([digits, places]) => digits / 10 ** places);
const QUOTIENT = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer({ min: 1, max: 2 ** 31 }))
  .map(([dividend, divisor]) => dividend / divisor);
/** Neighbours of powers of ten and of two, where the number of digits and the distance of doubles change. */
const NEAR_POWER = fc
  .tuple(fc.constantFrom(2, 10), fc.integer({ min: -25, max: 60 }), fc.integer({ min: -20, max: 20 }))
  .map(([base, exponent, steps]) => base ** exponent * (1 + steps * Number.EPSILON));

function write(value: number): string {
  const output = new ByteWriter(1, MAX_BYTES);
  writeDouble(output, value);
  return new TextDecoder().decode(output.toBytes());
}

/** The text of a double, with the exponents of Go. */
function expected(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  if (Object.is(value, -0)) return "-0";
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}

test.each([
  ["any bits", ANY_DOUBLE],
  ["a decimal", DECIMAL],
  ["a quotient", QUOTIENT],
  ["a neighbour of a power", NEAR_POWER],
  ["a fraction of an integer", fc.integer().map((value) => value / 8)],
])("writeDouble() writes the shortest text that reads back: %s", (_, values) => {
  fc.assert(
    fc.property(values, (value) => {
      expect(write(value)).toBe(expected(value));
      expect(write(-value)).toBe(expected(-value));
    }),
    RUNS,
  );
});

test.each([
  0,
  -0,
  0.1 + 0.2,
  5e-324,
  1e-6,
  1e-6 * (1 - Number.EPSILON),
  1e-7,
  1e21,
  2 ** 53 - 0.5,
  Number.MAX_VALUE,
  Number.NaN,
])("writeDouble() writes %d as String() does but for the exponent", (value) => {
  expect(write(value)).toBe(expected(value));
});

test("writeShortestDecimal() leaves few measured values to String()", () => {
  let leftCount = 0;
  for (let index = 1; index <= 10_000; index++) {
    if (!writeShortestDecimal(new ByteWriter(1, MAX_BYTES), (index * Math.PI) / 7)) leftCount += 1;
  }

  expect(leftCount).toBeLessThan(50);
});

test.each([0, 9e-7, 2 ** 53, Number.POSITIVE_INFINITY, Number.NaN])(
  "writeShortestDecimal() leaves %d to others and writes nothing",
  (value) => {
    const output = new ByteWriter(1, MAX_BYTES);

    expect(writeShortestDecimal(output, value)).toBe(false);
    expect(output.length).toBe(0);
  },
);
