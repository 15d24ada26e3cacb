/** Integers as text against `String()` of the same bigint. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "../../../src/otlp/byte-writer.ts";
import { writeInt32, writeInteger, writeQuoted64 } from "../../../src/otlp/json/integer-text.ts";

const MAX_BYTES = 1000;
const RUNS = { numRuns: 20_000 };
/** As many short ones as long ones: every number of digits has a way of its own. */
const UNSIGNED_64 = fc
  .tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 0, max: 64 }))
  .map(([bits, shift]) => bits >> BigInt(shift));
const POWERS = Array.from({ length: 20 }, (_, digits) => 10n ** BigInt(digits));
const EDGES = POWERS.flatMap((power) => [power - 1n, power, power + 1n, 9n * power]);

function write(put: (output: ByteWriter) => void): string {
  const output = new ByteWriter(1, MAX_BYTES);
  put(output);
  return new TextDecoder().decode(output.toBytes());
}

function write64(bits: bigint, isSigned: boolean): string {
  const low = Number(BigInt.asIntN(32, bits));
  const high = Number(BigInt.asIntN(32, bits >> 32n));
  return write((output) => {
    writeQuoted64(output, low, high, isSigned);
  });
}

function expect64(bits: bigint): void {
  expect(write64(bits, false)).toBe(`"${BigInt.asUintN(64, bits)}"`);
  expect(write64(bits, true)).toBe(`"${BigInt.asIntN(64, bits)}"`);
}

test("writeQuoted64() writes the digits of any 64 bits, signed or not", () => {
  fc.assert(fc.property(UNSIGNED_64, expect64), RUNS);
});

test("writeQuoted64() writes the neighbours of powers of ten and the limits", () => {
  for (const bits of [...EDGES, 0n, -1n, 2n ** 53n, 2n ** 53n - 1n, 2n ** 63n, 2n ** 63n - 1n, 2n ** 64n - 1n]) {
    expect64(bits);
    expect64(-bits);
  }
});

test("writeInteger() writes the digits of any safe integer", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 15 }), (value, places) => {
      const integer = Math.floor(value / 10 ** places);

      expect(
        write((output) => {
          writeInteger(output, integer);
        }),
      ).toBe(String(integer));
    }),
    RUNS,
  );
});

test("writeInt32() writes the digits of any int32", () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
      expect(
        write((output) => {
          writeInt32(output, value);
        }),
      ).toBe(String(value));
    }),
    RUNS,
  );
});
