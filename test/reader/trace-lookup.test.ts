/** A trace is looked up through the indexes; whatever is wrong with them costs reading, and never an item. */
import { describe, expect, test } from "vitest";
import { FirnError } from "../../src/errors.ts";
import type { ObjectStore } from "../../src/object-store/contract.ts";
import { NO_HINTS } from "../../src/reader/hints.ts";
import { HOUR, millis, MINUTE } from "../../src/units.ts";
import { HOUR_14, keysBelow, namesIn, newestManifest, openBucket, type Bucket } from "../compaction/bucket.ts";
import { readRequest, take, type Taken } from "./archive-sample.ts";
import { compactAll, putItems, type ItemFacts } from "./facts-archive.ts";

const WINDOW = { start: "2026-05-01T12:00:00Z", end: "2026-05-01T15:00:00Z" };

const traceOf = (number: number): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, at) => [7, number >> 8, number][at] ?? 0);

/** Three hours of traces, one a minute, each with a span a service. */
async function openTraces(): Promise<{ readonly bucket: Bucket; readonly items: readonly ItemFacts[] }> {
  const bucket = openBucket();
  const items: ItemFacts[] = [];
  for (let minute = 0; minute < 180; minute += 1) {
    const arrival = millis(HOUR_14 - 2 * HOUR + minute * MINUTE);
    const made = ["cart", "ad", "pay"].map((service, index) => ({
      name: `item-${minute}-${index}`,
      arrival,
      service,
      timeUnixNano: BigInt(arrival) * 1_000_000n,
      traceId: traceOf(minute + 1),
    }));
    putItems(bucket, arrival, made);
    items.push(...made);
  }
  await compactAll(bucket);
  return { bucket, items };
}

function lookUp({ layout }: Bucket, store: ObjectStore, traceId: Uint8Array): Promise<Taken> {
  return take(readRequest(WINDOW, { store, layout, hints: { ...NO_HINTS, traceId } }));
}

/** Says which keys were read. */
function watch(store: ObjectStore): { readonly store: ObjectStore; readonly got: string[] } {
  const got: string[] = [];
  const watched: ObjectStore = {
    ...store,
    get: (key, options) => {
      got.push(key);
      return store.get(key, options);
    },
  };
  return { store: watched, got };
}

describe("readWindow() with a trace id", () => {
  test("reads no output but the one that holds it, and of that one member", async () => {
    const { bucket, items } = await openTraces();
    const { store, got } = watch(bucket.store);
    const wanted = items[300];
    const { bytes, end } = await lookUp(bucket, store, wanted?.traceId ?? new Uint8Array(0));

    expect(namesIn(bytes)).toEqual(expect.arrayContaining(["item-100-0", "item-100-1", "item-100-2"]));
    const whole = await take(readRequest(WINDOW, { store: bucket.store, layout: bucket.layout }));
    expect(whole.itemCount).toBe(items.length);
    expect(end.usage.objectCount).toBe(1);
    expect(end.usage.rawBytes).toBeLessThan(whole.end.usage.rawBytes / 20);
    expect(got.filter((key) => key.includes("/traces_"))).toHaveLength(1);
    expect(got.filter((key) => key.endsWith(".trace"))).toHaveLength(newestOutputs(bucket));
  });

  test("reads no output where there is no such trace", async () => {
    const { bucket } = await openTraces();
    const { store, got } = watch(bucket.store);
    const { itemCount, end } = await lookUp(bucket, store, traceOf(5000));

    expect([itemCount, end.usage.objectCount]).toEqual([0, 0]);
    expect(got.filter((key) => key.includes("/traces_") || key.includes("/members/"))).toEqual([]);
  });

  test.each([
    ["is missing", (bucket: Bucket, key: string) => bucket.store.objects.delete(key)],
    ["has a wrong byte", (bucket: Bucket, key: string) => change(bucket, key, (file) => file.with(20, 0xee))],
    ["is cut short", (bucket: Bucket, key: string) => change(bucket, key, (file) => file.slice(0, 25))],
    ["is a header alone", (bucket: Bucket, key: string) => change(bucket, key, (file) => file.slice(0, 10))],
  ])("reads the outputs where their index %s", async (_, spoil) => {
    const { bucket } = await openTraces();
    for (const key of keysBelow(bucket, ".trace")) spoil(bucket, key);
    const { bytes, end } = await lookUp(bucket, bucket.store, traceOf(101));

    expect(namesIn(bytes)).toEqual(expect.arrayContaining(["item-100-0", "item-100-1", "item-100-2"]));
    expect(end.usage.objectCount).toBe(newestOutputs(bucket));
  });

  test("reads the outputs where their index is frozen, and fails with a store that does", async () => {
    const { bucket } = await openTraces();
    const failing = (kind: "object_frozen" | "store_unavailable"): ObjectStore => ({
      ...bucket.store,
      get: async (key, options) => {
        if (key.endsWith(".trace")) throw new FirnError(kind, "the test says so");
        return bucket.store.get(key, options);
      },
    });
    expect((await lookUp(bucket, failing("object_frozen"), traceOf(101))).itemCount).toBe(540);
    await expect(lookUp(bucket, failing("store_unavailable"), traceOf(101))).rejects.toThrow("the test says so");
  });
});

function newestOutputs(bucket: Bucket): number {
  const hours = new Set(keysBelow(bucket, "/manifests/").map((key) => key.slice(0, key.lastIndexOf("/"))));
  expect(hours.size).toBe(3);
  expect(newestManifest(bucket).outputs.length).toBeGreaterThan(1);
  return keysBelow(bucket, "/traces_").length;
}

function change({ store }: Bucket, key: string, edit: (file: Uint8Array) => Uint8Array): void {
  const object = store.objects.get(key);
  if (object !== undefined) store.objects.set(key, { ...object, bytes: edit(object.bytes) });
}
