import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  findField,
  hasValue,
  listFields,
  readBytes,
  readFixed64,
  readString,
  readUint32,
  toRange,
  type MessageRange,
} from "../../src/otlp/fields.ts";
import { iterateItems } from "../../src/otlp/items.ts";
import { toField, toTag } from "../../src/otlp/wire/table.ts";
import { fill, fixed64Field, lengthField, span, traces, varintField } from "./wire-builder.ts";

const TRACE_ID = toTag(toField("Span", "trace_id"));
const NAME = toTag(toField("Span", "name"));
const KIND = toTag(toField("Span", "kind"));
const START_TIME = toTag(toField("Span", "start_time_unix_nano"));
const ATTRIBUTES = toTag(toField("Span", "attributes"));
const KEY = toTag(toField("KeyValue", "key"));

function range(...fields: readonly (readonly number[])[]): MessageRange {
  return toRange(Uint8Array.from(fields.flat()));
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function attribute(key: string): readonly number[] {
  return lengthField(9, lengthField(1, key));
}

test("the readers read the fields of an item in place", () => {
  const fields = [lengthField(5, "GET /ünï"), varintField(6, 3), fixed64Field(7, 1), attribute("a"), attribute("b")];
  const request = traces(span(...fields));

  for (const item of iterateItems("traces", request)) {
    expect([...readBytes(item, TRACE_ID)]).toEqual(fill(16, 1));
    expect(readBytes(item, TRACE_ID).buffer).toBe(request.buffer);
    expect(readString(item, NAME)).toBe("GET /ünï");
    expect(readUint32(item, KIND)).toBe(3);
    expect(readFixed64(item, START_TIME)).toBe(0x0101_0101_0101_0101n);
    expect(listFields(item, ATTRIBUTES).map((value) => readString(value, KEY))).toEqual(["a", "b"]);
  }
});

test("the readers say what an absent field stands for", () => {
  const nothing = range();

  expect(findField(nothing, NAME)).toBeUndefined();
  expect(readString(nothing, NAME)).toBe("");
  expect(readBytes(nothing, NAME)).toHaveLength(0);
  expect(readUint32(nothing, KIND)).toBe(0);
  expect(readFixed64(nothing, START_TIME)).toBe(0n);
  expect(listFields(nothing, ATTRIBUTES)).toEqual([]);
  expect(hasValue(nothing, NAME, text(""))).toBe(true);
  expect(hasValue(nothing, NAME, text("a"))).toBe(false);
});

test("the readers take the last occurrence of a field that is sent twice", () => {
  const twice = range(
    lengthField(5, "old"),
    varintField(6, 1),
    fixed64Field(7, 1),
    lengthField(5, "new"),
    varintField(6, 2),
  );

  expect(readString(twice, NAME)).toBe("new");
  expect(readUint32(twice, KIND)).toBe(2);
  expect(hasValue(twice, NAME, text("old"))).toBe(false);
});

test("readString() keeps a byte order mark", () => {
  expect(readString(range(lengthField(5, "\ufeffname")), NAME)).toBe("\ufeffname");
});

test("readUint32() keeps the low 32 bits of a negative enum", () => {
  expect(readUint32(range(varintField(6, -1)), KIND)).toBe(0xffff_ffff);
});

test("readFixed64() reads times above 2^63", () => {
  expect(readFixed64(range(fixed64Field(7, 0xff)), START_TIME)).toBe(0xffff_ffff_ffff_ffffn);
});

test("the readers pass over unknown fields of every wire type", () => {
  const unknown = [...varintField(90, 1), ...fixed64Field(91), ...lengthField(92, "x")];

  expect(readString(range(unknown, lengthField(5, "name"), unknown), NAME)).toBe("name");
});

test("hasValue() compares as texts compare", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (value, expected) => {
      const message = range(lengthField(5, ...[...text(value)].map((byte) => [byte])));

      expect(hasValue(message, NAME, text(expected))).toBe(value === expected);
      expect(hasValue(message, NAME, text(value))).toBe(true);
    }),
  );
});
