import * as fc from "fast-check";
import { expect, test } from "vitest";
import { countOwnItems } from "../../src/otlp/own-items.ts";
import { walkRequest } from "../../src/otlp/wire/walk.ts";
import { request } from "../reader/otlp-sample.ts";
import { lengthField, span, varintField } from "./wire-builder.ts";

const SIGNALS = ["traces", "logs"] as const;

function walked(signal: (typeof SIGNALS)[number], field: Uint8Array): number | null {
  const walk = walkRequest(signal, field);
  return walk.kind === "sound" ? walk.itemCount : null;
}

const isOdd = (bytes: Iterable<number>): boolean => countOwnItems("traces", Uint8Array.from(bytes)) === null;

test.each(SIGNALS)("countOwnItems() counts %s as a walk does", (signal) => {
  for (const count of [0, 1, 2, 127, 128, 1000]) {
    const names = Array.from({ length: count }, (_, index) => `n-${index}-${"x".repeat(index % 300)}`);

    expect(countOwnItems(signal, request(signal, names))).toBe(count);
  }
});

test("countOwnItems() passes over what is no scope and no item", () => {
  const scope = lengthField(2, lengthField(1, lengthField(1, "name")), lengthField(2, span()), lengthField(3, "url"));
  const field = Uint8Array.from(lengthField(1, lengthField(1), scope, lengthField(3, "url"), scope));

  expect(countOwnItems("traces", field)).toBe(2);
});

test("countOwnItems() leaves metrics, other forms and what does not add up to a walk", () => {
  const field = request("traces", ["n-1"]);

  expect(countOwnItems("metrics", request("metrics", ["n-1"]))).toBeNull();
  expect(isOdd(lengthField(1, lengthField(2, varintField(9, 1))))).toBe(true);
  expect(isOdd(lengthField(4, "x"))).toBe(true);
  for (let end = 0; end < field.length; end += 1) {
    const cut = field.slice(0, end);
    expect(countOwnItems("traces", cut)).toBeNull();
  }
});

test.each(SIGNALS)("countOwnItems() never says something else than a walk of sound %s", (signal) => {
  const names = fc.array(fc.string({ maxLength: 20 }), { maxLength: 6 });
  const change = fc.record({ at: fc.nat({ max: 400 }), byte: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(names, change, (texts, { at, byte }) => {
      const field = request(signal, texts);
      if (at < field.length) field[at] = byte;
      const sound = walked(signal, field);
      const found = countOwnItems(signal, field);

      expect(sound === null || found === null || found === sound).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
