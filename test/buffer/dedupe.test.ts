import { describe, expect, it } from "vitest";
import { loadDedupeIndex, openDedupeIndex, recall, remember } from "../../src/buffer/dedupe.ts";
import { encodeEntries } from "../../src/buffer/entries.ts";
import { findInSlice, insertHashRows, readSlice } from "../../src/buffer/hash-rows.ts";
import { DEDUPE_FILTER_MAX_BYTES, DEDUPE_INDEX_MAX_ENTRIES } from "../../src/limits.ts";
import { withShard } from "./shard-kit.ts";

const WINDOW = 3_600_000;
const SLICE = 600_000;

function makeHashes(count: number): Uint8Array[] {
  const random = crypto.getRandomValues(new Uint8Array(Math.min(65_536, count * 16)));
  return Array.from({ length: count }, (_, index) => {
    const hash = random.slice((index * 16) % 65_536, ((index * 16) % 65_536) + 16);
    new DataView(hash.buffer).setUint32(8, Math.imul(index + 1, 0x9e3779b1));
    return hash;
  });
}

function pack(hashes: readonly Uint8Array[]): Uint8Array {
  return encodeEntries(hashes.map((hash) => ({ hash, itemCount: 2, rejectedCount: 1, memberBytes: 9 })));
}

describe("loadDedupeIndex()", () => {
  it("knows newest hashes exactly and keeps one filter a slice for the others", { timeout: 60_000 }, async () => {
    await withShard(async ({ storage, now }) => {
      const newest = Math.floor(now / SLICE);
      const [exact, filtered, older] = [makeHashes(DEDUPE_INDEX_MAX_ENTRIES), makeHashes(5000), makeHashes(3000)];
      insertHashRows(storage, () => undefined, newest, pack(exact));
      insertHashRows(storage, () => undefined, newest - 1, pack(filtered));
      insertHashRows(storage, () => undefined, newest - 2, pack(older));
      const index = openDedupeIndex(WINDOW);

      loadDedupeIndex(index, storage, [], now);

      expect(index.slices.map(({ filters }) => filters.length)).toEqual([0, 1, 1]);
      for (const hash of [exact[7], filtered[7], older[7]]) {
        expect(recall(index, storage, [], hash ?? new Uint8Array(16))).toMatchObject({
          itemCount: 2,
          rejectedCount: 1,
        });
      }
      expect(recall(index, storage, [], new Uint8Array(16))).toBeNull();
    });
  });

  it("leaves out what lies before the window", async () => {
    await withShard(async ({ storage, now }) => {
      const newest = Math.floor(now / SLICE);
      insertHashRows(storage, () => undefined, newest, pack(makeHashes(1)));
      insertHashRows(storage, () => undefined, newest - 9, pack(makeHashes(1)));
      const index = openDedupeIndex(WINDOW);

      loadDedupeIndex(index, storage, [], now);

      expect(index.slices.map(({ number }) => number)).toEqual([newest]);
      expect([...readSlice(storage, newest - 9)]).toEqual([]);
    });
  });
});

describe("remember()", () => {
  it("keeps memory bounded, and asks storage where not even filters have room", async () => {
    await withShard(async ({ storage, now }) => {
      const index = openDedupeIndex(WINDOW);
      index.filterBytes = DEDUPE_FILTER_MAX_BYTES;
      index.tableEntries = DEDUPE_INDEX_MAX_ENTRIES;
      const [hash = new Uint8Array(16)] = makeHashes(1);
      insertHashRows(storage, () => undefined, Math.floor(now / SLICE), pack([hash]));

      remember(index, now, { hash, itemCount: 2, rejectedCount: 1, memberBytes: 9 });

      expect(index.slices[0]).toMatchObject({ isUnfiltered: true, filters: [] });
      expect(recall(index, storage, [], hash)?.itemCount).toBe(2);
    });
  });
});

describe("insertHashRows()", () => {
  it("sorts entries into rows of which a look-up reads one", async () => {
    await withShard(async ({ storage, now }) => {
      const slice = Math.floor(now / SLICE);
      const hashes = makeHashes(10_000);
      insertHashRows(storage, () => undefined, slice, pack(hashes));

      expect([...readSlice(storage, slice)].length).toBe(5);
      const probe = hashes[4321] ?? new Uint8Array(16);
      const query = `SELECT count(*) AS n FROM hashes_${slice} WHERE first <= ?1 AND last >= ?1`;
      expect(storage.sql.exec(query, probe).one()["n"]).toBe(1);
      expect(hashes.every((hash) => findInSlice(storage, slice, hash) !== null)).toBe(true);
    });
  });
});
