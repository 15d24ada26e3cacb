import { assert, nat, property, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { openItemOrder } from "../../src/otlp/item-order.ts";
import { iterateItems, type Item } from "../../src/otlp/items.ts";
import { MESSAGES } from "../../src/otlp/schema.generated.ts";
import { toField, toTag } from "../../src/otlp/wire/table.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { fixed64Field, lengthField, varintField } from "./wire-builder.ts";

type Bytes = readonly number[];

/** Keys of the items of one scope or metric. */
function keysOf(signal: ItemSignal, ...items: readonly Bytes[]): readonly number[] {
  const scope = signal === "metrics" ? lengthField(2, lengthField(5, ...items)) : items.flat();
  const request = Uint8Array.from(lengthField(1, lengthField(2, scope)));
  const order = openItemOrder(signal);
  return Array.from(iterateItems(signal, request), (item) => order.readKey(item));
}

const attribute = (key: string, value: string): Bytes =>
  lengthField(1, lengthField(1, key), lengthField(2, lengthField(1, value)));
const named = (name: string, ...attributes: readonly string[]): Bytes =>
  lengthField(2, lengthField(5, name), ...attributes.map((value) => lengthField(9, attribute("key", value))));
const point = (time: number, ...attributes: readonly string[]): Bytes =>
  lengthField(1, fixed64Field(3, time), ...attributes.map((value) => lengthField(7, attribute("key", value))));

describe("ItemOrder.readKey()", () => {
  test("puts spans of one name together, by the length of their attributes, then equal ones", () => {
    const [a, b, equal, longer, other] = keysOf(
      "traces",
      named("get", "aaaa"),
      named("get", "bbbb"),
      named("get", "aaaa"),
      named("get", "aaaaaaaa"),
      named("post", "aaaa"),
    );

    expect(equal).toBe(a);
    expect(b).not.toBe(a);
    expect((b ?? 0) >>> 12).toBe((a ?? 0) >>> 12);
    expect((longer ?? 0) >>> 22).toBe((a ?? 0) >>> 22);
    expect(longer).toBeGreaterThan(Math.max(a ?? 0, b ?? 0));
    expect((other ?? 0) >>> 22).not.toBe((a ?? 0) >>> 22);
  });

  test("leaves spans without attributes and log records as they came", () => {
    expect(keysOf("traces", named("get"), named("post"))).toEqual([0, 0]);
    expect(keysOf("logs", lengthField(2, lengthField(6, attribute("a", "b"))), lengthField(2))).toEqual([0, 0]);
  });

  test("puts points of one time together, in the order of their series", () => {
    const [a1, b1, a2, b2] = keysOf("metrics", point(1, "a"), point(1, "bb"), point(2, "a"), point(2, "bb"));

    expect((b1 ?? 0) >>> 22).toBe((a1 ?? 0) >>> 22);
    expect((a1 ?? 0) < (b1 ?? 0)).toBe((a2 ?? 0) < (b2 ?? 0));
    expect((a1 ?? 0) >>> 22).not.toBe((a2 ?? 0) >>> 22);
    expect((a1 ?? 0) & 0x3f_ffff).toBe((a2 ?? 0) & 0x3f_ffff);
  });

  test("is a number of 32 bits whatever an item holds", () => {
    const order = openItemOrder("traces");
    const context = { resource: null, scope: null, metric: null } as unknown as Item["context"];
    assert(
      property(uint8Array({ maxLength: 40 }), nat(300), (value, length) => {
        const attributes = lengthField(9, [...value], "x".repeat(length));
        const bytes = Uint8Array.from([
          ...varintField(200, 7),
          ...attributes,
          ...fixed64Field(7, 3),
          ...lengthField(5, [...value]),
        ]);

        const key = order.readKey({ bytes, start: 0, end: bytes.length, message: "Span", context });

        expect(key).toBe(key >>> 0);
      }),
    );
  });

  test.each([
    ["Span", "attributes", 0x4a],
    ["Span", "name", 0x2a],
    ["NumberDataPoint", "attributes", 0x3a],
    ["NumberDataPoint", "time_unix_nano", 0x19],
    ["HistogramDataPoint", "attributes", 0x4a],
    ["HistogramDataPoint", "time_unix_nano", 0x19],
    ["ExponentialHistogramDataPoint", "attributes", 0x0a],
    ["ExponentialHistogramDataPoint", "time_unix_nano", 0x19],
    ["SummaryDataPoint", "attributes", 0x3a],
    ["SummaryDataPoint", "time_unix_nano", 0x19],
  ])("knows %s.%s by the tag %i of the message table", (message, field, tag) => {
    expect(MESSAGES[message]).toBeDefined();
    expect(toTag(toField(message, field))).toBe(tag);
  });
});
