/** One document in pieces: the same protobuf and the same refusals as `decodeJsonRequest`, whatever the pieces. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { joinBytes } from "../../../src/bytes.ts";
import { FirnError } from "../../../src/errors.ts";
import { decodeJsonRequest } from "../../../src/otlp/json/decode.ts";
import { openJsonSplitter } from "../../../src/otlp/json/splitter.ts";
import { record, toKind } from "./document-sample.ts";

const MARK = "\ufeff";
const SPACE = fc.constantFrom("", "", "", " ", "\n", "\r\n\t");
const ELEMENTS: readonly string[] = [
  "{}",
  "{ }",
  '{"schemaUrl":"https://example.com/\\"quoted\\""}',
  '{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a \\\\"}},{"severityText":"}]{[\\\\\\""}]}]}',
  '{"scope\\u004cogs":[{"logRecords":[{"timeUnixNano":"1544712660300000001","traceId":"0102"}]}]}',
  `{"resource":{"attributes":[{"key":"ключ","value":{"stringValue":"${"long ".repeat(60)}"}}]}}`,
  `{"unknown":[[{"a":"\\ud83d"}],null,-1.5e3],"schemaUrl":"${"\\n".repeat(80)}"}`,
];
const UNKNOWN_MEMBERS: readonly string[] = [
  '"":null',
  '"resource_logs":[{"resourceLogs":[{}]}]',
  '"resourceLog":{}',
  '"a":-0.5E+7',
  '"b":"text \\u00e9 \\\\"',
  '"__proto__":{"resourceLogs":[{}],"x":[[],[1,2],{"y":{}}]}',
  '"c":[true,false,null,"",[{}]]',
  '"resourceLogs":null',
];

const documents = fc
  .record({
    start: fc.constantFrom("", "", MARK, " \n", `${MARK} `),
    before: fc.array(fc.constantFrom(...UNKNOWN_MEMBERS), { maxLength: 3 }),
    key: fc.constantFrom('"resourceLogs"', '"resource\\u004Cogs"'),
    elements: fc.array(fc.constantFrom(...ELEMENTS), { maxLength: 6 }),
    after: fc.array(fc.constantFrom(...UNKNOWN_MEMBERS.slice(0, -1)), { maxLength: 3 }),
    space: SPACE,
    end: SPACE,
  })
  .map(({ start, before, key, elements, after, space, end }) => {
    const list = `${space}[${space}${elements.join(`${space},${space}`)}${space}]${space}`;
    const members = [...before, `${key}${space}:${list}`, ...after].join(`${space},${space}`);
    return encode(`${start}{${space}${members}${space}}${end}`);
  });

/** Pieces of these lengths, over and over, empty ones too. */
const pieceLengths = fc.oneof(
  fc.constant([1]),
  fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 6 }),
  fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 6 }),
  fc.constant([1_000_000]),
);

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const cycle = lengths.some((length) => length > 0) ? lengths : [1];
  const pieces: Uint8Array[] = [];
  for (let start = 0, index = 0; start < bytes.length; index++) {
    const end = Math.min(bytes.length, start + (cycle[index % cycle.length] ?? 1));
    pieces.push(bytes.slice(start, end));
    start = end;
  }
  return pieces;
}

function split(pieces: readonly Uint8Array[]): Uint8Array {
  const splitter = openJsonSplitter("logs");
  return joinBytes([...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()]);
}

function splitText(text: string): Uint8Array {
  return split([encode(text)]);
}

function findError(text: string): FirnError {
  try {
    splitText(text);
  } catch (error) {
    if (error instanceof FirnError) return error;
    throw error;
  }
  throw new Error("Expected a refusal");
}

test("openJsonSplitter() gives the bytes of decodeJsonRequest() whatever the pieces", () => {
  fc.assert(
    fc.property(documents, pieceLengths, (bytes, lengths) => {
      expect(split(cut(bytes, lengths))).toEqual(decodeJsonRequest("logs", bytes));
    }),
    { numRuns: 500 },
  );
});

test("openJsonSplitter() refuses a document that ends too early, at any byte and whatever the pieces", () => {
  fc.assert(
    fc.property(documents, pieceLengths, fc.double({ min: 0, max: 1, noNaN: true }), (bytes, lengths, share) => {
      const complete = bytes.lastIndexOf(0x7d);
      const truncated = bytes.slice(0, Math.floor(share * complete));

      expect(toKind(() => split(cut(truncated, lengths)))).toBe("corrupt_object");
    }),
    { numRuns: 500 },
  );
});

test("openJsonSplitter() refuses whatever decodeJsonRequest() refuses, and else gives the same bytes", () => {
  const damage = fc.record({
    place: fc.nat(),
    byte: fc.constantFrom(...encode('{}[],:"\\ \n0-e.tnx\u0000'), 0xff, 0xc3),
  });
  fc.assert(
    fc.property(documents, damage, fc.boolean(), pieceLengths, (bytes, { place, byte }, isInsertion, lengths) => {
      const at = place % bytes.length;
      const damaged = joinBytes([bytes.slice(0, at), Uint8Array.of(byte), bytes.slice(isInsertion ? at : at + 1)]);
      const kind = toKind(() => decodeJsonRequest("logs", damaged));

      if (kind === "nothing thrown") expect(split(cut(damaged, lengths))).toEqual(decodeJsonRequest("logs", damaged));
      else expect(toKind(() => split(cut(damaged, lengths)))).toBe("corrupt_object");
    }),
    { numRuns: 2000 },
  );
});

