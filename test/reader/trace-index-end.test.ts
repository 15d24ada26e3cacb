import { expect, test } from "vitest";
import { encodeTraceIndex } from "../../src/archive/trace-index.ts";
import { openMemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { askListedIndex, type AskedIndex } from "../../src/reader/trace-index.ts";
import { openUsage } from "../../src/reader/usage.ts";

const COUNT = 200_000;
const STEP = Math.floor(2 ** 32 / (COUNT + 2));
const HASHES = Uint32Array.from({ length: COUNT }, (_, index) => (index + 1) * STEP);

interface Asked {
  readonly answer: AskedIndex | null;
  /** Of each call. */
  readonly lengths: readonly number[];
}

async function ask(file: Uint8Array, hash: number): Promise<Asked> {
  const store = openMemoryStore();
  store.objects.set("index", { bytes: file, contentType: "", sha256Hex: null });
  const [info] = (await store.list({ prefix: "" })).objects;
  if (info === undefined) throw new Error("it is not listed");
  const lengths: number[] = [];
  const watched = {
    ...store,
    get: async (...[key, options]: Parameters<typeof store.get>) => {
      lengths.push(options?.range?.length ?? file.length);
      return store.get(key, options);
    },
  };
  return { answer: await askListedIndex(info, hash, { store: watched, usage: openUsage() }), lengths };
}

const file = encodeTraceIndex([HASHES])?.file ?? new Uint8Array(0);

test.each([
  ["behind the last entry", 2 ** 32 - 1, 0, 2],
  ["the last entry", HASHES.at(-1) ?? 0, 1, 2],
  ["before the first entry", 0, 0, 1],
  ["in the middle", STEP * 100_000, 1, 1],
])("askListedIndex() reads little where an id is %s", async (_, hash, memberCount, callCount) => {
  const { answer, lengths } = await ask(file, hash);

  expect(answer?.members.size).toBe(memberCount);
  expect(lengths.length).toBe(callCount);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThan(file.length / 100);
});

test("askListedIndex() says nothing of an index that ends after a page, and reads little of it", async () => {
  const cut = file.subarray(0, 16 + 644 * Math.floor(file.length / 644 / 1.2));

  const { answer, lengths } = await ask(cut, HASHES.at(-1) ?? 0);

  expect(answer).toBeNull();
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThan(file.length / 100);
});
