import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packChunks, type PackedMember } from "../../src/buffer/chunks.ts";
import { ENTRY_BYTES } from "../../src/buffer/entries.ts";
import { CHUNK_MAX_BYTES } from "../../src/limits.ts";

const NOTHING = new Uint8Array(0);

function makeMember(length: number, seed: number, prefix: Uint8Array = NOTHING): PackedMember {
  const hash = new Uint8Array(16).fill(seed);
  return {
    entry: { hash, itemCount: seed + 1, rejectedCount: seed, memberBytes: length },
    prefix,
    member: new Uint8Array(length).fill(seed),
  };
}

const length = fc.oneof(
  fc.integer({ min: 1, max: 2000 }),
  fc.integer({ min: CHUNK_MAX_BYTES - 200, max: CHUNK_MAX_BYTES }),
  fc.integer({ min: 1_800_000, max: 6_000_000 }),
);
const members = fc
  .array(fc.tuple(length, fc.uint8Array({ maxLength: 60 })), { maxLength: 6 })
  .map((each) => each.map(([bytes, prefix], index) => makeMember(bytes, index, prefix)));

describe("packChunks()", () => {
  it("keeps bytes, order and entries, and no row exceeds the limit", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(members, async (packed) => {
        const rows = packChunks(packed, 7);

        expect(await digest(rows.map((row) => row.data))).toBe(
          await digest(packed.flatMap(({ prefix, member }) => [prefix, member])),
        );
        for (const row of rows) expect(row.data.length + row.entries.length).toBeLessThanOrEqual(CHUNK_MAX_BYTES);
        const counts: number[] = [];
        for (const { entries } of rows) counts.push(...itemCounts(entries));
        expect(counts).toEqual(packed.map(({ entry }) => entry.itemCount));
        expect(rows.reduce((sum, row) => sum + row.requestCount, 0)).toBe(packed.length);
      }),
      { numRuns: 25 },
    );
  });

  it("puts 64 members of 1.2 KB into one row", () => {
    const rows = packChunks(
      Array.from({ length: 64 }, (_, index) => makeMember(1200, index)),
      7,
    );

    expect(rows.length).toBe(1);
  });

  it("fills a row to its last byte and begins the next one after it", () => {
    const exact = packChunks([makeMember(CHUNK_MAX_BYTES - ENTRY_BYTES, 1)], 7);
    const over = packChunks([makeMember(CHUNK_MAX_BYTES - ENTRY_BYTES + 1, 1)], 7);

    expect(exact.map((row) => row.data.length)).toEqual([CHUNK_MAX_BYTES - ENTRY_BYTES]);
    expect(over.map((row) => row.data.length)).toEqual([CHUNK_MAX_BYTES - ENTRY_BYTES, 1]);
  });
});

/** A digest of the joined bytes: megabytes have no place in the output of an assertion. */
async function digest(pieces: readonly Uint8Array[]): Promise<string> {
  const joined = await new Blob([...pieces]).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined)).toHex();
}

function itemCounts(packed: Uint8Array): number[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  return Array.from({ length: packed.byteLength / ENTRY_BYTES }, (_, index) =>
    view.getUint32(index * ENTRY_BYTES + 16, true),
  );
}
