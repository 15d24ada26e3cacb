/** Rules of otlp-http 5.2 and 5.3 that hold for every field of every message, checked on all of the message table. */
import { expect, test } from "vitest";
import { MESSAGES } from "../../../src/otlp/schema.generated.ts";
import type { FieldKind } from "../../../src/otlp/schema.ts";
import { decodeText, findFault } from "./document-sample.ts";
import {
  FIELD_PLACES,
  INTEGER_KINDS,
  MESSAGE_PLACES,
  numberField,
  sampleValues,
  toDocument,
  toMember,
  toPath,
  toWire,
} from "./message-places.ts";
import { fill, lengthField } from "../wire-builder.ts";

const UNKNOWN_MEMBERS = '"unknown":[{"a":[null,-1.5e3,"\\ud83d"]},true],"":{},"__proto__":{"a":1},"toString":[[]]';
const REPEATED = FIELD_PLACES.filter(({ spec }) => spec.repeated === true);
const INTEGERS = FIELD_PLACES.filter(({ spec }) => INTEGER_KINDS.includes(spec.kind));

test("the message table is covered: every message stands at some place", () => {
  expect(MESSAGE_PLACES.map(({ message }) => message).toSorted()).toEqual(Object.keys(MESSAGES).toSorted());
});

test.each(MESSAGE_PLACES)("decodeJsonRequest() takes null for every field of $message as absent", (place) => {
  const nulls = place.fields.map(({ jsonName }) => `"${jsonName}":null`).join(",");

  expect(decodeText(place.signal, toDocument(place, nulls))).toEqual(toWire(place));
});

test.each(MESSAGE_PLACES)("decodeJsonRequest() ignores unknown keys of any value in $message", (place) => {
  for (const members of [UNKNOWN_MEMBERS, `${UNKNOWN_MEMBERS},${UNKNOWN_MEMBERS}`]) {
    expect(decodeText(place.signal, toDocument(place, members))).toEqual(toWire(place));
  }
});

test.each(MESSAGE_PLACES)("decodeJsonRequest() checks the syntax of unknown keys in $message", (place) => {
  for (const members of ['"unknown":[1,]', '"unknown":"\\x"', '"unknown":tru', '"unknown" 1', '"unknown":"\n"']) {
    expect(findFault(place.signal, toDocument(place, members)).kind).toBe("invalid_request");
  }
});

test.each(MESSAGE_PLACES)("decodeJsonRequest() takes other spellings of the keys of $message as unknown", (place) => {
  const spellings = place.fields.flatMap(({ name, jsonName }) => {
    const all = [
      name,
      jsonName.toUpperCase(),
      `${jsonName[0]?.toUpperCase() ?? ""}${jsonName.slice(1)}`,
      `${jsonName} `,
    ];
    return all.filter((spelling) => spelling !== jsonName);
  });
  const members = spellings.map((spelling) => `"${spelling}":[null]`).join(",");

  expect(decodeText(place.signal, toDocument(place, members))).toEqual(toWire(place));
});

