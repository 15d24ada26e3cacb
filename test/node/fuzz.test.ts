/**
 * A short run of what `npm run fuzz` does for long: some ten thousand mutated bodies against a real Firn, with valid
 * controls between them. `FIRN_SEED` repeats a run.
 */
import { expect, test } from "vitest";
import { formatReport } from "../../scripts/fuzz/report.ts";
import { runFuzz } from "../../scripts/fuzz/run.ts";

const SEED = Number(process.env["FIRN_SEED"] ?? Date.now() % 1_000_000_000);
/** The run goes on for as long as it takes to send this many, on a slow machine up to the limit. */
const MIN_BODIES = 15_000;
const SECONDS = 5;
const MAX_SECONDS = 45;

test("mutated bodies lead to no 5xx, hang or growth, and controls between them replay exactly once", async () => {
  const again = `FIRN_SEED=${SEED} npm test -- --project node test/node/fuzz.test.ts`;
  console.log(`fuzz: seed ${SEED}; again: ${again}`);

  const report = await runFuzz({ seed: SEED, seconds: SECONDS, minBodies: MIN_BODIES, maxSeconds: MAX_SECONDS });

  console.log(formatReport(report, again));
  expect(report.findings.map(({ what }) => what)).toEqual([]);
  expect(report.bodies).toBeGreaterThan(MIN_BODIES / 10);
});
