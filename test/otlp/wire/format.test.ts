import { expect, test } from "vitest";
import { varintBytes, WireReader, writeVarint } from "../../../src/otlp/wire/format.ts";
import { fill, fixed32Field, fixed64Field, lengthField, tag, varint, varintField } from "../wire-builder.ts";

test.each([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455, 268_435_456, 0xffff_ffff])(
  "writeVarint() writes %d so that readUint32() reads it",
  (value) => {
    const output = new Uint8Array(varintBytes(value));

    const end = writeVarint(output, 0, value);

    expect(end).toBe(output.length);
    expect([...output]).toEqual(varint(value));
    expect(new WireReader(output).readUint32()).toBe(value);
  },
);

test("readUint32() keeps the low 32 bits of a sign-extended varint", () => {
  expect(new WireReader(Uint8Array.from(varint(-2))).readUint32()).toBe(0xffff_fffe);
});

test("readUint64() reads all 64 bits", () => {
  expect(new WireReader(Uint8Array.from(varint(0xffff_ffff_ffff_fffen))).readUint64()).toBe(0xffff_ffff_ffff_fffen);
});

test("readValueEnd() accepts a length of ten bytes", () => {
  const reader = new WireReader(Uint8Array.from([0x81, ...fill(8, 0x80), 0x00, 0x2a]));

  expect(reader.readValueEnd()).toBe(11);
});

test("skipValue() moves behind a value of every wire type", () => {
  const group = [...tag(7, 3), ...tag(8, 3), ...lengthField(1, "x"), ...tag(8, 4), ...varintField(2, 3), ...tag(7, 4)];
  const fields = [varintField(1, 300), fixed64Field(2), lengthField(3, "abc"), group, fixed32Field(4)];
  const reader = new WireReader(Uint8Array.from(fields.flat()));
  const starts: number[] = [];

  while (!reader.isAtEnd()) {
    starts.push(reader.position);
    reader.skipValue(reader.readTag());
  }

  expect(starts).toEqual(fields.map((_field, index) => fields.slice(0, index).flat().length));
});

test.each<readonly [name: string, bytes: readonly number[]]>([
  ["a cut tag", [0x80]],
  ["a tag of six bytes", [0x88, 0x80, 0x80, 0x80, 0x80, 0x00]],
  ["field number 0", [0x00, 0x00]],
  ["a field number of 30 bits", [...varint(2 ** 32), 0x00]],
  ["a cut varint", [0x08, 0x80]],
  ["a varint of 11 bytes", [0x08, ...fill(10, 0x80), 0x00]],
  ["a cut fixed64", [0x09, ...fill(7, 0)]],
  ["a cut fixed32", [0x0d, ...fill(3, 0)]],
  ["a length beyond the end", [0x0a, 0x02, 0x00]],
  ["a negative length", [0x0a, ...varint(-1)]],
  ["wire type 6", [0x0e]],
  ["wire type 7", [0x0f]],
  ["the end of no group", [0x0c]],
  ["a group without an end", [0x0b, 0x10, 0x01]],
  ["a group with another end", [0x0b, 0x14]],
  ["groups 101 deep", [...fill(101, 0x0b), ...fill(101, 0x0c)]],
])("skipValue() refuses %s", (_name, bytes) => {
  const reader = new WireReader(Uint8Array.from(bytes));

  expect(() => reader.skipValue(reader.readTag())).toThrow(/^Cannot read protobuf: found .* before byte \d+$/);
});
