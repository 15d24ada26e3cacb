import { describe, expect, test } from "vitest";
import { indexesFolder, manifestFolder } from "../../src/archive/firn-keys.ts";
import { hourListPrefix } from "../../src/archive/key.ts";
import { openMemoryStore, type MemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { openListedHours, type ListedHour } from "../../src/reader/listed-hours.ts";
import { openUsage } from "../../src/reader/usage.ts";
import { HOUR, millis, type Millis } from "../../src/units.ts";
import { HOUR_FORMAT, layoutOf, MINUTE_FORMAT } from "./archive-sample.ts";
import { openRandom } from "./facts-archive.ts";

const START = millis(Date.UTC(2026, 3, 29, 22));
const NOTHING = new Uint8Array(0);
type Layout = ReturnType<typeof layoutOf>;
const foldersOf = {
  manifests: (layout: Layout, hour: Millis) => manifestFolder(layout, "logs", hour),
  indexes: (layout: Layout, hour: Millis) => indexesFolder(layout, "logs", hour),
};
const LAYOUTS = [
  layoutOf({ format: MINUTE_FORMAT }),
  layoutOf({ format: HOUR_FORMAT, tenant: "acme" }),
  layoutOf({ format: "%Y%m%d/%H%M", prefix: "" }),
];

const put = ({ objects }: MemoryStore, key: string): unknown =>
  objects.set(key, { bytes: NOTHING, contentType: "", sha256Hex: null });

function keysIn(store: MemoryStore, prefix: string): readonly string[] {
  return [...store.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
}

const keysOf = (infos: readonly { readonly key: string }[] = []): readonly string[] => infos.map(({ key }) => key);

/** Hours with nothing, a little, and more than a page, of objects and of manifests; and keys of nobody between them. */
function fill(store: MemoryStore, layout: (typeof LAYOUTS)[number], random: () => number): readonly Millis[] {
  const hours = Array.from({ length: 60 }, (_, index) => millis(START + index * HOUR));
  const draw = (): number => [0, 0, 1, 3, 40, random() < 0.2 ? 1200 : 5][Math.floor(random() * 6)] ?? 0;
  for (const hour of hours) {
    const folders = [hourListPrefix, foldersOf.manifests, foldersOf.indexes].map((folderOf) => folderOf(layout, hour));
    for (const folder of folders) for (let count = draw(); count > 0; count -= 1) put(store, `${folder}${count}`);
    if (random() < 0.1) put(store, `${hourListPrefix(layout, hour).slice(0, -1)}~`);
  }
  put(store, `${hourListPrefix(layout, millis(START - HOUR))}1`);
  put(store, `${hourListPrefix(layout, millis(START + 60 * HOUR))}1`);
  return hours;
}

describe.each(LAYOUTS.map((layout) => ({ layout, format: layout.partition.freshPath.parts.length })))(
  "openListedHours() finds what each hour has, format of $format parts",
  ({ layout }) => {
    test.each([1, 2, 3, 4, 5])("archive %d", async (seed) => {
      const store = openMemoryStore();
      const hours = fill(store, layout, openRandom(seed));
      const end = millis(START + 60 * HOUR);
      const usage = openUsage();
      const listings = openListedHours({ store, layout, usage }, { signal: "logs", end, wantsIndexes: true });
      const found = new Map<Millis, ListedHour | null>();
      for (let from: Millis = START; from < end;) {
        const { hour, listed } = await listings.find(from);
        if (hour < end) found.set(hour, listed);
        from = millis(hour + HOUR);
      }
      let crowded = 0;
      let unknown = 0;
      for (const hour of hours) {
        const objects = keysIn(store, hourListPrefix(layout, hour));
        const manifests = keysIn(store, foldersOf.manifests(layout, hour));
        const indexes = keysIn(store, foldersOf.indexes(layout, hour));
        const listed = found.get(hour);
        if (listed === null) {
          crowded += 1;
          expect(Math.max(objects.length, manifests.length)).toBeGreaterThan(900);
          continue;
        }
        expect(keysOf(listed?.objects)).toEqual(objects);
        expect(keysOf(listed?.manifests)).toEqual(manifests);
        if (listed?.indexes === null) unknown += 1;
        else if (listed !== undefined) expect(keysOf(listed.indexes)).toEqual(indexes);
      }
      expect(usage.storeCalls).toBeLessThanOrEqual(3 * (2 + Math.ceil(store.objects.size / 450) + crowded));
      expect(unknown).toBeLessThan(found.size / 2);
    });
  },
);

test("openListedHours() lists objects, then manifests, then indexes, whatever pages they stand on", async () => {
  const store = openMemoryStore();
  const [layout = layoutOf()] = LAYOUTS;
  fill(store, layout, openRandom(9));
  const asked: string[] = [];
  const watched = {
    ...store,
    list: (request: Parameters<typeof store.list>[0]) => {
      asked.push(/_firn\/(manifests|indexes)\//.exec(request.prefix)?.[1] ?? "objects");
      return store.list(request);
    },
  };
  const end = millis(START + 60 * HOUR);
  const listings = openListedHours(
    { store: watched, layout, usage: openUsage() },
    { signal: "logs", end, wantsIndexes: true },
  );
  for (let from: Millis = START; from < end;) from = millis((await listings.find(from)).hour + HOUR);
  expect(asked.length).toBeGreaterThan(4);
  expect(asked).toContain("indexes");
  // Manifests are never asked for twice in a row: what is told of an hour comes from the objects just before them.
  asked.forEach((what, index) => {
    if (what === "manifests") expect(asked[index - 1]).toBe("objects");
    if (what === "indexes") expect(asked[index - 1]).toBe("manifests");
  });
});

test.each(["indexes", "manifests", "objects"])("openListedHours() refuses %s that are listed twice", async (what) => {
  const store = openMemoryStore();
  const layout = layoutOf();
  const hours = [0, 1, 2, 3].map((index) => millis(START + index * HOUR));
  for (const hour of hours) {
    const folders = [hourListPrefix, foldersOf.manifests, foldersOf.indexes].map((folderOf) => folderOf(layout, hour));
    for (const folder of folders) for (const name of ["1", "2"]) put(store, `${folder}${name}`);
  }
  const doubling = {
    ...store,
    list: async (request: Parameters<typeof store.list>[0]) => {
      const page = await store.list(request);
      const folder = /_firn\/(manifests|indexes)\//.exec(request.prefix)?.[1] ?? "objects";
      return folder === what ? { ...page, objects: page.objects.flatMap((info) => [info, info]) } : page;
    },
  };
  const end = millis(START + 4 * HOUR);
  const listings = openListedHours(
    { store: doubling, layout, usage: openUsage() },
    { signal: "logs", end, wantsIndexes: true },
  );
  await expect(listings.find(START)).rejects.toMatchObject({ kind: "store_unavailable" });
});
