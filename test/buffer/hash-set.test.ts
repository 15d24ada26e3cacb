import { describe, expect, it } from "vitest";
import { encodeEntries } from "../../src/buffer/entries.ts";
import { openHashFilter, openHashTable } from "../../src/buffer/hash-set.ts";

/** Distinct 16-byte values, spread like digests. */
function makeHashes(count: number, salt: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const hash = new Uint8Array(16);
    const view = new DataView(hash.buffer);
    for (let word = 0; word < 4; word += 1) {
      view.setUint32(word * 4, Math.imul(index + 1, 0x9e3779b1 + 2 * (word + salt)) ^ (index >>> (word + 1)));
    }
    return hash;
  });
}

describe("openHashTable()", () => {
  it("finds all of 20,000 hashes with their counts and none that was not added", () => {
    const table = openHashTable();
    const added = makeHashes(20_000, 1);
    added.forEach((hash, index) => table.add({ hash, itemCount: index + 1, rejectedCount: index % 7 }));

    const wrong = added.filter((hash, index) => {
      const found = table.get(hash);
      return found?.itemCount !== index + 1 || found.rejectedCount !== index % 7;
    });
    expect(wrong.length).toBe(0);
    expect(makeHashes(20_000, 99).filter((hash) => table.get(hash) !== null).length).toBe(0);
    expect(table.size).toBe(20_000);
  });

  it("keeps the counts of the first when a hash is added again", () => {
    const table = openHashTable();
    const hash = new Uint8Array(16).fill(3);

    table.add({ hash, itemCount: 5, rejectedCount: 1 });
    table.add({ hash, itemCount: 9, rejectedCount: 2 });

    expect(table.get(hash)).toEqual({ itemCount: 5, rejectedCount: 1 });
    expect(table.size).toBe(1);
  });

  it("packs what it holds, and takes packed entries in again", () => {
    const table = openHashTable();
    const added = makeHashes(1000, 4);
    added.forEach((hash, index) => table.add({ hash, itemCount: index + 1, rejectedCount: 3 }));
    const again = openHashTable();

    again.addPacked(table.pack());

    expect(again.size).toBe(1000);
    const wrong = added.filter((hash, index) => again.get(hash)?.itemCount !== index + 1);
    expect(wrong.length).toBe(0);
  });
});

describe("openHashFilter()", () => {
  it("never denies a hash that was added, and rarely claims one that was not", () => {
    const filter = openHashFilter(20_000);
    const added = makeRandom(20_000);
    filter.addPacked(encodeEntries(added.map((hash) => ({ hash, itemCount: 1, rejectedCount: 0, memberBytes: 0 }))));

    expect(added.every((hash) => filter.has(hash))).toBe(true);
    expect(makeRandom(20_000).filter((hash) => filter.has(hash)).length).toBeLessThan(60);
  });
});

function makeRandom(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => crypto.getRandomValues(new Uint8Array(16)));
}
