import { array, assert, integer, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeTraceIndex,
  findInPages,
  placeOfPages,
  planPages,
  shapeOfTraceIndex,
  type TraceIndexShape,
} from "../../src/archive/trace-index.ts";
import { TRACE_INDEX_MAX_ENTRIES } from "../../src/limits.ts";

interface Made {
  readonly file: Uint8Array;
  readonly shape: TraceIndexShape;
}

function make(members: readonly (readonly number[])[]): Made {
  const encoded = encodeTraceIndex(members.map((hashes) => Uint32Array.from(hashes)));
  if (encoded === null) throw new Error("there are too many entries");
  const { file, count } = encoded;
  return { file, shape: shapeOfTraceIndex({ sizeBytes: file.length, count, memberCount: members.length }) };
}

/** Looks an id up as a reader does. @returns the members, and bytes of each read */
function lookUp({ file, shape }: Made, hash: number): { readonly members: number[]; readonly reads: number[] } {
  const reads: number[] = [];
  for (let attempt = 0; ; attempt += 1) {
    const pages = planPages(shape, hash, attempt);
    const { offset, length } = placeOfPages(shape, pages);
    reads.push(length);
    const found = findInPages(shape, pages, file.subarray(offset, offset + length), hash);
    if (found !== null) return { members: [...found].toSorted((left, right) => left - right), reads };
  }
}

/** Spread like hashes, the same each time. */
function spread(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (Math.imul(state ^ (state >>> 15), 0x85eb_ca6b) ^ state) >>> 0;
  });
}

/** As many members, each with its number as the hash. */
const many = (count: number): Made => make(Array.from({ length: count }, (_, member) => [member]));

describe("encodeTraceIndex()", () => {
  it("is pinned", () => {
    expect(make([[0xffff_ffff, 0x0102_0304], [], [0x0102_0399, 0x0102_0388]]).file.toHex()).toBe(
      "464e54490103010100000003700cc4540102030001020302ffffff0007f377d5",
    );
  });

  it("has a header alone where there are no traces", () => {
    const { file, shape } = make([[], []]);
    expect([file.length, shape.count, shape.pageCount]).toEqual([16, 0, 0]);
    expect(lookUp({ file, shape }, 5)).toMatchObject({ members: [] });
  });

  it("refuses more entries than it is made for", () => {
    expect(encodeTraceIndex([new Uint32Array(TRACE_INDEX_MAX_ENTRIES + 1)])).toBeNull();
  });

  it("takes two bytes a member only for the 257th", () => {
    expect(many(256).shape).toMatchObject({ memberBytes: 1, hashBytes: 3 });
    expect(many(257).shape).toMatchObject({ memberBytes: 2, hashBytes: 3 });
    expect(lookUp(many(257), 256 * 3).members).toEqual([]);
    expect(lookUp(many(257), 0).members).toContain(255);
    expect(lookUp(many(257), 256).members).toEqual([256]);
  });
});

describe("findInPages() finds every member of an id, and others of a like hash only", () => {
  it("among few", () => {
    const hash = integer({ min: 0, max: 2 ** 32 - 1 });
    const near = tuple(integer({ min: 0, max: 9 }), integer({ min: 0, max: 300 })).map(
      ([high, low]) => high * 2 ** 8 + low,
    );
    assert(
      property(
        array(array(hash, { maxLength: 40 }), { minLength: 1, maxLength: 9 }),
        array(near),
        (members, nearOnes) => {
          const all = [...members, nearOnes];
          const made = make(all);
          for (const wanted of [...all.flat(), 77]) {
            const expected = all.flatMap((own, member) =>
              own.some((each) => each >>> 8 === wanted >>> 8) ? [member] : [],
            );
            expect(lookUp(made, wanted).members).toEqual(expected);
          }
        },
      ),
    );
  });

  it.each([
    [3000, 3],
    [60_000, 3],
    [200_000, 4],
  ])("among %d, with one read of a few pages", (count, hashBytes) => {
    const members = [spread(count / 2, 7), spread(count / 2, 9)];
    const made = make(members);
    expect(made.shape.hashBytes).toBe(hashBytes);
    let readCount = 0;
    const looked = members[0]?.filter((_, index) => index % 97 === 0) ?? [];
    for (const wanted of looked) {
      const { members: found, reads } = lookUp(made, wanted);
      expect(found).toContain(0);
      expect(reads[0]).toBeLessThanOrEqual(2 * 1.5 * Math.sqrt(count) * 5 + 2 * 2600);
      readCount += reads.length;
    }
    expect(readCount).toBeLessThan(looked.length * 1.02);
  });

  it("where all hashes are alike, at the price of more reads", () => {
    const crowded = Array.from({ length: 20_000 }, (_, index) => 5 * 2 ** 8 + index * 2 ** 8);
    const made = make([crowded, spread(9000, 3)]);
    for (const wanted of [5 * 2 ** 8, 20_004 * 2 ** 8, 10_000 * 2 ** 8])
      expect(lookUp(made, wanted).members).toContain(0);
    expect(lookUp(made, 4 * 2 ** 8).members).toEqual([]);
  });

  it("at both ends of the hashes", () => {
    const made = make([spread(50_000, 11), [0, 0xffff_ffff]]);
    expect(lookUp(made, 0).members).toContain(1);
    expect(lookUp(made, 0xffff_ffff).members).toContain(1);
  });

  it("or says that a page is damaged, whatever byte of it", () => {
    const { file, shape } = make([[1, 2 ** 20, 2 ** 28], [2 ** 31]]);
    for (let at = 16; at < file.length; at += 1) {
      const damaged = file.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 4;
      expect(() => lookUp({ file: damaged, shape }, 2 ** 28)).toThrow(
        expect.objectContaining({ kind: "corrupt_object" }),
      );
    }
  });
});

it("shapeOfTraceIndex() refuses a size that no index has", () => {
  expect(() => shapeOfTraceIndex({ sizeBytes: 33, count: 3, memberCount: 3 })).toThrow(
    expect.objectContaining({ kind: "corrupt_object" }),
  );
});
