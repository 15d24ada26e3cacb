import { array, assert, constantFrom, integer, property, record, type Arbitrary } from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeManifest, encodeManifest } from "../../src/archive/manifest.ts";
import {
  addSequence,
  countSequences,
  hasSequence,
  isSupersetOf,
  NO_SEQUENCES,
  toSequenceSet,
  uniteSequences,
  type SequenceKey,
  type SequenceSet,
} from "../../src/archive/sequence-ranges.ts";
import { SAMPLE_MANIFEST } from "./sample-manifest.ts";

/** Few and close, so that ranges adjoin, overlap and fill gaps. */
const KEYS: Arbitrary<SequenceKey> = record({
  shard: constantFrom(0, 1, 255),
  incarnation: constantFrom("00000000", "9f2c4e7a", "ffffffff"),
  sequence: integer({ min: 1, max: 12 }).map((sequence) => (sequence === 12 ? 2 ** 32 - 1 : sequence)),
});
const LISTS = array(KEYS, { maxLength: 60 });

describe("toSequenceSet()", () => {
  it("is pinned", () => {
    const keys = [44, 1, 3, 2, 2].map((sequence) => ({ shard: 1, incarnation: "9f2c4e7a", sequence }));

    expect(toSequenceSet([...keys, { shard: 0, incarnation: "ffffffff", sequence: 9 }])).toEqual([
      { shard: 0, incarnation: "ffffffff", ranges: [[9, 9]] },
      {
        shard: 1,
        incarnation: "9f2c4e7a",
        ranges: [
          [1, 3],
          [44, 44],
        ],
      },
    ]);
  });

  it("has exactly the objects that a Set has, and no other form for them", () => {
    assert(
      property(LISTS, LISTS, (keys, others) => {
        const set = toSequenceSet(keys);
        const model = new Set(keys.map(toText));

        expect(countSequences(set)).toBe(model.size);
        for (const key of [...keys, ...others]) expect(hasSequence(set, key)).toBe(model.has(toText(key)));
        expect(toSequenceSet(keys.toReversed())).toEqual(set);
        expect(keys.reduce(addSequence, NO_SEQUENCES)).toEqual(set);
      }),
    );
  });

  it("makes what a manifest takes", () => {
    assert(
      property(LISTS, (keys) => {
        const sources = toSequenceSet(keys);

        expect(decodeManifest(encodeManifest({ ...SAMPLE_MANIFEST, sources })).sources).toEqual(sources);
      }),
    );
  });
});

describe("uniteSequences() and isSupersetOf()", () => {
  it("agree with Sets", () => {
    assert(
      property(LISTS, LISTS, (left, right) => {
        const [leftSet, rightSet] = [toSequenceSet(left), toSequenceSet(right)];
        const union = uniteSequences(leftSet, rightSet);
        const model = new Set(left.map(toText));

        expect(union).toEqual(toSequenceSet([...left, ...right]));
        expect(isSupersetOf(union, leftSet) && isSupersetOf(union, rightSet)).toBe(true);
        expect(isSupersetOf(leftSet, rightSet)).toBe(right.every((key) => model.has(toText(key))));
      }),
    );
  });

  it("leave their arguments as they are", () => {
    const set = freeze(toSequenceSet([{ shard: 1, incarnation: "9f2c4e7a", sequence: 1 }]));

    addSequence(set, { shard: 1, incarnation: "9f2c4e7a", sequence: 2 });
    uniteSequences(set, set);

    expect(countSequences(set)).toBe(1);
  });

  it("find 2,000 sources of many incarnations in little time", () => {
    const keys = Array.from({ length: 2000 }, (_, index) => ({
      shard: index % 256,
      incarnation: (index % 997).toString(16).padStart(8, "0"),
      sequence: 1 + 2 * index,
    }));
    const set = toSequenceSet(keys);

    expect(keys.every((key) => hasSequence(set, key))).toBe(true);
    expect(isSupersetOf(uniteSequences(set, toSequenceSet(keys.slice(0, 999))), set)).toBe(true);
  });
});

function toText({ shard, incarnation, sequence }: SequenceKey): string {
  return `${shard}-${incarnation}-${sequence}`;
}

function freeze(set: SequenceSet): SequenceSet {
  for (const source of set) Object.freeze(Object.freeze(source).ranges);
  return Object.freeze(set);
}
