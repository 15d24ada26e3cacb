import * as fc from "fast-check";
import { test } from "vitest";
import { compareKeys } from "../../src/reader/key-order.ts";

const compareBytes = (left: string, right: string): number => {
  const [a, b] = [new TextEncoder().encode(left), new TextEncoder().encode(right)];
  for (let at = 0; at < Math.min(a.length, b.length); at++) if (a[at] !== b[at]) return (a[at] ?? 0) - (b[at] ?? 0);
  return a.length - b.length;
};

test("compareKeys() orders as the UTF-8 bytes do", () => {
  const key = fc.string({ unit: fc.constantFrom("a", "z", "/", "=", "é", "\ud7ff", "\ue000", "\uffff", "😀") });

  fc.assert(
    fc.property(
      key,
      key,
      (left, right) => Math.sign(compareKeys(left, right)) === Math.sign(compareBytes(left, right)),
    ),
  );
});
