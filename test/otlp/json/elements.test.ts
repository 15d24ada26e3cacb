/** Elements inside their envelope are the document; where containers are cut is in `lines.test.ts`. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { joinBytes } from "../../../src/bytes.ts";
import { encodeJsonElements, openJsonElements } from "../../../src/otlp/json/elements.ts";
import { encodeJsonRequest } from "../../../src/otlp/json/encode.ts";
import { JSON_SEPARATOR, JSON_TAIL, jsonHead } from "../../../src/otlp/json/envelope.ts";
import { openJsonLines } from "../../../src/otlp/json/lines.ts";
import type { JsonCutter } from "../../../src/otlp/json/container-cutter.ts";
import { ITEM_SIGNALS } from "../../../src/signal.ts";
import { lengthField } from "../wire-builder.ts";

const NAME = fc.string({ maxLength: 30 }).map((name) => lengthField(1, lengthField(1, name)));
/** Items of the three signals differ in their fields, but none has one that all of them could not read. */
const ITEM = fc.boolean().map((isEmpty) => lengthField(2, isEmpty ? [] : lengthField(3, "x")));
const INSTRUMENTATION_SCOPE = fc
  .tuple(NAME, fc.array(ITEM, { maxLength: 6 }))
  .map(([name, items]) => lengthField(2, name, ...items));
const CONTAINER = fc
  .tuple(fc.array(INSTRUMENTATION_SCOPE, { maxLength: 4 }), fc.string({ maxLength: 20 }))
  .map(([scopes, schemaUrl]) => [...scopes.flat(), ...lengthField(3, schemaUrl)]);
const CONTAINERS = fc.array(CONTAINER, { minLength: 1, maxLength: 5 });
const SIGNAL = fc.constantFrom(...ITEM_SIGNALS);
const LINE_FEED = 0x0a;

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function cut(cutter: JsonCutter, containers: readonly (readonly number[])[]): string[] {
  const pieces = containers.flatMap((container) => Array.from(cutter.add(Uint8Array.from(container)), toText));
  return [...pieces, ...Array.from(cutter.end(), toText)];
}

test("encodeJsonElements() writes what stands between head and tail of the document", () => {
  fc.assert(
    fc.property(SIGNAL, CONTAINERS, (signal, containers) => {
      const body = Uint8Array.from(containers.flatMap((container) => lengthField(1, container)));

      const document = joinBytes([jsonHead(signal), encodeJsonElements(signal, body), JSON_TAIL]);

      expect(document).toEqual(joinBytes([encodeJsonRequest(signal, body), Uint8Array.of(LINE_FEED)]));
    }),
  );
});

test("encodeJsonElements() of two requests with a separator between are those of the joined request", () => {
  fc.assert(
    fc.property(SIGNAL, CONTAINERS, CONTAINERS, (signal, first, second) => {
      const [one, other] = [first, second].map((containers) =>
        Uint8Array.from(containers.flatMap((container) => lengthField(1, container))),
      ) as [Uint8Array, Uint8Array];

      expect(joinBytes([encodeJsonElements(signal, one), JSON_SEPARATOR, encodeJsonElements(signal, other)])).toEqual(
        encodeJsonElements(signal, joinBytes([one, other])),
      );
    }),
  );
});

test("encodeJsonElements() writes nothing for a request without containers", () => {
  expect(encodeJsonElements("traces", new Uint8Array(0))).toHaveLength(0);
  expect(encodeJsonElements("traces", Uint8Array.from(lengthField(7, "unknown")))).toHaveLength(0);
});

test("openJsonElements() yields runs that are lines without their envelope", () => {
  fc.assert(
    fc.property(SIGNAL, CONTAINERS, fc.integer({ min: 1, max: 400 }), (signal, containers, maxBytes) => {
      const head = toText(jsonHead(signal));
      const tail = toText(JSON_TAIL);
      const maxLineBytes = maxBytes + head.length + tail.length;

      const runs = cut(openJsonElements(signal, maxBytes), containers);

      expect(runs.map((run) => head + run + tail)).toEqual(cut(openJsonLines(signal, maxLineBytes), containers));
    }),
  );
});
