/** What writers of JSON and protobuf rely on; the forms of single values are in the tests of their codecs. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter, toConstantText } from "../../src/otlp/byte-writer.ts";
import { toKind } from "./json/document-sample.ts";

const MAX_BYTES = 1000;
const ASCII = fc.string({ unit: "binary-ascii", maxLength: 40 });

test("text() appends constants of any length one behind the other", () => {
  fc.assert(
    fc.property(fc.array(ASCII, { maxLength: 10 }), (texts) => {
      const output = new ByteWriter(1, MAX_BYTES);
      for (const text of texts) output.text(toConstantText(text));

      expect(new TextDecoder().decode(output.toBytes())).toBe(texts.join(""));
    }),
  );
});

test("finish() gives what was written in a buffer without spare room", () => {
  const output = new ByteWriter(100, MAX_BYTES);
  output.append(Uint8Array.of(1, 2, 3));

  const bytes = output.finish();

  expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
  expect(bytes.buffer.byteLength).toBe(3);
});

test("reserve() grows up to the limit and no further", () => {
  const output = new ByteWriter(1, 10);
  output.append(new Uint8Array(10));

  expect(output.capacity).toBe(10);
  expect(toKind(() => output.byte(0))).toBe("too_large");
});
