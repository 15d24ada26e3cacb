import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { KeySort } from "../../src/otlp/key-sort.ts";

function sort(list: KeySort, keys: readonly number[]): readonly number[] {
  list.clear();
  keys.forEach((key, index) => list.add(key, 10 * index));
  list.sort();
  return Array.from({ length: list.length }, (_, index) => list.valueAt(index) / 10);
}

/** Places in the order of their keys, those of one key as they came. */
function expected(keys: readonly number[]): readonly number[] {
  return keys
    .map((key, index) => ({ key: key >>> 0, index }))
    .toSorted((left, right) => left.key - right.key || left.index - right.index)
    .map(({ index }) => index);
}

test("KeySort.sort() sorts by unsigned keys and keeps the order of those that are equal", () => {
  const list = new KeySort();
  assert(
    property(array(integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 200 }), (keys) => {
      expect(sort(list, keys)).toEqual(expected(keys));
    }),
  );
  assert(
    property(array(integer({ min: 0, max: 3 }), { maxLength: 100 }), (keys) => {
      expect(sort(list, keys)).toEqual(expected(keys));
    }),
  );
});

test("KeySort.sort() leaves what is in order as it is", () => {
  const list = new KeySort();

  expect(sort(list, [0, 0, 5, 5, 0xffff_ffff])).toEqual([0, 1, 2, 3, 4]);
  expect(sort(list, [])).toEqual([]);
});

test("KeySort.sort() sorts more values than a double has places for in runs", () => {
  const list = new KeySort();
  const run = 2 ** 21;
  for (let index = 0; index < run + 3; index += 1) list.add(index === 0 ? 9 : (index * 7) % 5, index);
  list.sort();

  expect(list.valueAt(run - 1)).toBe(0);
  expect([0, 1, 2].map((offset) => list.valueAt(run + offset) - run).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
});
