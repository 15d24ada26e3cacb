/** What the mark says of hours that the bucket's own lifecycle deletes. */
import { expect, test } from "vitest";
import type { ReplayDeps } from "../../src/replay/contract.ts";
import { replayResponse } from "../../src/replay/replay.ts";
import { at } from "../reader/archive-sample.ts";
import { makeOutput, publish } from "../reader/hour-kit.ts";
import { openSyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, WINDOW } from "./replay-kit.ts";

async function replayText(deps: ReplayDeps): Promise<string> {
  const query = new URLSearchParams(`signal=traces&${WINDOW}`);
  return (await replayResponse({ query, accept: null }, deps)).text();
}

test("replayResponse() is complete without what has expired, and says so", async () => {
  const store = openSyntheticStore();
  const output = await makeOutput([[[9, ["n-1"]]]]);
  await publish(store, { outputs: [output] });
  store.objects.delete(output.key);

  const text = await replayText(depsOf(store, { expiredBefore: at("2026-05-01T15:00:00Z") }));

  expect(text).toContain('"complete":true');
  expect(text).toContain('"expired":1');
  await expect(replayText(depsOf(store))).rejects.toMatchObject({ kind: "object_not_found" });
});
