/** A compacted hour to be scrubbed, and the scrub with a Compactor that can be asked. */
import { expect } from "vitest";
import { describeHour } from "../../../src/compaction/verify/hour-knowledge.ts";
import type { FindingKind, VerifyDeps, VerifyDocument, VerifyOrder } from "../../../src/compaction/verify/contract.ts";
import { verify } from "../../../src/compaction/verify/verify.ts";
import type { MemoryObject } from "../../../src/object-store/memory/memory-objects.ts";
import { HOUR, millis } from "../../../src/units.ts";
import { sha256Of } from "../../reader/hour-kit.ts";
import { HOUR_14, keysBelow, openBucket, telemetryKeys, type Bucket } from "../bucket.ts";
import { withCompactor, type CompactorKit } from "../compactor-kit.ts";
import { openMerger } from "../../../src/compaction/merge.ts";

export const DAY_ORDER: VerifyOrder = {
  signals: ["traces"],
  start: millis(HOUR_14 - 14 * HOUR),
  end: millis(HOUR_14 + 10 * HOUR),
  isDeep: true,
  isRepairing: false,
};

/** Puts a fresh object with the digest that a shard attaches. @returns its key */
export async function putFresh(bucket: Bucket, ...put: Parameters<Bucket["put"]>): Promise<string> {
  const key = bucket.put(...put);
  const object = objectOf(bucket, key);
  bucket.store.objects.set(key, { ...object, sha256Hex: await sha256Of(object.bytes) });
  return key;
}

export function objectOf({ store }: Bucket, key: string): MemoryObject {
  const object = store.objects.get(key);
  if (object === undefined) throw new Error(`"${key}" does not exist`);
  return object;
}

export function depsOf(kit: CompactorKit): VerifyDeps {
  return {
    store: kit.bucket.store,
    layout: kit.bucket.layout,
    now: () => kit.now,
    grace: kit.settings.grace,
    foreign: kit.settings.foreign,
    bucketExpiration: null,
    bodyTimeout: millis(30_000),
    maxStoreCalls: 8000,
    client: new AbortController().signal,
    deployment: async () => kit.deployment,
    askCompactor: async (_signal, hour) => describeHour(await kit.live(), hour),
    mirror: async () => void (await kit.work(null)),
  };
}

export async function scrub(
  kit: CompactorKit,
  order: Partial<VerifyOrder> = {},
  deps: Partial<VerifyDeps> = {},
): Promise<VerifyDocument> {
  return verify({ ...DAY_ORDER, ...order }, { ...depsOf(kit), ...deps });
}

export async function kindsOf(document: Promise<VerifyDocument>): Promise<FindingKind[]> {
  return (await document).findings.map(({ kind }) => kind);
}

/** An hour of two generations, long after the grace; one fresh object came late and is not compacted. */
export async function withArchive(body: (kit: CompactorKit) => Promise<void>): Promise<void> {
  const bucket = openBucket();
  await putFresh(bucket, 3, ["item-1", "item-2"]);
  await putFresh(bucket, 3, ["item-3"]);
  await putFresh(bucket, 59, ["item-4"]);
  await withCompactor(bucket, async (kit) => {
    kit.openMerger = openMerger;
    await kit.work();
    kit.now += HOUR;
    await kit.settle();
    await putFresh(bucket, 7, ["item-5"]);
    await kit.work();
    kit.now += HOUR;
    await kit.settle();
    kit.now += 4 * HOUR;
    await putFresh(bucket, 8, ["item-6"]);
    expect(keysBelow(bucket, "_firn/manifests/")).toHaveLength(4);
    await body(kit);
  });
}

/** The keys of the archive by what they are, each list in order. */
export function partsOf({ bucket }: CompactorKit): {
  readonly manifests: string[];
  readonly claims: string[];
  readonly tables: string[];
  readonly indexes: string[];
  readonly outputs: string[];
  readonly fresh: string;
} {
  const manifests = keysBelow(bucket, "_firn/manifests/");
  const { fresh, compacted } = telemetryKeys(bucket);
  return {
    manifests: manifests.filter((key) => key.endsWith(".json")),
    claims: manifests.filter((key) => key.endsWith(".claim")),
    tables: keysBelow(bucket, "_firn/members/"),
    indexes: keysBelow(bucket, "_firn/indexes/"),
    outputs: compacted,
    fresh: fresh[0] ?? "",
  };
}

/** The n-th key of a list. */
export function nth(keys: readonly string[], index: number): string {
  const key = keys[index];
  if (key === undefined) throw new Error(`There is no key ${index}`);
  return key;
}
