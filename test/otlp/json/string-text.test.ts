/** Strings of JSON against `JSON.stringify`, wherever in the source they lie and whatever room the output has. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "../../../src/otlp/byte-writer.ts";
import { toWordSource } from "../../../src/otlp/json/plain-run.ts";
import { writeString } from "../../../src/otlp/json/string-text.ts";

const MAX_BYTES = 100_000;
const RUNS = { numRuns: 5000 };
const PLAIN = fc.string({
  unit: fc.constantFrom("a", "Z", " ", "0", "/", "<", ">", "&", "'", "~", "\u007f"),
  maxLength: 40,
});
const SPECIAL = fc.string({
  unit: fc.constantFrom('"', "\\", "\n", "\r", "\t", "\b", "\f", "\0", "\u001f", "é", "€", "😀", "\u2028", "\ufffd"),
  maxLength: 30,
});
const TEXT = fc.array(fc.tuple(PLAIN, SPECIAL), { maxLength: 6 }).map((parts) => parts.flat().join(""));

/** Writes a text that lies between others, into an output that begins with that much room. */
function write(text: Uint8Array, before: number, behind: number, room: number): string {
  const bytes = new Uint8Array(before + text.length + behind).fill(0x22);
  bytes.set(text, before);
  const output = new ByteWriter(room, MAX_BYTES);
  writeString(output, toWordSource(bytes), before, before + text.length);
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(output.toBytes());
}

/** pdata has no short escapes for these two. */
function expected(text: string): string {
  return JSON.stringify(text)
    .replaceAll(/(?<!\\)((?:\\\\)*)\\b/g, "$1\\u0008")
    .replaceAll(/(?<!\\)((?:\\\\)*)\\f/g, "$1\\u000c");
}

test("writeString() escapes what JSON.stringify() does", () => {
  const few = fc.integer({ min: 0, max: 8 });
  fc.assert(
    fc.property(TEXT, few, few, fc.integer({ min: 1, max: 300 }), (text, before, behind, room) => {
      const written = write(new TextEncoder().encode(text), before, behind, room);

      expect(written).toBe(expected(text));
      expect(JSON.parse(written)).toBe(text);
    }),
    RUNS,
  );
});

test("writeString() puts U+FFFD for bytes that are no UTF-8, as TextDecoder does", () => {
  fc.assert(
    fc.property(TEXT, fc.uint8Array({ maxLength: 12 }), TEXT, (first, bytes, last) => {
      const encoder = new TextEncoder();
      const text = Uint8Array.from([...encoder.encode(first), ...bytes, ...encoder.encode(last)]);

      const written = write(text, 0, 0, 1);

      expect(JSON.parse(written)).toBe(new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(text));
    }),
    RUNS,
  );
});
