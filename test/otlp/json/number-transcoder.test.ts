/** Numbers in every way to write them: exact integers of 64 bits and doubles to the last bit (otlp-http 5.3). */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeText, double, findFault, fixed64, point, wirePoint } from "./document-sample.ts";

/** A double is read to the last bit, whatever way it is written. */
const DOUBLES: readonly (readonly [string, number])[] = [
  ["0.1", 0.1],
  ["-0", -0],
  ["-0.0", -0],
  ["1e23", 1e23],
  ["1e22", 1e22],
  ["9007199254740993", 9007199254740992],
  ["0.30000000000000004", 0.30000000000000004],
  ["5e-324", 5e-324],
  ["1e-400", 0],
  ["-1e-400", -0],
  ["1.7976931348623157e308", 1.7976931348623157e308],
  ["123456789012345678901234567890", 1.2345678901234568e29],
  ["0.000000000000000000000000000001", 1e-30],
  ["1E+2", 100],
  ['"1.5"', 1.5],
  ['"-2e-3"', -0.002],
  ['"\\u0031"', 1],
  ['"NaN"', Number.NaN],
  ['"Infinity"', Number.POSITIVE_INFINITY],
  ['"-Infinity"', Number.NEGATIVE_INFINITY],
  ['"\\u004eaN"', Number.NaN],
  [`0.${"3".repeat(1000)}`, 1 / 3],
];

test.each(DOUBLES)("decodeJsonRequest() reads the double %s", (text, expected) => {
  expect(decodeText("metrics", point(`"asDouble":${text}`))).toEqual(wirePoint(double(4, expected)));
});

const INTEGERS: readonly (readonly [string, bigint])[] = [
  ["7", 7n],
  ["7.0", 7n],
  ["7e0", 7n],
  ['"7"', 7n],
  ['"7e0"', 7n],
  ["-0", 0n],
  ["70e-1", 7n],
  ["0.7E+1", 7n],
  ["1.500e1", 15n],
  ["12e17", 1200000000000000000n],
  ["-9.223372036854775808e18", -9223372036854775808n],
  ["0e999999999999", 0n],
  ["0.000e-5", 0n],
  ["100000000000000000000000000000e-28", 10n],
  [`1${"0".repeat(1000)}e-1000`, 1n],
  ["999999999", 999999999n],
  ["1000000000", 1000000000n],
  ["4294967296", 4294967296n],
  ["-4294967296", -4294967296n],
  ["9007199254740993", 9007199254740993n],
];

test.each(INTEGERS)("decodeJsonRequest() reads the integer %s", (text, expected) => {
  expect(decodeText("metrics", point(`"asInt":${text}`))).toEqual(wirePoint(fixed64(6, expected)));
});

const DIGIT = fc.nat({ max: 9 }).map(String);
const DIGITS = fc.string({ unit: DIGIT, maxLength: 26 });
const NUMBER_TEXT = fc
  .record({
    sign: fc.constantFrom("", "-"),
    first: fc.integer({ min: 1, max: 9 }).map(String),
    integer: DIGITS,
    isBelowOne: fc.boolean(),
    zeros: fc.nat({ max: 8 }),
    fraction: DIGITS,
    exponent: fc.option(fc.integer({ min: -40, max: 40 })),
  })
  .map(({ sign, first, integer, isBelowOne, zeros, fraction, exponent }) => {
    const whole = isBelowOne ? "0" : first + integer;
    const part = zeros + fraction.length === 0 ? "" : `.${"0".repeat(zeros)}${fraction}`;
    return `${sign}${whole}${part}${exponent === null ? "" : `e${exponent}`}`;
  });

test("decodeJsonRequest() reads the nearest double of any text, as the engine does", () => {
  fc.assert(
    fc.property(NUMBER_TEXT, fc.boolean(), (text, isQuoted) => {
      const value = isQuoted ? `"${text}"` : text;

      expect(decodeText("metrics", point(`"asDouble":${value}`))).toEqual(wirePoint(double(4, Number(text))));
    }),
    { numRuns: 2000 },
  );
});

test("decodeJsonRequest() reads every double back from its shortest text", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = Object.is(value, -0) ? "-0" : String(value);

      expect(decodeText("metrics", point(`"asDouble":${text}`))).toEqual(wirePoint(double(4, value)));
    }),
    { numRuns: 2000 },
  );
});

test("decodeJsonRequest() rounds to even what lies in the middle of two doubles, and what lies beside it", () => {
  const mantissa = fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n });
  fc.assert(
    fc.property(mantissa, fc.nat({ max: 9 }), fc.constantFrom("", "0001", "9999"), (half, shift, end) => {
      const middle = (2n * half + 1n) * 2n ** BigInt(shift);
      const text = end === "9999" ? `${middle - 1n}.${end}` : `${middle}${end === "" ? "" : `.${end}`}`;

      expect(decodeText("metrics", point(`"asDouble":${text}`))).toEqual(wirePoint(double(4, Number(text))));
    }),
    { numRuns: 2000 },
  );
});

test("decodeJsonRequest() reads every 64-bit integer exactly, quoted or not", () => {
  const bits = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 10n ** 18n, max: 10n ** 19n - 1n }),
  );
  fc.assert(
    fc.property(bits, fc.nat({ max: 64 }), fc.boolean(), (number, shift, isQuoted) => {
      const unsigned = number >> BigInt(shift);
      const signed = BigInt.asIntN(64, unsigned);
      const print = (value: bigint): string => (isQuoted ? `"${value}"` : `${value}`);
      const members = `"timeUnixNano":${print(unsigned)},"asInt":${print(signed)}`;
      const time = unsigned === 0n ? [] : fixed64(3, unsigned);

      expect(decodeText("metrics", point(members))).toEqual(wirePoint(time, fixed64(6, signed)));
    }),
    { numRuns: 2000 },
  );
});

test("decodeJsonRequest() refuses every integer beyond 64 bits", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 64n, max: 2n ** 80n }), fc.boolean(), (number, isQuoted) => {
      const text = isQuoted ? `"${number}"` : `${number}`;

      expect(findFault("metrics", point(`"timeUnixNano":${text}`)).kind).toBe("invalid_request");
      expect(findFault("metrics", point(`"asInt":${text}`)).kind).toBe("invalid_request");
    }),
    { numRuns: 500 },
  );
});
