import { expect, it } from "vitest";
import { aroundCalls } from "../../src/object-store/around-calls.ts";
import { HOUR, MINUTE, millis } from "../../src/units.ts";
import { checkClean, HOUR_14, openBucket, readNames, telemetryKeys } from "./bucket.ts";
import { withCompactor } from "./compactor-kit.ts";

const FORCED = { kind: "window", start: HOUR_14, end: HOUR_14 + HOUR, force: true, foreign: false } as const;

it("work() deletes the sources of a forced hour that is not over, once their grace has passed", async () => {
  const bucket = openBucket();
  bucket.put(3, ["item-1"]);
  await withCompactor(bucket, async (kit) => {
    kit.settings.grace = millis(MINUTE);
    kit.now = HOUR_14 + 10 * MINUTE;
    expect(await kit.work(FORCED)).toMatchObject({ done: true, generations: 1 });
    bucket.put(11, ["item-2"]);

    kit.now += 2 * MINUTE;
    await kit.work(null);

    expect(telemetryKeys(bucket)).toMatchObject({ fresh: { length: 1 }, compacted: { length: 1 } });
    expect(await readNames(bucket)).toEqual(["item-1", "item-2"]);
    expect(kit.compactor.run).toBeNull();
  });
});

it("work() takes what stands in a forced hour, and not what keeps coming", async () => {
  const bucket = openBucket();
  bucket.put(3, ["item-0"]);
  await withCompactor(bucket, async (kit) => {
    let count = 0;
    kit.wrap = (store) =>
      aroundCalls(store, async (call, ask) => {
        if (call === "completeMultipart" && count < 50) bucket.put(4, [`item-${(count += 1)}`]);
        return ask();
      });
    await kit.restart();
    kit.now = HOUR_14 + 10 * MINUTE;

    expect(await kit.work(FORCED)).toMatchObject({ done: true, generations: 1 });
    expect(await readNames(bucket)).toEqual(bucket.names.toSorted());

    kit.wrap = (store) => store;
    await kit.restart();
    expect(await kit.work(FORCED)).toMatchObject({ done: true, generations: 1, sources: 1 });
    kit.now += 3 * HOUR;
    await kit.settle();
    await checkClean(bucket, "forced while it fills");
  });
});
