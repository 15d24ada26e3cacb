import { expect, test } from "vitest";
import type { GetOptions } from "../../src/object-store/contract.ts";
import { openChunks, planChunks, type MemberPlace } from "../../src/reader/hour-chunks.ts";
import { openUsage } from "../../src/reader/usage.ts";
import { bytes } from "../../src/units.ts";
import { openSyntheticStore } from "./synthetic-store.ts";

const places = (...lengths: readonly number[]): readonly MemberPlace[] =>
  lengths.map((storedBytes, index) => ({
    offset: 1000 + lengths.slice(0, index).reduce((sum, length) => sum + length, 0),
    storedBytes,
  }));

test("planChunks() puts as many members into a chunk as fit, one at least", () => {
  expect(planChunks(places(4, 6, 1, 20, 3, 3), bytes(10))).toEqual([
    { offset: 1000, length: 10, firstMember: 0 },
    { offset: 1010, length: 1, firstMember: 2 },
    { offset: 1011, length: 20, firstMember: 3 },
    { offset: 1031, length: 6, firstMember: 4 },
  ]);
  expect(planChunks([], bytes(10))).toEqual([]);
});

test("planChunks() begins another chunk behind a member that is passed over", () => {
  const [first, , third, fourth] = places(4, 2, 3, 3);
  if (first === undefined || third === undefined || fourth === undefined) throw new Error("there are four places");
  expect(planChunks([first, third, fourth], bytes(10))).toEqual([
    { offset: 1000, length: 4, firstMember: 0 },
    { offset: 1006, length: 6, firstMember: 1 },
  ]);
});

const OBJECT = Uint8Array.from({ length: 40 }, (_, index) => index);
const CHUNKS = [
  { offset: 10, length: 10, firstMember: 0 },
  { offset: 20, length: 10, firstMember: 1 },
  { offset: 30, length: 10, firstMember: 2 },
];

test("openChunks() fetches the next chunk while one is read, each once", async () => {
  const store = openSyntheticStore({ key: OBJECT });
  const usage = openUsage();
  const reader = openChunks({ store, key: "key", etag: null, chunks: CHUNKS, usage });

  await reader.prefetch();
  expect(store.calls).toEqual(["get key 10+10"]);
  expect(await reader.take(0)).toEqual(OBJECT.subarray(10, 20));
  await Promise.resolve();
  expect(store.calls).toEqual(["get key 10+10", "get key 20+10"]);
  expect(await reader.take(1)).toEqual(OBJECT.subarray(20, 30));
  expect(await reader.take(2)).toEqual(OBJECT.subarray(30, 40));

  expect(store.calls).toHaveLength(3);
  expect(usage).toMatchObject({ objectCount: 1, storedBytes: 30 });
  await reader.prefetch();
  expect(store.calls).toHaveLength(3);
});

test("openChunks() asks for the version that was listed", async () => {
  const options: unknown[] = [];
  const inner = openSyntheticStore({ key: OBJECT });
  const get = (key: string, asked?: GetOptions): Promise<ReadableStream<Uint8Array>> => {
    options.push(asked);
    return inner.get(key, asked);
  };
  const source = { store: { ...inner, get }, key: "key", chunks: CHUNKS, usage: openUsage() };

  await openChunks({ ...source, etag: "e-1" }).prefetch();
  await openChunks({ ...source, etag: null }).prefetch();

  const range = { offset: 10, length: 10 };
  expect(options).toEqual([{ range, ifMatch: "e-1" }, { range }]);
});

test("openChunks() fails where a chunk is taken, not where it was fetched ahead", async () => {
  const store = openSyntheticStore({ key: OBJECT });
  store.before = (call) => {
    if (call === "get key 20+10") throw new Error("gone");
  };
  const reader = openChunks({ store, key: "key", etag: null, chunks: CHUNKS, usage: openUsage() });

  expect(await reader.take(0)).toEqual(OBJECT.subarray(10, 20));
  await expect(reader.take(1)).rejects.toThrow("gone");
});

test("openChunks() fetches nothing any more once it is closed", async () => {
  const store = openSyntheticStore({ key: OBJECT });
  const reader = openChunks({ store, key: "key", etag: null, chunks: CHUNKS, usage: openUsage() });
  const taken = reader.take(0);
  await reader.close();
  await taken.catch(() => undefined);

  await reader.prefetch();

  expect(store.calls).toHaveLength(1);
  expect(store.openBodies()).toBe(0);
});
