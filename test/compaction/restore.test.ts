/**
 * Storage that is set back (point-in-time recovery): at each of its states of a scenario a copy is kept, the scenario
 * goes on to its end, and then the Compactor starts on the copy. Its later life has used the same numbers, completed
 * its uploads, published, and deleted what the copy still counts on.
 */
import { describe, expect, it } from "vitest";
import { reportLate } from "../../src/compaction/late.ts";
import { openMerger } from "../../src/compaction/merge.ts";
import { FirnError } from "../../src/errors.ts";
import { aroundCalls } from "../../src/object-store/around-calls.ts";
import type { ObjectStore } from "../../src/object-store/contract.ts";
import { HOUR } from "../../src/units.ts";
import { checkClean, HOUR_14, JSON_GZIP, keysBelow, openBucket, readNames, type Bucket } from "./bucket.ts";
import { withCompactor, type CompactorKit } from "./compactor-kit.ts";

type Copy = readonly { readonly table: string; readonly rows: readonly Record<string, SqlStorageValue>[] }[];

const TABLES = [
  "meta",
  "hours",
  "sources",
  "outputs",
  "members",
  "traces",
  "remainder",
  "commits",
  "unreadable",
  "trash",
];

function copyStorage({ storage }: CompactorKit): Copy {
  return TABLES.map((table) => ({ table, rows: storage.sql.exec(`SELECT * FROM ${table}`).toArray() }));
}

async function setBack(kit: CompactorKit, copy: Copy): Promise<void> {
  const { sql } = kit.storage;
  for (const { table, rows } of copy) {
    sql.exec(`DELETE FROM ${table}`);
    for (const row of rows) {
      const values = Object.values(row);
      sql.exec(`INSERT INTO ${table} VALUES (${values.map(() => "?").join(", ")})`, ...values);
    }
  }
  await kit.restart();
}

/** Completes uploads as R2's binding does, over whatever stands under the key. */
function overwriting(bucket: Bucket, store: ObjectStore): ObjectStore {
  return {
    ...aroundCalls(store, (_call, ask) => ask()),
    completeMultipart: async (upload, parts, sha256Hex) => {
      if (bucket.store.uploads.has(upload.uploadId)) bucket.store.objects.delete(upload.key);
      return store.completeMultipart(upload, parts, sha256Hex);
    },
  };
}

interface Scenario {
  readonly name: string;
  readonly run: (kit: CompactorKit) => Promise<void>;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "two marshalers and a late object",
    run: async (kit) => {
      kit.bucket.put(3, ["item-1", "item-2"]);
      kit.bucket.put(40, ["item-3"]);
      kit.bucket.put(41, ["item-4"], { form: JSON_GZIP });
      await kit.work();
      kit.bucket.put(5, ["item-5"]);
      await reportLate(kit.compactor, HOUR_14);
      await kit.settle(4);
      kit.now += 2 * HOUR;
      await kit.settle();
    },
  },
  {
    name: "a rewrite of nine outputs",
    run: async (kit) => {
      for (let number = 0; number < 9; number += 1) {
        kit.bucket.put(number % 4, [`item-${number}`]);
        await kit.work();
      }
      kit.now += 2 * HOUR;
      await kit.settle();
    },
  },
];

/** Runs a scenario and keeps the copy after its nth transaction. @returns how many there were */
async function runTo(kit: CompactorKit, { run }: Scenario, nth: number): Promise<{ count: number; copy: Copy | null }> {
  let count = 0;
  let copy: Copy | null = null;
  kit.wrap = (store) => overwriting(kit.bucket, store);
  kit.isSyncing = false;
  // Only of members of this one there are trace indexes.
  kit.openMerger = openMerger;
  await kit.restart();
  kit.gate = (point) => {
    if (point !== "transaction.after") return;
    count += 1;
    if (count === nth) copy = copyStorage(kit);
  };
  await run(kit);
  kit.gate = () => undefined;
  return { count, copy };
}

async function countStates(scenario: Scenario): Promise<number> {
  let states = 0;
  await withCompactor(openBucket(), async (kit) => {
    states = (await runTo(kit, scenario, 0)).count;
  });
  return states;
}

describe("a Compactor whose storage was set back", () => {
  it.each(SCENARIOS)("loses and doubles nothing: $name", { timeout: 300_000 }, async (scenario) => {
    const count = await countStates(scenario);
    expect(count).toBeGreaterThan(20);
    const step = count > 100 ? 3 : 1;
    for (let nth = 1; nth <= count; nth += step) {
      const bucket = openBucket();
      await withCompactor(bucket, async (kit) => {
        const { copy } = await runTo(kit, scenario, nth);
        if (copy === null) throw new Error(`There was no state ${nth}`);
        const label = `set back to state ${nth}`;
        await setBack(kit, copy);
        // Other sources than the later life had: the same numbers would hold other items.
        bucket.put(7, ["item-99"]);
        await reportLate(kit.compactor, HOUR_14);
        for (let round = 0; round < 3; round += 1) {
          kit.now += HOUR;
          await kit.work();
          await kit.settle();
          expect(await readNames(bucket), `${label}, round ${round}`).toEqual(bucket.names.toSorted());
        }
        await checkClean(bucket, label, { mayOrphan: true });
      });
    }
  });

  it("publishes no output that its later life has deleted again", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      kit.gate = (point) => {
        const isStored = kit.storage.sql.exec("SELECT 1 FROM outputs WHERE state = 'stored'").toArray().length > 0;
        if (point === "list.before" && isStored) throw new FirnError("store_unavailable", "Cannot list, as planned");
      };
      await kit.work();
      const made = [...keysBelow(bucket, "Z-c01-")];
      expect(made).toHaveLength(2);
      for (const key of made) bucket.store.objects.delete(key);
      kit.gate = () => undefined;
      await kit.settle(6);

      expect(await readNames(bucket)).toEqual(["item-1"]);
      kit.now += 2 * HOUR;
      await kit.settle();
      await checkClean(bucket, "deleted again");
    });
  });

  it("writes under no key that its later life has used", async () => {
    const bucket = openBucket();
    await withCompactor(bucket, async (kit) => {
      bucket.put(3, ["item-1"]);
      await kit.work();
      bucket.put(4, ["item-2"]);
      const copy = copyStorage(kit);
      await kit.work();
      const before = keysBelow(bucket, "-c02-");
      expect(before).toHaveLength(2);
      const second = keysBelow(bucket, "_firn/manifests/").filter((key) => key.includes("/00000002"));
      for (const key of [...before, ...second]) bucket.store.objects.delete(key);
      await setBack(kit, copy);
      await kit.work();

      const after = keysBelow(bucket, "-c02-");
      expect(after).toHaveLength(2);
      expect(after.filter((key) => before.includes(key))).toEqual([]);
    });
  });
});
