/** Text of every length and kind, as JSON writes it: the same bytes as the engine's own reader gives. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { joinBytes } from "../../../src/bytes.ts";
import { decodeJsonRequest } from "../../../src/otlp/json/decode.ts";
import { decodeText, record, toKind } from "./document-sample.ts";
import { lengthField, logs } from "../wire-builder.ts";

const TEXT = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: "binary-ascii", maxLength: 300 }),
  fc.string({ unit: fc.constantFrom("a", "b", '"', "\\", "\n", "é", "€", "😀", "\ud83d", "\ude00"), maxLength: 200 }),
  fc.tuple(fc.nat({ max: 5_000 }), fc.string()).map(([length, end]) => "x".repeat(length) + end),
);
/** The short form of escapes where there is one, and the long form of everything. */
const PRINTERS: readonly ((text: string) => string)[] = [
  (text) => JSON.stringify(text),
  (text) => `"${text.split("").map(escapeUnit).join("")}"`,
];

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

test("decodeJsonRequest() reads any text, lone surrogates as U+FFFD", () => {
  fc.assert(
    fc.property(TEXT, fc.constantFrom(...PRINTERS), (text, print) => {
      const expected = text === "" ? logs() : logs(lengthField(3, text.toWellFormed()));

      expect(decodeText("logs", record(`"severityText":${print(text)}`))).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test("decodeJsonRequest() reads text of every length around the limits of its lengths and words", () => {
  const lengths = [
    ...Array.from({ length: 270 }, (_, index) => index + 1),
    4095,
    4096,
    4097,
    8192,
    16_383,
    16_384,
    16_390,
  ];
  for (const length of lengths) {
    for (const end of ["", "\\n", "é", '\\"tail']) {
      const text = "x".repeat(length);
      const value = `"severityText":"${text}${end}"`;

      expect(decodeText("logs", record(value)), `${length} ${end}`).toEqual(
        logs(lengthField(3, text + (end === "é" ? end : (JSON.parse(`"${end}"`) as string)))),
      );
    }
  }
});

/** Whether the engine's own readers accept a document. */
function isReadable(document: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(document));
    return true;
  } catch {
    return false;
  }
}

const PLACES: readonly (readonly [string, string])[] = [
  ['{"resourceLogs":[{"schemaUrl":"', '"}]}'],
  ['{"resourceLogs":[{"unknown":"', '"}]}'],
  ['{"unknown":[{"', '":1}]}'],
  ['{"resourceLogs":[{"resource":{"entityRefs":[{"idKeys":["a","', '"]}]}}]}'],
];

test("decodeJsonRequest() accepts exactly the bytes in strings that UTF-8 and JSON allow", () => {
  const byte = fc.oneof(
    fc.nat({ max: 255 }),
    fc.constantFrom(0x61, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xa0, 0xf0, 0xf4, 0x90, 0x22, 0x5c, 0x1f, 0x7f),
  );
  const bytes = fc.oneof(fc.array(byte, { maxLength: 8 }), fc.array(byte, { maxLength: 200 }));
  const text = fc.oneof(
    bytes.map((values) => Uint8Array.from(values)),
    fc
      .tuple(fc.string({ unit: "binary" }), bytes)
      .map(([valid, end]) => joinBytes([encode(valid), Uint8Array.from(end)])),
  );
  fc.assert(
    fc.property(fc.constantFrom(...PLACES), text, ([before, after], inside) => {
      const document = joinBytes([encode(before), inside, encode(after)]);
      const kind = toKind(() => decodeJsonRequest("logs", document));

      expect(kind).toBe(isReadable(document) ? "nothing thrown" : "invalid_request");
    }),
    { numRuns: 3000 },
  );
});

test("decodeJsonRequest() refuses a document that is cut anywhere", () => {
  const document = encode(
    record(
      '"severityText":"a\\u00e9\\n","timeUnixNano":"1544712660300000001","body":{"doubleValue":-1.5e-3},"flags":1',
    ),
  );
  for (let length = 1; length < document.length; length++) {
    expect(
      toKind(() => decodeJsonRequest("logs", document.slice(0, length))),
      `${length}`,
    ).toBe("invalid_request");
  }
});
