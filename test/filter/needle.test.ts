import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openSearch } from "../../src/filter/needle.ts";

const byte = fc.integer({ min: 0, max: 2 });
const needle = fc.uint8Array({ minLength: 1, maxLength: 5, max: 2 });

function standsIn(haystack: Uint8Array, sought: Uint8Array): boolean {
  return Array.from({ length: Math.max(0, haystack.length - sought.length + 1) }, (_, at) => at).some((at) =>
    sought.every((value, index) => haystack[at + index] === value),
  );
}

test("openSearch() finds any of its needles in ranges whose starts grow", () => {
  fc.assert(
    fc.property(
      fc.array(byte, { maxLength: 60 }),
      fc.array(needle, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(60), fc.nat(20)), { maxLength: 12 }),
      (content, needles, pairs) => {
        const bytes = Uint8Array.from(content);
        const search = openSearch(needles);
        search.open(bytes);
        for (const [start, length] of pairs.toSorted(([left], [right]) => left - right)) {
          const range = bytes.subarray(start, start + length);
          const end = Math.min(bytes.length, start + length);

          expect(search.isIn(start, end)).toBe(needles.some((each) => standsIn(range, each)));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("openSearch() finds a needle that is longer than its shifts can say", () => {
  const long = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
  const bytes = new Uint8Array(5000);
  bytes.set(long, 3777);
  const search = openSearch([long]);
  search.open(bytes);

  expect([search.isIn(0, 4776), search.isIn(100, 4777), search.isIn(3777, 5000), search.isIn(3778, 5000)]).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

test("openSearch() forgets what it found when other bytes are opened", () => {
  const search = openSearch([Uint8Array.of(7)]);
  search.open(Uint8Array.of(1, 7));
  const first = search.isIn(0, 2);
  search.open(Uint8Array.of(1, 1));

  expect([first, search.isIn(0, 2)]).toEqual([true, false]);
});
