/** Trace indexes of a Compactor: what they name, and that none is left behind. */
import { describe, expect, it } from "vitest";
import { encodeTraceIndex } from "../../src/archive/trace-index.ts";
import { decodeManifest, type Manifest } from "../../src/archive/manifest.ts";
import { openMerger } from "../../src/compaction/merge.ts";
import { describeHour } from "../../src/compaction/verify/hour-knowledge.ts";
import { hashTraceId } from "../../src/otlp/trace-ids.ts";
import { NO_HINTS } from "../../src/reader/hints.ts";
import { HOUR, millis, MINUTE } from "../../src/units.ts";
import { readRequest, take } from "../reader/archive-sample.ts";
import { openRandom, makeItems, putItems, type ItemFacts } from "../reader/facts-archive.ts";
import { sha256Of } from "../reader/hour-kit.ts";
import { HOUR_14, keysBelow, namesIn, openBucket, type Bucket } from "./bucket.ts";
import { withCompactor } from "./compactor-kit.ts";
import { openPlainMerger } from "./plain-merger.ts";
import { RECENT } from "./settings.ts";

const WINDOW = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const TRACES = Array.from({ length: 40 }, (_, index) => new Uint8Array(16).fill(index + 1));

function fill(bucket: Bucket, minutes: readonly number[], seed = 5): readonly ItemFacts[] {
  const random = openRandom(seed);
  return minutes.flatMap((minute) => {
    const arrival = millis(HOUR_14 + minute * MINUTE);
    const items = makeItems(random, arrival, { count: 8, traces: TRACES });
    putItems(bucket, arrival, items);
    return items;
  });
}

function manifests(bucket: Bucket): readonly Manifest[] {
  const keys = keysBelow(bucket, "_firn/manifests/").filter((key) => key.endsWith(".json"));
  return keys.map((key) => decodeManifest(bucket.store.objects.get(key)?.bytes ?? new Uint8Array(0)));
}

const newest = (bucket: Bucket): Manifest => manifests(bucket).at(-1) ?? fail();

function fail(): never {
  throw new Error("there is no manifest");
}

/** Checks that the newest manifest has an index of each live output, that all stand there, and nothing else. */
async function checkIndexes(bucket: Bucket): Promise<void> {
  const { outputs, indexes } = newest(bucket);
  const live = outputs.filter(({ retired }) => !retired).map(({ key }) => key);
  expect(indexes.map(({ output }) => output).toSorted()).toEqual(live.toSorted());
  expect(keysBelow(bucket, "_firn/indexes/")).toEqual(indexes.map(({ key }) => key).toSorted());
  for (const { key, sizeBytes, sha256 } of indexes) {
    const file = bucket.store.objects.get(key)?.bytes ?? new Uint8Array(0);
    expect([file.length, await sha256Of(file)]).toEqual([sizeBytes, sha256]);
  }
}

describe("describeHour()", () => {
  it("tells of all that waits for the grace, indexes too", async () => {
    const bucket = openBucket();
    await withCompactor(bucket, async (kit) => {
      kit.openMerger = openMerger;
      for (let number = 0; number < 9; number += 1) {
        bucket.put(number % 4, [`item-${number}`]);
        await kit.work();
      }
      const { pendingKeys } = describeHour(kit.compactor, HOUR_14);
      expect(pendingKeys.filter((key) => key.endsWith(".trace"))).toHaveLength(9);
      expect(pendingKeys).toHaveLength(27);
      expect(describeHour(kit.compactor, HOUR_14 + HOUR).pendingKeys).toEqual([]);
    });
  });
});

describe("work()", () => {
  it("names the traces of each member, by the facts of its items", async () => {
    const bucket = openBucket();
    const items = fill(bucket, [1, 2, 3]);
    await withCompactor(bucket, async (kit) => {
      kit.openMerger = openMerger;
      await kit.work();
    });
    const hashes = items.flatMap(({ traceId }) => (traceId === null ? [] : [hashTraceId(traceId) ?? 0]));
    const expected = encodeTraceIndex([Uint32Array.from(hashes)]);
    const [index] = newest(bucket).indexes;
    expect(index?.count).toBe(new Set(hashes).size);
    expect(bucket.store.objects.get(index?.key ?? "")?.bytes).toEqual(expected?.file);
  });

  it.each(["traces", "logs"] as const)(
    "keeps indexes of %s over late, rewritten and retired outputs",
    async (signal) => {
      const bucket = openBucket({ signal });
      fill(bucket, [1, 5, 9, 30]);
      await withCompactor(bucket, async (kit) => {
        kit.openMerger = openMerger;
        kit.bounds.memberRawBytes = 512;
        await kit.work();
        await checkIndexes(bucket);
        for (let late = 0; late < 9; late += 1) {
          fill(bucket, [late * 3], late);
          kit.now += HOUR;
          await kit.work();
          await kit.settle();
        }
        expect(manifests(bucket).map(({ outputs }) => outputs.length)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2]);
        await checkIndexes(bucket);
        kit.settings.retention = millis(24 * HOUR);
        kit.now += 24 * HOUR;
        await kit.work();
        await kit.settle();
        expect(newest(bucket)).toMatchObject({ outputs: [{ retired: true }, { retired: true }], indexes: [] });
        expect(keysBelow(bucket, "_firn/indexes/")).toEqual([]);
      });
    },
  );

  it("makes none of metrics, of members of which it knows nothing", async () => {
    for (const [signal, open] of [
      ["metrics", openMerger],
      ["traces", openPlainMerger],
    ] as const) {
      const bucket = openBucket({ signal });
      bucket.put(3, ["item-1"]);
      await withCompactor(bucket, async (kit) => {
        kit.openMerger = open;
        await kit.work();
      });
      expect(newest(bucket).outputs).toHaveLength(1);
      expect(keysBelow(bucket, "_firn/indexes/")).toEqual([]);
      expect(newest(bucket).indexes).toEqual([]);
    }
  });

  it("leaves an index out for a run whose first members an older release wrote", async () => {
    const bucket = openBucket();
    const items = fill(bucket, [1, 2, 3, 4]);
    await withCompactor(bucket, async (kit) => {
      kit.openMerger = openMerger;
      kit.bounds.stepRawBytes = 1;
      kit.bounds.work = millis(0);
      const countNoted = (): unknown => kit.storage.sql.exec("SELECT count(*) AS noted FROM traces").one()["noted"];
      for (let tasks = 0; tasks < 200 && countNoted() === 0; tasks += 1) await kit.work(tasks === 0 ? RECENT : null);
      expect(countNoted()).toBe(1);
      kit.storage.sql.exec("DELETE FROM traces");
      await kit.restart();
      await kit.settle();
      expect(newest(bucket).outputs).toHaveLength(1);
      expect(newest(bucket).indexes).toEqual([]);
      const { store, layout } = bucket;
      const traceId = TRACES[3] ?? null;
      const { bytes: read } = await take(readRequest(WINDOW, { store, layout, hints: { ...NO_HINTS, traceId } }));
      expect(namesIn(read)).toHaveLength(items.length);
    });
  });
});