const REFUSED: readonly (readonly [string, string])[] = [
  ["no bytes", ""],
  ["white space alone", " \n"],
  ["a byte order mark alone", MARK],
  ["two byte order marks", `${MARK}${MARK}{}`],
  ["another document behind", '{"resourceLogs":[]}\n{"resourceLogs":[]}'],
  ["text behind", "{}x"],
  ["an array", "[{}]"],
  ["a scalar", "null"],
  ["an object for the array", '{"resourceLogs":{}}'],
  ["a scalar for the array", '{"resourceLogs":1}'],
  ["a text like null for the array", '{"resourceLogs":nul}'],
  ["null for an element", '{"resourceLogs":[null]}'],
  ["a comma behind the last element", '{"resourceLogs":[{},]}'],
  ["a comma before the first element", '{"resourceLogs":[,{}]}'],
  ["elements without a comma", '{"resourceLogs":[{}{}]}'],
  ["a comma behind the last member", '{"resourceLogs":[],}'],
  ["an unknown number with letters behind", '{"a":12x}'],
  ["an unknown literal in capitals", '{"a":TRUE}'],
  ["brackets of unknown values that do not match", '{"a":[{]}}'],
  ["a colon in an unknown array", '{"a":[1:2]}'],
  ["the key of the array twice", '{"resourceLogs":[],"resourceLogs":[{}]}'],
  ["null for the array behind the array", '{"resourceLogs":[{}],"resourceLogs":null}'],
];

test.each(REFUSED)("openJsonSplitter() refuses %s", (_, text) => {
  expect(findError(text).kind).toBe("corrupt_object");
});

test("openJsonSplitter() takes null for the array as absent until the array is there", () => {
  expect(splitText('{"resourceLogs":null,"resourceLogs":null,"resourceLogs":[{}]}')).toEqual(Uint8Array.of(0x0a, 0));
});

test("openJsonSplitter() names the place of a fault in the whole array", () => {
  const bad = record('"severityNumber":"INFO"').slice('{"resourceLogs":['.length, -"]}".length);
  const text = `{"resourceLogs":[${"{},".repeat(200_000)}{},${bad}]}`;

  expect(findError(text).field).toBe("resourceLogs[200001].scopeLogs[0].logRecords[0].severityNumber");
});

test("openJsonSplitter() never echoes the payload in its message", () => {
  expect(findError('{"resourceLogs":[{"schemaUrl":SECRET}]}').message).not.toContain("SECRET");
  expect(findError('{"SECRET":SECRET}').message).not.toContain("SECRET");
});

test("openJsonSplitter() gives elements as soon as they are complete", () => {
  const splitter = openJsonSplitter("logs");

  expect(splitter.push(encode('{"resourceLogs":[{}'))).toEqual([Uint8Array.of(0x0a, 0)]);
  expect(splitter.push(encode(",{},{"))).toEqual([Uint8Array.of(0x0a, 0)]);
  expect(splitter.push(encode("}"))).toEqual([Uint8Array.of(0x0a, 0)]);
});

test("openJsonSplitter() gives small requests even for a large piece", () => {
  const element = `{"schemaUrl":"${"x".repeat(1000)}"}`;
  const document = encode(`{"resourceLogs":[${Array.from({ length: 600 }, () => element).join(",")}]}`);

  const requests = openJsonSplitter("logs").push(document);

  expect(Math.max(...requests.map((request) => request.length))).toBeLessThan(300_000);
  expect(joinBytes(requests)).toEqual(decodeJsonRequest("logs", document));
});

test("openJsonSplitter() passes a million levels of an unknown value in two megabytes of pieces", () => {
  const splitter = openJsonSplitter("logs");
  const pieces = cut(encode(`{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)},"resourceLogs":[{}]}`), [65_536]);

  expect(pieces.flatMap((piece) => splitter.push(piece))).toEqual([Uint8Array.of(0x0a, 0)]);
  expect(splitter.end()).toEqual([]);
});

test("openJsonSplitter() refuses an element above 32 MiB", () => {
  const splitter = openJsonSplitter("logs");
  splitter.push(encode('{"resourceLogs":[{"schemaUrl":"'));
  const piece = new Uint8Array(4 * 2 ** 20).fill(0x78);

  expect(toKind(() => Array.from({ length: 9 }, () => splitter.push(piece)))).toBe("corrupt_object");
});

test("openJsonSplitter() refuses an unknown string above 32 MiB", () => {
  const splitter = openJsonSplitter("logs");
  splitter.push(encode('{"a":"'));
  const piece = new Uint8Array(4 * 2 ** 20).fill(0x78);

  expect(toKind(() => Array.from({ length: 9 }, () => splitter.push(piece)))).toBe("corrupt_object");
});
