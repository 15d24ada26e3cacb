/**
 * A bucket in memory with the fresh objects that shards would put, and the looks at it that tests take: what a reader
 * gives, what manifests name, what is left.
 */
import { expect } from "vitest";
import { formatKey, type Layout } from "../../src/archive/key.ts";
import type { ObjectForm } from "../../src/archive/object-form.ts";
import { openMemoryStore, type MemoryStore } from "../../src/object-store/memory/memory-store.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { HOUR, millis, MINUTE, type Millis } from "../../src/units.ts";
import { ownObject } from "../reader/archive-forms.ts";
import { layoutOf, readRequest, take } from "../reader/archive-sample.ts";
import { concat, field, gzip } from "../reader/otlp-sample.ts";

export const HOUR_14: Millis = millis(Date.UTC(2026, 4, 1, 14));
export const AFTER_14: number = HOUR_14 + HOUR + 10 * MINUTE;
export const GZIP: ObjectForm = { marshaler: "otlp_proto", compression: "gzip" };
export const JSON_GZIP: ObjectForm = { marshaler: "otlp_json", compression: "gzip" };

/** A bucket, and what was put into it. */
export interface Bucket {
  readonly store: MemoryStore;
  readonly layout: Layout;
  readonly signal: ItemSignal;
  /** Names of items that were put as own fresh objects. */
  readonly names: string[];
  /** Puts a fresh object as a shard does. @returns its key */
  put(minute: number, names: readonly string[], options?: Partial<FreshOptions>): string;
  /** Puts a fresh object with one item that no compression makes smaller. */
  putNoise(minute: number, length: number): void;
}

export interface FreshOptions {
  readonly hour: Millis;
  readonly form: ObjectForm;
  readonly shard: number;
}

export function openBucket(options: { readonly format?: string; readonly signal?: ItemSignal } = {}): Bucket {
  const store = openMemoryStore();
  const layout = layoutOf(options.format === undefined ? {} : { format: options.format });
  const signal = options.signal ?? "traces";
  const names: string[] = [];
  let sequence = 0;

  function lay(minute: number, object: Uint8Array, { hour, form, shard }: FreshOptions): string {
    sequence += 1;
    const sealTime = millis(hour + minute * MINUTE + (sequence % 50_000));
    const key = formatKey({ kind: "fresh", signal, form, sealTime, shard, incarnation: "9f2c4e7a", sequence }, layout);
    store.objects.set(key, { bytes: object, contentType: "application/gzip", sha256Hex: "0".repeat(64) });
    return key;
  }

  return {
    store,
    layout,
    signal,
    names,
    put: (minute, items, { hour = HOUR_14, form = GZIP, shard = 0 } = {}) => {
      names.push(...items);
      return lay(minute, ownObject(signal, form, [items]), { hour, form, shard });
    },
    putNoise: (minute, length) => {
      const noise = new Uint8Array(length);
      for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
      const name = `item-${names.length}`;
      names.push(name);
      const span = concat([field(5, new TextEncoder().encode(name)), field(2000, noise)]);
      const raw = field(1, field(2, field(2, span)));
      lay(minute, gzip(raw), { hour: HOUR_14, form: GZIP, shard: 0 });
    },
  };
}

/** Half-open, as texts. */
export interface ReadWindow {
  readonly start: string;
  readonly end: string;
}

const HOURS_AROUND: ReadWindow = { start: "2026-05-01T00:00:00Z", end: "2026-05-03T00:00:00Z" };

/** Names of all items that a reader gives of the hours around, sorted; fails on one that is unreadable. */
export async function readNames(bucket: Bucket, window: ReadWindow = HOURS_AROUND): Promise<string[]> {
  const { store, layout, signal } = bucket;
  const taken = await take(readRequest(window, { store, layout, signal }));
  expect(taken.next).toBeNull();
  return namesIn(taken.bytes).toSorted();
}

/** Item names are the only texts of the samples that begin with `item-`. */
export function namesIn(protobuf: Uint8Array): string[] {
  return [...new TextDecoder("latin1").decode(protobuf).matchAll(/item-\d+(?:-\d+)*/g)].map(([name]) => name);
}

/** Everything below a prefix, sorted. */
export function keysBelow({ store }: Bucket, part: string): string[] {
  return [...store.objects.keys()].filter((key) => key.includes(part)).toSorted();
}

/** Keys of telemetry, by kind. */
export function telemetryKeys(bucket: Bucket): { readonly fresh: string[]; readonly compacted: string[] } {
  const keys = [...bucket.store.objects.keys()].filter((key) => !key.includes("/_firn/")).toSorted();
  return { fresh: keys.filter((key) => /Z-f/.test(key)), compacted: keys.filter((key) => /Z-c/.test(key)) };
}

/** What of a manifest tests look at. */
export interface ManifestDocument {
  readonly generation: number;
  readonly outputs: readonly {
    readonly key: string;
    readonly members: { readonly key: string };
    readonly item_count: number;
    readonly retired: boolean;
  }[];
}

/** The manifest that sorts last: the newest one of the last hour. */
export function newestManifest(bucket: Bucket): ManifestDocument {
  const key = keysBelow(bucket, "_firn/manifests/").findLast((each) => each.endsWith(".json"));
  return JSON.parse(new TextDecoder().decode(bucket.store.objects.get(key ?? "")?.bytes));
}

/**
 * After all work and the grace: every item is there once, the bucket holds what the newest manifests name and nothing
 * else, and no upload is open but one that a crash made nameless.
 * @param mayOrphan storage was lost, so that nobody knows any more what an attempt had written
 * @param maxUploads uploads whose id was lost
 */
export async function checkClean(
  bucket: Bucket,
  label: string,
  { mayOrphan = false, maxUploads = 1 }: { readonly mayOrphan?: boolean; readonly maxUploads?: number } = {},
): Promise<void> {
  expect(await readNames(bucket), label).toEqual(bucket.names.toSorted());
  const manifests = keysBelow(bucket, "_firn/manifests/").filter((key) => key.endsWith(".json"));
  const newest = new Map(manifests.map((key) => [key.slice(0, key.lastIndexOf("/")), key]));
  const named: string[] = [];
  for (const key of newest.values()) {
    const { outputs, indexes } = JSON.parse(new TextDecoder().decode(bucket.store.objects.get(key)?.bytes));
    for (const { key: output, members, retired } of outputs) if (!retired) named.push(output, members.key);
    for (const index of indexes) named.push(index.key);
  }
  const { fresh, compacted } = telemetryKeys(bucket);
  expect(fresh, `${label}: fresh objects are left`).toEqual([]);
  const found = [...compacted, ...keysBelow(bucket, "_firn/members/"), ...keysBelow(bucket, "_firn/indexes/")];
  if (mayOrphan) {
    expect(found, `${label}: what manifests name`).toEqual(expect.arrayContaining(named));
    return;
  }
  expect(found.toSorted(), `${label}: what manifests name`).toEqual(named.toSorted());
  expect(bucket.store.uploads.size, `${label}: uploads`).toBeLessThanOrEqual(maxUploads);
}
