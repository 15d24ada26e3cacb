/** What the tests of Firn's own JSON documents share: texts with one fault, and decoders fed with noise. */
import { assert, integer, oneof, property, tuple, uint8Array, type Arbitrary } from "fast-check";
import { expect } from "vitest";
import { FirnError } from "../../src/errors.ts";

/** Replaces a part that stands in a text, once. */
export function replaceIn(text: string, part: string, wrong: string): string {
  expect(text).toContain(part);
  return text.replace(part, () => wrong);
}

/** Decodes a document's text. */
export function toDocumentText(encoded: Uint8Array): string {
  return new TextDecoder().decode(encoded);
}

/** Feeds a decoder with random bytes, and with a sound document in which bytes or values were changed. */
export function expectOnlyFirnErrors(decode: (encoded: Uint8Array) => unknown, sound: string): void {
  const noise = oneof(uint8Array({ maxLength: 200 }), damagedBytes(sound), damagedValues(sound));
  assert(
    property(noise, (encoded) => {
      try {
        decode(encoded);
      } catch (error) {
        expect(error).toBeInstanceOf(FirnError);
      }
    }),
    { numRuns: 2000 },
  );
}

function damagedBytes(sound: string): Arbitrary<Uint8Array> {
  const encoded = new TextEncoder().encode(sound);
  return tuple(integer({ min: 0, max: encoded.length - 1 }), integer({ min: 0, max: 255 })).map(([at, byte]) =>
    encoded.with(at, byte),
  );
}

/** Puts another value in the place of one that the document has. */
function damagedValues(sound: string): Arbitrary<Uint8Array> {
  const places = [...sound.matchAll(/(?<=[:[,])(?:"[^"]*"|\d+|null|true|false|\[\]|\{)/g)].map((match) => match);
  const values = ["null", "{}", "[]", '""', "-1", "1.5", "1e400", '"x"', "true", "[[]]", "[null]", '{"key":1}', "60"];
  return tuple(integer({ min: 0, max: places.length - 1 }), integer({ min: 0, max: values.length - 1 })).map(
    ([place, value]) => {
      const match = places[place];
      const start = match?.index ?? 0;
      const end = start + (match?.[0].length ?? 0);
      return new TextEncoder().encode(sound.slice(0, start) + (values[value] ?? "") + sound.slice(end));
    },
  );
}
