import { array, assert, integer, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeTraceIndex,
  findInPages,
  guessTraceIndexShape,
  placeOfPages,
  planPages,
  shapeOfTraceIndex,
  type TraceIndexShape,
} from "../../src/archive/trace-index.ts";
import { FirnError } from "../../src/errors.ts";
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

/** Looks an id up in what is left of an index, by its size alone. @returns `null` when it does not say */
function lookUpListed(file: Uint8Array, hash: number): number[] | null {
  const shape = guessTraceIndexShape(file.length);
  if (shape === null) return null;
  try {
    return lookUp({ file, shape }, hash).members;
  } catch (error) {
    if (error instanceof FirnError && error.kind === "corrupt_object") return null;
    throw error;
  }
}

describe("guessTraceIndexShape() and findInPages()", () => {
  it.each([
    [0, 1],
    [1, 1],
    [128, 3],
    [3000, 3],
    [60_000, 256],
    [65_537, 1],
    [200_000, 4],
  ])("find among %d entries of %d members what they find with the manifest", (count, memberCount) => {
    const hashes = spread(count, 7);
    const members = Array.from({ length: memberCount }, (_, member) =>
      hashes.filter((__, index) => index % memberCount === member),
    );
    const made = make(members);
    expect(guessTraceIndexShape(made.file.length)).toEqual({ ...made.shape, isGuessed: true });
    const wanted = [...hashes.filter((_, index) => index % 997 === 0), 0, 77, 2 ** 31, 2 ** 32 - 1];
    for (const hash of wanted) expect(lookUpListed(made.file, hash)).toEqual(lookUp(made, hash).members);
  });

  it("never take one of another layout for one of the size", () => {
    const wide = make(Array.from({ length: 300 }, (_, member) => spread(20, member + 1)));
    expect(wide.shape).toMatchObject({ hashBytes: 3, memberBytes: 2 });
    for (const hash of spread(20, 5))
      expect([null, lookUp(wide, hash).members]).toContainEqual(lookUpListed(wide.file, hash));
    const long = make([Array.from({ length: 66_560 }, (_, index) => index * 64_000)]);
    expect(guessTraceIndexShape(long.file.length)).toMatchObject({ hashBytes: 4, count: 66_560 });
    expect(guessTraceIndexShape(12)).toBeNull();
    expect(guessTraceIndexShape(18)).toBeNull();
  });

  it("never miss an id, whatever the widths of entries, where sizes of layouts are alike", () => {
    let alike = 0;
    assert(
      property(
        integer({ min: 257, max: 400 }),
        integer({ min: 1, max: 900 }),
        integer(),
        (memberCount, count, seed) => {
          const hashes = spread(count, seed);
          const members = Array.from({ length: memberCount }, (_, member) =>
            hashes.filter((__, index) => index % memberCount === member),
          );
          const made = make(members);
          const guessed = guessTraceIndexShape(made.file.length);
          if (guessed?.memberBytes !== made.shape.memberBytes) alike += 1;
          for (const hash of hashes.slice(0, 20))
            expect([null, lookUp(made, hash).members]).toContainEqual(lookUpListed(made.file, hash));
        },
      ),
    );
    expect(alike).toBeGreaterThan(5);
  });

  it("never miss an id because the file ends too early, wherever", () => {
    const hashes = spread(700, 3).toSorted((left, right) => left - right);
    const made = make([hashes]);
    const expected = new Map(hashes.map((hash) => [hash, lookUp(made, hash).members]));
    for (let length = 0; length < made.file.length; length += 1) {
      const cut = made.file.subarray(0, length);
      for (const hash of [hashes[3], hashes[350], hashes[640], hashes.at(-1)]) {
        expect([null, expected.get(hash ?? 0)]).toContainEqual(lookUpListed(cut, hash ?? 0));
      }
    }
  });
});
