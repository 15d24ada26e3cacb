/** Listings that do not end: each is an error with a sentence, and none a loop. */
import { expect, test } from "vitest";
import { formatClaimKey } from "../../src/archive/firn-keys.ts";
import { HOUR_MAX_MANIFEST_KEYS, LIST_MAX_EMPTY_PAGES, LIST_PAGE_KEYS } from "../../src/limits.ts";
import type { ListPage, ObjectStore } from "../../src/object-store/contract.ts";
import { openMemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { listAll, listHour, type ListingSource } from "../../src/reader/listing.ts";
import { readNewestManifest } from "../../src/reader/manifests.ts";
import { openHourSeek } from "../../src/reader/seek.ts";
import { openUsage } from "../../src/reader/usage.ts";
import { HOUR, millis } from "../../src/units.ts";
import { layoutOf } from "./archive-sample.ts";

const HOUR_14 = millis(Date.UTC(2026, 4, 1, 14));

/** A source whose listing is made page by page. */
function sourceOf(pageOf: (page: number) => ListPage): ListingSource {
  let pages = 0;
  const store: ObjectStore = { ...openMemoryStore(), list: async () => pageOf((pages += 1)) };
  return { store, layout: layoutOf(), usage: openUsage() };
}

async function drain(pages: AsyncGenerator): Promise<void> {
  for await (const page of pages) void page;
}

/** An object now and then. */
const objectAt = (page: number): ListPage["objects"] =>
  page % 500 === 0 ? [{ key: `key-${String(page).padStart(5, "0")}`, length: 1, etag: null, sha256Hex: null }] : [];

const endless = (page: number): ListPage => ({ objects: [], cursor: `cursor-${page % 2}` });

test("listHour() ends a listing whose empty pages lead from one to the other and back", async () => {
  const source = sourceOf(endless);

  await expect(drain(listHour(source, HOUR_14))).rejects.toMatchObject({
    kind: "store_unavailable",
    message: expect.stringContaining(`${LIST_MAX_EMPTY_PAGES + 1} pages without an object`),
  });
  expect(source.usage.storeCalls).toBe(LIST_MAX_EMPTY_PAGES + 1);
});

test("listAll() goes on over empty pages while objects come in between", async () => {
  const last = 2 * LIST_MAX_EMPTY_PAGES;
  const source = sourceOf((page) => ({ objects: objectAt(page), ...(page < last ? { cursor: `c${page}` } : {}) }));

  let count = 0;
  for await (const page of listAll(source, "key")) count += page.length;

  expect(count).toBe(4);
});

test("openHourSeek() ends a search that finds empty pages without end", async () => {
  const seek = openHourSeek(sourceOf(endless), []);

  await expect(seek({ first: HOUR_14, end: millis(HOUR_14 + 5 * HOUR) })).rejects.toMatchObject({
    kind: "store_unavailable",
  });
});

test("readNewestManifest() refuses an hour with more manifests and claims than one can have", async () => {
  const source = sourceOf((page) => ({
    objects: Array.from({ length: LIST_PAGE_KEYS }, (_, index) => ({
      key: formatClaimKey((page - 1) * LIST_PAGE_KEYS + index + 1, layoutOf(), "traces", HOUR_14),
      length: 1,
      etag: null,
      sha256Hex: null,
    })),
    cursor: `c${page}`,
  }));

  const read = readNewestManifest(source, { signal: "traces", hour: HOUR_14, known: null });

  await expect(read).rejects.toMatchObject({
    kind: "too_large",
    message: expect.stringContaining(`: it has more than ${HOUR_MAX_MANIFEST_KEYS} manifests and claims`),
  });
});
