import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FirnError } from "../../src/errors.ts";
import { checkProfilesRequest } from "../../src/otlp/profiles.ts";
import type { Encoding } from "../../src/otlp/response.ts";
import { fill, fixed32Field, fixed64Field, groups, lengthField, tag, varint, varintField } from "./wire-builder.ts";

const MIB = 1_048_576;

function text(...parts: readonly (string | readonly number[])[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : part)),
  );
}

function faultOf(encoding: Encoding, body: Uint8Array): FirnError | null {
  try {
    checkProfilesRequest(encoding, body);
  } catch (error) {
    if (error instanceof FirnError) return error;
    throw error;
  }
  return null;
}

test.each<readonly [name: string, encoding: Encoding, body: Uint8Array]>([
  ["zero bytes of protobuf", "protobuf", text()],
  ["zero bytes of JSON", "json", text()],
  ["white space", "json", text(" \t\r\n")],
  ["a byte order mark alone", "json", text([0xef, 0xbb, 0xbf])],
  ["an empty object", "json", text("{}")],
  ["an empty object in white space after a byte order mark", "json", text([0xef, 0xbb, 0xbf], " { \n} ")],
])("checkProfilesRequest() finds nothing in %s", (_name, encoding, body) => {
  expect(checkProfilesRequest(encoding, body)).toEqual({ isEmpty: true });
});

test.each<readonly [name: string, encoding: Encoding, body: Uint8Array]>([
  ["a message with unsound contents", "protobuf", Uint8Array.from(lengthField(1, [0xff, 0xff]))],
  ["an empty message", "protobuf", Uint8Array.from(lengthField(2))],
  [
    "fields of every wire type that no schema knows",
    "protobuf",
    Uint8Array.from([...varintField(1, -1), ...fixed64Field(2), ...fixed32Field(2 ** 29 - 1), ...lengthField(90, "x")]),
  ],
  ["groups 100 deep", "protobuf", Uint8Array.from(groups(100))],
  ["keys of any name", "json", text('{"resourceProfiles":7,"":null,"__proto__":[{}],"resource_profiles":"x"}')],
  ["a key that comes twice", "json", text('{"a":1,"a":2}')],
  ["a lone surrogate", "json", text('{"a":"\\ud83d"}')],
])("checkProfilesRequest() accepts %s", (_name, encoding, body) => {
  expect(checkProfilesRequest(encoding, body)).toEqual({ isEmpty: false });
});

test.each<readonly [name: string, body: Uint8Array]>([
  ["field number 0", text([0x02, 0x00])],
  ["a field number above 2^29-1", text([...varint(2 ** 32), 0x00])],
  ["a tag of six bytes", text([0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00])],
  ["wire type 6", text([0x0e])],
  ["wire type 7", text([0x0f])],
  ["a cut tag", text([0x80])],
  ["a cut varint", text([...tag(1, 0), 0x80])],
  ["a varint of eleven bytes", text([...tag(1, 0), ...fill(10, 0x80), 0x00])],
  ["a cut fixed64", text([...tag(1, 1), ...fill(7, 0)])],
  ["a cut fixed32", text([...tag(1, 5), ...fill(3, 0)])],
  ["a length past the end", text(lengthField(1, "abc").slice(0, -1))],
  ["a length above 2^31-1", text([...tag(1, 2), ...varint(2 ** 31)])],
  ["a negative length", text([...tag(1, 2), ...varint(-1)])],
  ["the end of no group", text([...tag(7, 4)])],
  ["a group without an end", text([...tag(7, 3), ...varintField(1, 1)])],
  ["a group with the end of another", text([...tag(7, 3), ...tag(8, 4)])],
  ["groups 101 deep", Uint8Array.from(groups(101))],
  ["JSON text", text('{"resourceProfiles":[]}')],
  ["gzip", text([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])],
  ["a gRPC frame", text([0, 0, 0, 0, 2, 0x0a, 0])],
  ["a length prefix", text([2, 0x0a, 0])],
])("checkProfilesRequest() refuses protobuf that is %s", (_name, body) => {
  const error = faultOf("protobuf", body);

  expect(error?.kind).toBe("invalid_request");
  expect(error?.field).toBe("body");
  expect(error?.message).toMatch(/^Cannot read protobuf: found .*[^.]$/);
});

test.each<readonly [name: string, body: Uint8Array]>([
  ["an array", text("[]")],
  ["null", text("null")],
  ["a number", text("1")],
  ["a string", text('"x"')],
  ["two documents", text("{}{}")],
  ["text after the document", text("{}x")],
  ["a zero byte after the document", text("{}\0")],
  ["cut off", text('{"a":[1')],
  ["without quotes around a key", text("{a:1}")],
  ["with a comma at the end", text('{"a":1,}')],
  ["with a comment", text("{/**/}")],
  ["with a bare NaN", text('{"a":NaN}')],
  ["with a leading zero", text('{"a":01}')],
  ["not UTF-8 in a key", text('{"', [0xff], '":1}')],
  ["not UTF-8 in a value", text('{"a":"', [0xc0, 0x80], '"}')],
  ["UTF-16", text([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
  ["with two byte order marks", text([0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf], "{}")],
  ["protobuf", Uint8Array.from(lengthField(1, "abc"))],
])("checkProfilesRequest() refuses JSON that is %s", (_name, body) => {
  const error = faultOf("json", body);

  expect(error?.kind).toBe("invalid_request");
  expect(error?.field).toBe("body");
  expect(error?.message).toMatch(/^Cannot read JSON.*[^.]$/);
});

test("checkProfilesRequest() agrees with JSON.parse on objects and on damaged ones", () => {
  const damaged = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.constantFrom("", "{", "}", "[", "]", '"', ",", "0", " ", "\\"))
    .map(([json, at, piece]) => json.slice(0, at % (json.length + 1)) + piece + json.slice(at % (json.length + 1)));

  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value)),
        damaged,
      ),
      (json) => {
        expect(faultOf("json", text(json)) === null).toBe(isObjectText(json));
      },
    ),
    { numRuns: 500 },
  );
});

test("checkProfilesRequest() throws nothing but FirnError on any bytes", () => {
  fc.assert(
    fc.property(fc.constantFrom<Encoding>("json", "protobuf"), fc.uint8Array({ maxLength: 60 }), (encoding, body) => {
      expect(["invalid_request", undefined]).toContain(faultOf(encoding, body)?.kind);
    }),
    { numRuns: 2000 },
  );
});

test("checkProfilesRequest() passes a million levels of JSON without a stack", () => {
  const deep = new Uint8Array(2 * MIB + 6).fill(0x5b, 5, MIB + 5).fill(0x5d, MIB + 5);
  deep.set(text('{"a":'));
  deep.set(text("}"), deep.length - 1);

  expect(checkProfilesRequest("json", deep)).toEqual({ isEmpty: false });
  expect(faultOf("json", deep.subarray(0, MIB))?.field).toBe("body");
});

function isObjectText(json: string): boolean {
  if (json.trim() === "") return true;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
