/** What the door accepts (otlp-http 6) and counts; see also `validate-refuses`, `cut` and `item-ids`. */
import { describe, expect, test } from "vitest";
import { validateRequest, type Validation } from "../../src/otlp/validate.ts";
import type { ItemSignal } from "../../src/signal.ts";
import {
  fill,
  fixed32Field,
  fixed64Field,
  groups,
  lengthField,
  logs,
  metrics,
  nestedArrays,
  SHORT_LIST,
  span,
  tag,
  traces,
  varint,
  varintField,
} from "./wire-builder.ts";

describe("accepts", () => {
  test("validateRequest() accepts zero bytes as an empty request", () => {
    const body = new Uint8Array(0);

    expect(validateRequest("traces", body)).toEqual<Validation>({ itemCount: 0, rejectedCount: 0, body, message: "" });
  });

  test.each<readonly [name: string, signal: ItemSignal, body: Uint8Array, itemCount: number]>([
    ["an empty resource", "traces", Uint8Array.from(lengthField(1, [])), 0],
    ["an empty log record", "logs", logs([]), 1],
    [
      "tags and lengths that are not minimal",
      "logs",
      Uint8Array.from([0x8a, 0x80, 0x80, 0x80, 0x00, 0x80, 0x80, 0x00]),
      0,
    ],
    ["a length of ten bytes", "logs", Uint8Array.from([0x0a, ...fill(9, 0x80), 0x00]), 0],
    ["a varint of ten bytes", "traces", traces(span(varintField(6, -1))), 1],
    ["bits above 64 in a varint of ten bytes", "traces", traces(span([...tag(6, 0), ...fill(9, 0xff), 0x7f])), 1],
    ["a varint that is not minimal", "traces", traces(span([...tag(6, 0), 0x81, 0x80, 0x00])), 1],
    ["a 32-bit number with more bits", "traces", traces(span(varintField(10, 2 ** 40 + 1))), 1],
    ["a bool of more than one bit", "logs", logs(lengthField(5, varintField(2, 300))), 1],
    [
      "a scalar that is sent twice",
      "traces",
      traces(span(varintField(6, 1), lengthField(5, "a"), varintField(6, 2))),
      1,
    ],
    [
      "messages in pieces",
      "logs",
      Uint8Array.from(lengthField(1, lengthField(1), lengthField(2, lengthField(1), lengthField(1)), lengthField(1))),
      0,
    ],
    ["two members of a oneof", "logs", logs(lengthField(5, lengthField(1, "a"), varintField(3, 1))), 1],
    ["a member of a oneof in pieces", "logs", logs(lengthField(5, lengthField(6), lengthField(6))), 1],
    [
      "places in a dictionary of strings, which only profiles have",
      "logs",
      logs(lengthField(5, varintField(8, 7)), lengthField(6, varintField(3, 7), lengthField(1, "key"))),
      1,
    ],
    ["an unknown enum value", "traces", traces(span(varintField(6, 12_345))), 1],
    ["a field with a tag of two bytes", "traces", traces(span(fixed32Field(16))), 1],
    [
      "unknown fields of all wire types",
      "traces",
      traces(span(varintField(90, 1), fixed64Field(91), lengthField(92, [0xff]), fixed32Field(93), groups(3))),
      1,
    ],
    [
      "a data point that begins with a tag of two bytes",
      "metrics",
      metrics(lengthField(5, lengthField(1, fixed64Field(16), fixed64Field(3)))),
      1,
    ],
    ["the highest field number", "traces", traces(span([...varint((2 ** 29 - 1) * 8), 0x01])), 1],
    ["groups 100 deep", "traces", Uint8Array.from(groups(100)), 0],
    ["groups 97 deep in the fourth message", "traces", traces(span(groups(97))), 1],
    ["packed fixed64 values", "metrics", metrics(lengthField(9, lengthField(1, lengthField(6, fill(16, 1))))), 1],
    [
      "unpacked fixed64 values",
      "metrics",
      metrics(lengthField(9, lengthField(1, fixed64Field(6), fixed64Field(6)))),
      1,
    ],
    [
      "packed varints",
      "metrics",
      metrics(lengthField(10, lengthField(1, lengthField(8, lengthField(2, [1, 0x80, 1, ...varint(-1)]))))),
      1,
    ],
    [
      "unpacked varints",
      "metrics",
      metrics(lengthField(10, lengthField(1, lengthField(8, varintField(2, 1), lengthField(2, [2]))))),
      1,
    ],
    [
      "text of every length that is not ASCII",
      "logs",
      logs(...Array.from({ length: 20 }, (_, size) => lengthField(3, `${"x".repeat(size)}é`))),
      1,
    ],
    ["bytes that are not UTF-8", "logs", logs(lengthField(5, lengthField(7, [0xff, 0xfe]))), 1],
    ["45 nested arrays", "traces", traces(span(lengthField(9, lengthField(2, nestedArrays(45))))), 1],
    ["an empty value at depth 100", "logs", logs(lengthField(6, lengthField(2, nestedArrays(47)))), 1],
    ["a short attribute's value at depth 100", "logs", logs(lengthField(5, nestedArrays(46, SHORT_LIST))), 1],
  ])("validateRequest() accepts %s", (_name, signal, body, itemCount) => {
    expect(validateRequest(signal, body)).toEqual<Validation>({ itemCount, rejectedCount: 0, body, message: "" });
  });

  test("validateRequest() returns the same body when nothing is cut", () => {
    const body = traces(span());

    expect(validateRequest("traces", body).body).toBe(body);
  });

  test("validateRequest() counts only the last member of a metric's data", () => {
    const gauge = lengthField(5, lengthField(1, fixed64Field(3)), lengthField(1, fixed64Field(3)));
    const sum = lengthField(7, lengthField(1, fixed64Field(3)));

    expect(validateRequest("metrics", metrics(gauge, sum)).itemCount).toBe(1);
    expect(validateRequest("metrics", metrics(sum, gauge, gauge)).itemCount).toBe(4);
    expect(validateRequest("metrics", metrics(gauge, sum, gauge)).itemCount).toBe(2);
  });
});

test("validateRequest() does not count the byte offset of its input", () => {
  const body = traces(span());
  const shifted = new Uint8Array([9, 9, 9, ...body, 9]).subarray(3, 3 + body.length);

  expect(validateRequest("traces", shifted).body).toBe(shifted);
});
