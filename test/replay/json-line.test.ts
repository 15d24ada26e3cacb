import * as fc from "fast-check";
import { expect, test } from "vitest";
import { toJsonLine } from "../../src/replay/json-line.ts";

const toLine = (text: string): string =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(toJsonLine(new TextEncoder().encode(text)));

test.each([
  ["{}", "{}"],
  ['{ "a" : 1 }\n', '{ "a" : 1 }'],
  ["\uFEFF {}\r\n", "{}"],
  ['{\n  "a": [1,\t2]\n}', '{"a":[1,2]}'],
  ['{"a":"x y\\n\\"{ }\\\\"\n}', '{"a":"x y\\n\\"{ }\\\\"}'],
  ['{"a"\r:"\u2028 \u00e4"}', '{"a":"\u2028 \u00e4"}'],
])("toJsonLine() makes %j %j", (document, line) => {
  expect(toLine(document)).toBe(line);
});

test("toJsonLine() makes one line of the same meaning of any document, however it is indented", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom("", " ", "\t", "\r\n", " \n"), (value, indent) => {
      const line = toLine(JSON.stringify({ value }, null, indent) + indent);

      expect(line).not.toMatch(/[\r\n]/);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify({ value })));
    }),
    { numRuns: 500 },
  );
});

test("toJsonLine() changes nothing inside of a document without line breaks, numbers included", () => {
  const document = '{"x": 1.50e+01, "big":12345678901234567890 , "unknown" : [ ] }';

  expect(toLine(document)).toBe(document);
});
