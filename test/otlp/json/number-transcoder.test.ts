/** Numbers in every way to write them: exact integers of 64 bits and doubles to the last bit (otlp-http 5.3). */
import { expect, test } from "vitest";
import { decodeText, double, fixed64, point, wirePoint } from "./document-sample.ts";

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
