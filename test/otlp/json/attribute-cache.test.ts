/** What the encoder remembers of attributes, beside requests that are too short for it to remember anything. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeJsonRequest } from "../../../src/otlp/json/encode.ts";
import { openJsonElements } from "../../../src/otlp/json/elements.ts";
import { fill, lengthField, varintField } from "../wire-builder.ts";

const MAX_LINE_BYTES = 1_000_000;
/** Often the same, near each other, and of bytes that are special as text or in a double. */
const BYTE = fc.constantFrom(0x61, 0x62, 0x22, 0x0a, 0x00, 0x7f, 0x80, 0xf0, 0xff);
const TEXT = fc.oneof(fc.array(BYTE, { maxLength: 110 }), fc.constantFrom([0x61], [0x62], fill(40, 0)));
const STRING = TEXT.map((text) => lengthField(1, text));
const LIST = fc.array(STRING, { maxLength: 3 }).map((values) =>
  lengthField(
    5,
    values.flatMap((v) => lengthField(1, v)),
  ),
);
const INTEGER = fc.integer({ min: 0, max: 300 }).map((value) => varintField(3, value));
const ATTRIBUTE = fc
  .tuple(fc.oneof(TEXT, fc.constant([0x6b])), fc.oneof(STRING, LIST, INTEGER))
  .map(([key, value]) => [...lengthField(1, key), ...lengthField(2, value)]);

function toContainer(attributes: readonly (readonly number[])[]): readonly number[] {
  return lengthField(
    1,
    attributes.flatMap((attribute) => lengthField(1, attribute)),
  );
}

/** Writes containers of one attribute each, all by one encoder. */
function writeTogether(attributes: readonly (readonly number[])[]): string {
  const elements = openJsonElements("logs", MAX_LINE_BYTES);
  const containers = attributes.map((attribute) => Uint8Array.from(toContainer([attribute])));
  const runs = containers.flatMap((container) => Array.from(elements.add(container), toText));
  return [...runs, ...Array.from(elements.end(), toText)].join("");
}

function writeAlone(attribute: readonly number[]): string {
  const document = toText(encodeJsonRequest("logs", Uint8Array.from(lengthField(1, toContainer([attribute])))));
  return document.slice('{"resourceLogs":['.length, -"]}".length);
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

test("AttributeCache gives every attribute its own text, however often they come in whatever order", () => {
  const sequence = fc
    .array(ATTRIBUTE, { minLength: 1, maxLength: 8 })
    .chain((few) => fc.array(fc.constantFrom(...few), { minLength: 10, maxLength: 60 }));
  fc.assert(
    fc.property(sequence, (attributes) => {
      expect(writeTogether(attributes)).toBe(attributes.map(writeAlone).join(","));
    }),
  );
});

test("AttributeCache does not take two zeros for the same that differ in their sign", () => {
  const key = lengthField(1, "k");
  const zeros = [...fill(17, 0)];
  const positive = [...key, ...lengthField(2, lengthField(1, zeros))];
  const negative = [...key, ...lengthField(2, lengthField(1, zeros.with(8, 0x80)))];
  const attributes = [positive, positive, positive, negative];

  expect(writeTogether(attributes)).toBe(attributes.map(writeAlone).join(","));
});

test("AttributeCache keeps attributes apart of which no byte differs that their place depends on", () => {
  const attributes = ["x", "y", "x", "y"].flatMap((letter) => {
    const value = lengthField(1, `first part ${letter} of some length, last part`);
    return [1, 2, 3].map(() => [...lengthField(1, "key"), ...lengthField(2, value)]);
  });

  expect(writeTogether(attributes)).toBe(attributes.map(writeAlone).join(","));
});
