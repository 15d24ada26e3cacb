import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FieldPair } from "../../src/otlp/field-pair.ts";
import { WireReader } from "../../src/otlp/wire/format.ts";
import { fixed32Field, fixed64Field, groups, lengthField, tag, varintField } from "./wire-builder.ts";

type Bytes = readonly number[];

const NUMBER = 16;
const TEXT = 26;
const field: fc.Arbitrary<Bytes> = fc.oneof(
  fc.constantFrom<Bytes>(
    varintField(2, 7),
    varintField(2, 2n ** 40n),
    lengthField(3, "text"),
    lengthField(3, "x".repeat(300)),
    [0x90, 0x80, 0x00, 7],
    [0x9a, 0x80, 0x00, 1, 65],
    groups(3),
  ),
  fc
    .integer({ min: 4, max: 40 })
    .chain((number) =>
      fc.constantFrom<Bytes>(
        varintField(number, 300),
        fixed64Field(number, NUMBER),
        fixed32Field(number, TEXT),
        lengthField(number, "x".repeat(number * number * 20)),
        [...tag(number, 3), ...varintField(2, 1), ...tag(number, 4)],
      ),
    ),
);

/** Where the value of the last field with a tag stands, behind the tag. */
function findLast(bytes: Uint8Array, start: number, sought: number): number {
  const reader = new WireReader(bytes, start);
  let found = 0;
  while (!reader.isAtEnd()) {
    const current = reader.readTag();
    if (current === sought) found = reader.position;
    reader.skipValue(current);
  }
  return found;
}

test("FieldPair.find() finds the last occurrences of both fields among fields of every form", () => {
  const pair = new FieldPair(NUMBER, TEXT);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 10 }), (fields) => {
      const bytes = Uint8Array.from([9, 9, ...fields.flat()]);

      pair.find({ bytes, start: 2, end: bytes.length });

      expect([pair.firstAt, pair.secondAt]).toEqual([findLast(bytes, 2, NUMBER), findLast(bytes, 2, TEXT)]);
    }),
    { numRuns: 2000 },
  );
});
