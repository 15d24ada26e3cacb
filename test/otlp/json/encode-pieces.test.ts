/** Singular messages that are sent in several pieces, which protobuf merges (otlp-http 6). */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeJsonRequest } from "../../../src/otlp/json/encode.ts";
import { lengthField } from "../wire-builder.ts";

const attribute = (key: string): readonly number[] => lengthField(1, lengthField(1, key));

test("encodeJsonRequest() joins the pieces of a message, empty ones among them", () => {
  const key = fc.constantFrom("a", "bc", "def");
  fc.assert(
    fc.property(fc.array(fc.array(key, { maxLength: 2 }), { maxLength: 6 }), (pieces) => {
      const resource = pieces.flatMap((keys) => lengthField(1, keys.flatMap(attribute)));
      const text = new TextDecoder().decode(encodeJsonRequest("logs", Uint8Array.from(lengthField(1, resource))));
      const attributes = pieces.flat().map((name) => ({ key: name, value: {} }));

      const expected = attributes.length === 0 ? {} : { attributes };
      expect(JSON.parse(text)).toEqual({ resourceLogs: [{ resource: expected }] });
    }),
  );
});
