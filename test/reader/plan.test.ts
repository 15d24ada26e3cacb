import { expect, test } from "vitest";
import type { HourObject } from "../../src/reader/hour-object.ts";
import { planWindow } from "../../src/reader/plan.ts";
import { openUsage } from "../../src/reader/usage.ts";
import { at, readRequest } from "./archive-sample.ts";
import { makeOutput, publish } from "./hour-kit.ts";
import { openSyntheticStore } from "./synthetic-store.ts";

test.each([
  ["2026-05-01T10:01:00Z", "2026-05-01T12:59:00Z", 2],
  // Nothing of the second output is in this window, though it lies between its first and last minute.
  ["2026-05-01T11:01:00Z", "2026-05-01T11:59:00Z", 1],
])("planWindow() keeps no hour object open that was read to its end, from %s to %s", async (start, end, count) => {
  const store = openSyntheticStore();
  for (const hour of ["10", "11", "12"].map((each) => at(`2026-05-01T${each}:00:00Z`))) {
    const outputs = [
      await makeOutput([[[1, ["n-1"]]], [[2, ["n-2"]]]], { hour }),
      await makeOutput([[[0, ["n-3"]]], [[59, ["n-4"]]]], { hour, number: 2 }),
    ];
    await publish(store, { outputs, hour });
  }
  const openObjects = new Set<HourObject>();
  let most = 0;

  for await (const step of planWindow(readRequest({ start, end }, { store }), { usage: openUsage(), openObjects })) {
    if (step.kind !== "part" || step.part.kind !== "runs") continue;
    most = Math.max(most, openObjects.size);
    for (let run = await step.part.output.nextRun(step.minute); run !== null;) {
      run = await step.part.output.nextRun(step.minute);
    }
  }

  expect(most).toBe(count);
  expect(openObjects.size).toBe(0);
});