test.each(FIELD_PLACES)("decodeJsonRequest() decodes escapes in the key of $name", ({ place, spec }) => {
  const [value] = sampleValues(spec);
  const list = spec.repeated === true ? `[${value}]` : value;
  const escaped = Array.from(spec.jsonName, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join("");

  expect(decodeText(place.signal, toDocument(place, `"${escaped}":${list}`))).toEqual(
    decodeText(place.signal, toDocument(place, `"${spec.jsonName}":${list}`)),
  );
});

test.each(REPEATED)("decodeJsonRequest() refuses null as an element of $name", ({ place, spec }) => {
  const [value] = sampleValues(spec);
  const fault = findFault(place.signal, toDocument(place, `"${spec.jsonName}":[${value},null]`));

  expect(fault.kind).toBe("invalid_request");
  expect(fault.field).toBe(toPath(place, `${spec.jsonName}[1]`));
});

test.each(FIELD_PLACES)("decodeJsonRequest() lets the last of duplicate keys win: $name", ({ place, spec }) => {
  const [first, last] = sampleValues(spec).map((value) => (spec.repeated === true ? `[${value},${value}]` : value));
  const key = `"${spec.jsonName}":`;
  const decode = (members: string): Uint8Array => decodeText(place.signal, toDocument(place, members));

  expect(decode(`${key}${first},"unknown":1,${key}${last}`)).toEqual(decode(`${key}${last}`));
  expect(decode(`${key}${first},${key}${first},${key}null`)).toEqual(toWire(place));
});

const ONEOF_PAIRS = MESSAGE_PLACES.flatMap((place) =>
  place.fields.flatMap((first) =>
    place.fields
      .filter((second) => first.oneof !== undefined && second.oneof === first.oneof && second !== first)
      .map((second) => ({ place, first, second, name: `${place.message}: ${first.jsonName}, ${second.jsonName}` })),
  ),
);

test.each(ONEOF_PAIRS)("decodeJsonRequest() refuses two members of one oneof: $name", ({ place, first, second }) => {
  const members = `"${first.jsonName}":${sampleValues(first)[0]},"${second.jsonName}":${sampleValues(second)[0]}`;
  const fault = findFault(place.signal, toDocument(place, members));

  expect(fault.kind).toBe("invalid_request");
  expect(fault.field).toBe(toPath(place, second.jsonName));
});

test.each(ONEOF_PAIRS)("decodeJsonRequest() takes a oneof whose other member is null: $name", (pair) => {
  const { place, first, second } = pair;
  const only = `"${first.jsonName}":${sampleValues(first)[0]}`;
  const expected = decodeText(place.signal, toDocument(place, only));

  expect(decodeText(place.signal, toDocument(place, `${only},"${second.jsonName}":null`))).toEqual(expected);
  expect(decodeText(place.signal, toDocument(place, `"${second.jsonName}":null,${only}`))).toEqual(expected);
});

/** Values that a kind refuses, beside those of {@link REFUSED_BY_ALL}. */
const REFUSED: Readonly<Record<FieldKind, readonly string[]>> = {
  message: ["1", '"x"', "true", "[]", "[{}]"],
  string: ["1", "true", "{}", "[]"],
  bytes: ["1", "true", "{}", "[]"],
  bool: ["1", "0", '"true"', "{}", "[]", "True", "truE"],
  double: ["true", "{}", "[]", '""', '"x"', '"nan"', '"+Infinity"', "NaN", "1e309", '"-1e309"', '" 1"', '"1 "', "1_0"],
  enum: [],
  int32: ["2147483648", "-2147483649"],
  sint32: ["2147483648", "-2147483649"],
  uint32: ["-1", "4294967296"],
  fixed32: ["-1", "4294967296"],
  int64: ["9223372036854775808", '"-9223372036854775809"'],
  sint64: ["9223372036854775808", '"-9223372036854775809"'],
  sfixed64: ["9223372036854775808", '"-9223372036854775809"'],
  uint64: ["-1", '"18446744073709551616"'],
  fixed64: ["-1", '"18446744073709551616"'],
};
const NO_INTEGERS = ["true", "false", "{}", "[1]", "7.5", "1e-1", "1e400", "1e-400", "-1e400", "9".repeat(3000)];
const NO_INTEGER_TEXTS = [
  "",
  " 7",
  "7 ",
  "\\t7",
  "0x7",
  "7n",
  "1_000",
  "7.5",
  "1e-400",
  "1e400",
  "NaN",
  "x",
  "1e99999",
];
const REFUSED_INTEGERS: readonly string[] = [...NO_INTEGERS, ...NO_INTEGER_TEXTS.map((text) => `"${text}"`)];

test.each(FIELD_PLACES)("decodeJsonRequest() refuses values that $name cannot have", ({ place, spec }) => {
  const values = INTEGER_KINDS.includes(spec.kind) ? [...REFUSED_INTEGERS, ...REFUSED[spec.kind]] : REFUSED[spec.kind];
  const path = toPath(place, spec.repeated === true ? `${spec.jsonName}[0]` : spec.jsonName);
  for (const value of values) {
    const fault = findFault(place.signal, toDocument(place, toMember(spec, value)));

    expect(fault.kind, value).toBe("invalid_request");
    expect(fault.field, value).toBe(path);
  }
});

test.each(REPEATED)("decodeJsonRequest() refuses whatever is no array for $name", ({ place, spec }) => {
  for (const value of [sampleValues(spec)[0], '"x"', "1", "true", "{}"]) {
    const fault = findFault(place.signal, toDocument(place, `"${spec.jsonName}":${value}`));

    expect(fault.field, value).toBe(toPath(place, spec.jsonName));
  }
});

const SEVEN_NUMBERS = ["7", "7.0", "7e0", "7E0", "7e+0", "70e-1", "0.7e1", `7.${"0".repeat(3000)}`];
const SEVEN_TEXTS = ["7", "7.0", "7e0", "0.07E2", "\\u0037", `7${"0".repeat(3000)}e-3000`];
const SEVENS: readonly string[] = [...SEVEN_NUMBERS, ...SEVEN_TEXTS.map((text) => `"${text}"`)];

test.each(INTEGERS)("decodeJsonRequest() accepts 7, 7.0, 7e0, quoted or not, for $name", ({ place, spec }) => {
  const expected = toWire(place, numberField(spec, 7));
  for (const seven of SEVENS) {
    expect(decodeText(place.signal, toDocument(place, toMember(spec, seven))), seven).toEqual(expected);
  }
});

test.each(INTEGERS)("decodeJsonRequest() takes every way to write zero as zero for $name", ({ place, spec }) => {
  const decode = (value: string): Uint8Array => decodeText(place.signal, toDocument(place, toMember(spec, value)));
  for (const zero of ["-0", "0.0", "0e400", "0e-400", '"0"', '"-0"', '"-0.0e9"', `0.${"0".repeat(3000)}`]) {
    expect(decode(zero), zero).toEqual(decode("0"));
  }
});

const SIGNED = INTEGERS.filter(({ spec }) => /^(?:s|int|enum)/.test(spec.kind));

test.each(SIGNED)("decodeJsonRequest() accepts negative integers for $name", ({ place, spec }) => {
  for (const value of ["-5", '"-5"', "-5.0", "-0.5e1"]) {
    expect(decodeText(place.signal, toDocument(place, toMember(spec, value))), value).toEqual(
      toWire(place, numberField(spec, -5)),
    );
  }
});

const ENUMS = FIELD_PLACES.filter(({ spec }) => spec.kind === "enum");

test.each(ENUMS)("decodeJsonRequest() refuses names of values of the enum $name", ({ place, spec }) => {
  for (const value of [
    "SPAN_KIND_SERVER",
    "STATUS_CODE_OK",
    "SEVERITY_NUMBER_INFO",
    "AGGREGATION_TEMPORALITY_DELTA",
    "",
  ]) {
    const fault = findFault(place.signal, toDocument(place, `"${spec.jsonName}":"${value}"`));

    expect(fault.field, value).toBe(toPath(place, spec.jsonName));
  }
});

test.each(ENUMS)("decodeJsonRequest() keeps unknown values of the enum $name", ({ place, spec }) => {
  for (const value of [2, 99, 2147483647, -1, -2147483648]) {
    const expected = toWire(place, numberField(spec, value));

    expect(decodeText(place.signal, toDocument(place, `"${spec.jsonName}":${value}`)), `${value}`).toEqual(expected);
    expect(decodeText(place.signal, toDocument(place, `"${spec.jsonName}":${value}.0`)), `${value}.0`).toEqual(
      expected,
    );
    expect(decodeText(place.signal, toDocument(place, `"${spec.jsonName}":"${value}"`)), `"${value}"`).toEqual(
      expected,
    );
  }
});

const BYTES = FIELD_PLACES.filter(({ spec }) => spec.kind === "bytes");
const IDS = BYTES.filter(({ spec }) => spec.name.endsWith("_id"));
const BASE64 = BYTES.filter(({ spec }) => !spec.name.endsWith("_id"));

test.each(IDS)("decodeJsonRequest() reads hex of any case for the id $name", ({ place, spec }) => {
  for (const [text, byte] of [
    ["ab", 0xab],
    ["AB", 0xab],
    ["aB", 0xab],
    ["\\u0041b", 0xab],
    ["09", 9],
  ] as const) {
    for (const size of [16, 8, 3]) {
      const expected = toWire(place, lengthField(spec.number, fill(size, byte)));

      expect(decodeText(place.signal, toDocument(place, `"${spec.jsonName}":"${text.repeat(size)}"`))).toEqual(
        expected,
      );
    }
  }
});

const BASE64_TEXTS: readonly (readonly [string, readonly number[]])[] = [
  ["+/+/", [0xfb, 0xff, 0xbf]],
  ["-_-_", [0xfb, 0xff, 0xbf]],
  ["+_-/", [0xfb, 0xff, 0xbf]],
  ["+/+/AA==", [0xfb, 0xff, 0xbf, 0]],
  ["-_-_AA", [0xfb, 0xff, 0xbf, 0]],
  ["AAE=", [0, 1]],
  ["AAE", [0, 1]],
];
const NO_BASE64 = [
  "A",
  "AAAAA",
  "AAAA=",
  "AA=",
  "AAA==",
  "=",
  "==",
  "AA=A",
  "A=AA",
  "AA==AAAA",
  "a*==",
  "AA A",
  " AAA",
  "AAA\\n",
];

test.each(BASE64)("decodeJsonRequest() reads both alphabets of base64, padded or not, for $name", ({ place, spec }) => {
  for (const [text, bytes] of BASE64_TEXTS) {
    expect(decodeText(place.signal, toDocument(place, `"${spec.jsonName}":"${text}"`)), text).toEqual(
      toWire(place, lengthField(spec.number, bytes)),
    );
  }
});

test.each(BASE64)("decodeJsonRequest() refuses what is no base64 for $name", ({ place, spec }) => {
  for (const text of NO_BASE64) {
    const fault = findFault(place.signal, toDocument(place, `"${spec.jsonName}":"${text}"`));

    expect(fault.field, text).toBe(toPath(place, spec.jsonName));
  }
});
