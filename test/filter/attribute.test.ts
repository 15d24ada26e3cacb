import { describe, expect, test } from "vitest";
import { compileAttribute, compileText } from "../../src/filter/attribute.ts";
import { toRange } from "../../src/otlp/fields.ts";
import { lengthField, tag, varintField } from "../otlp/wire-builder.ts";

type Bytes = readonly number[];

const text = (value: string): Bytes => lengthField(1, value);
const double = (value: number): Bytes => [...tag(4, 1), ...new Uint8Array(Float64Array.of(value).buffer)];
const attribute = (...value: readonly Bytes[]): Bytes => [...lengthField(1, "key"), ...lengthField(2, ...value)];

function isMet(fields: Bytes, value: string, key = "key"): boolean {
  return compileAttribute({ key, value }).isMetBy(toRange(Uint8Array.from(fields)));
}

/** Says whether an attribute holds one of the needles of a value that it matches. */
function holdsNeedle(fields: Bytes, value: string): boolean {
  const held = Array.from(fields, (byte) => String.fromCharCode(byte)).join("");
  return compileAttribute({ key: "key", value }).needles.some((needle) =>
    held.includes(Array.from(needle, (byte) => String.fromCharCode(byte)).join("")),
  );
}

describe("compileAttribute()", () => {
  test.each<readonly [what: string, value: Bytes, matches: readonly string[], others: readonly string[]]>([
    ["a string exactly", text("GET"), ["GET"], ["get", "GET ", "GE", ""]],
    ["an empty string", text(""), [""], ["0", "false"]],
    ["a string of digits as a string", text("0500"), ["0500"], ["500"]],
    ["a long string", text("x".repeat(20_000)), ["x".repeat(20_000)], ["x".repeat(19_999)]],
    ["true", varintField(2, 1), ["true"], ["false", "1", "TRUE"]],
    ["false", varintField(2, 0), ["false"], ["true", "0", ""]],
    ["an int in decimal", varintField(3, 500), ["500"], ["500.0", "0500", "+500", "5e2", "501"]],
    ["a negative int", varintField(3, -1), ["-1"], ["18446744073709551615", "1"]],
    ["the smallest int", varintField(3, -(2n ** 63n)), ["-9223372036854775808"], ["9223372036854775808"]],
    ["the int 0", varintField(3, 0), ["0"], ["-0", "", "false"]],
    ["a double numerically", double(1.5), ["1.5", "1.50", "15e-1", "0.15E1"], ["1,5", "1.5 ", "0x1", "1.51"]],
    ["a whole double", double(500), ["500", "500.0", "5e2", "500."], ["501"]],
    ["the double -0", double(-0), ["0", "-0", "0.0"], ["", "false"]],
    ["a double that is no number", double(Number.NaN), ["NaN"], ["nan", "checkout"]],
    ["an infinite double", double(Number.NEGATIVE_INFINITY), ["-Infinity", "-1e999"], ["Infinity", "-inf"]],
    ["bytes in base64", lengthField(7, [0, 1, 2]), ["AAEC"], ["AAED", "\u0000\u0001\u0002"]],
    ["bytes in base64 with and without padding", lengthField(7, [0]), ["AA==", "AA"], ["AA=", "AAA="]],
    ["bytes that are long enough to be sought", lengthField(7, [0, 1, 2, 3, 4, 5]), ["AAECAwQF"], ["AAECAwQG"]],
    ["bytes in both alphabets", lengthField(7, [0xfb, 0xff]), ["+/8=", "-_8="], ["+/7="]],
    ["no bytes", lengthField(7), [""], ["AA=="]],
    ["no list", lengthField(5, lengthField(1, text("a"))), [], ["a", "", '["a"]']],
    ["no map", lengthField(6, lengthField(1, "a")), [], ["a", ""]],
    ["no index", varintField(8, 1), [], ["1", ""]],
    ["no missing value", [], [], ["", "0", "false", "null"]],
  ])("compares %s", (_what, value, matches, others) => {
    expect(matches.filter((each) => !isMet(attribute(value), each))).toEqual([]);
    expect(matches.filter((each) => !holdsNeedle(attribute(value), each))).toEqual([]);
    expect(others.filter((each) => isMet(attribute(value), each))).toEqual([]);
  });

  test.each<readonly [shape: string, fields: Bytes, value: string]>([
    ["the value before the key", [...lengthField(2, text("a")), ...lengthField(1, "key")], "a"],
    ["a key that is sent twice", [...lengthField(1, "old"), ...attribute(text("a"))], "a"],
    ["a value in pieces", [...attribute(text("old")), ...lengthField(2, text("a"))], "a"],
    ["a last piece that is empty", [...attribute(text("a")), ...lengthField(2)], "a"],
    ["several members", attribute(text("old"), varintField(3, 7)), "7"],
    ["unknown fields", attribute(text("a"), varintField(99, 7)), "a"],
    ["an unknown field beside", [...attribute(text("a")), ...varintField(99, 7)], "a"],
    ["lengths longer than need be", [0x0a, 0x83, 0, 0x6b, 0x65, 0x79, 0x12, 0x83, 0, 0x0a, 1, 0x61], "a"],
  ])("reads %s", (_shape, fields, value) => {
    expect([isMet(fields, value), isMet(fields, "old"), isMet(fields, value, "kez")]).toEqual([true, false, false]);
  });

  test("does not take one key for another of the same length, or a part of it", () => {
    expect(["kez", "ke", "keyy", ""].map((key) => isMet(attribute(text("a")), "a", key))).toEqual(Array(4).fill(false));
  });

  test("matches no attribute without a value", () => {
    expect([isMet(lengthField(1, "key"), ""), isMet([], "", "")]).toEqual([false, false]);
  });
});

function compare(fields: Bytes, value: string): boolean | null {
  return compileText("key", value)(toRange(Uint8Array.from(fields)));
}

describe("compileText()", () => {
  test("compares texts of its key alone", () => {
    expect(compare(attribute(text("shop")), "shop")).toBe(true);
    expect(compare(attribute(text("shop")), "shoq")).toBe(false);
    expect(compare(attribute(varintField(3, 7)), "7")).toBe(false);
    expect(compare([...lengthField(1, "kez"), ...lengthField(2, text("shop"))], "shop")).toBe(null);
  });

  test("reads other shapes as manifests list service names", () => {
    expect(compare([...lengthField(2, text("shop")), ...lengthField(1, "key")], "shop")).toBe(true);
    expect(compare([...attribute(text("shop")), ...lengthField(2)], "shop")).toBe(false);
    expect(compare([...attribute(text("shop")), ...varintField(99, 1)], "shop")).toBe(true);
    expect(compare([...lengthField(1, "kez"), ...varintField(99, 1)], "shop")).toBe(null);
  });
});
