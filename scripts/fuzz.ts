/**
 * `npm run fuzz -- --seconds N [--seed S] [--min-bodies M]`: mutated bodies against a real Firn on plain workerd. Ends
 * with 1 when anything was found; a run with the same seed sends the same bodies. Linux only (`/proc`).
 */
import { parseArgs } from "node:util";
import { formatReport } from "./fuzz/report.ts";
import { runFuzz } from "./fuzz/run.ts";

const DEFAULT_SECONDS = 60;
/** A run that is asked for many bodies on a slow machine ends all the same. */
const MAX_SECONDS = 4 * 3600;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: String(DEFAULT_SECONDS) },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    "min-bodies": { type: "string", default: "0" },
  },
});

/** Reads a whole number. @throws Error that names the argument */
function toCount(name: keyof typeof values): number {
  const text = values[name];
  if (!/^\d{1,12}$/.test(text)) throw new Error(`Cannot read --${name}: found "${text}", expected a whole number`);
  return Number(text);
}

const options = { seed: toCount("seed"), seconds: toCount("seconds"), minBodies: toCount("min-bodies") };
const again = `npm run fuzz -- --seconds ${options.seconds} --min-bodies ${options.minBodies} --seed ${options.seed}`;
process.stdout.write(`fuzz: seed ${options.seed}\n`);
const report = await runFuzz({ ...options, maxSeconds: Math.max(options.seconds, MAX_SECONDS) });
process.stdout.write(`${formatReport(report, again)}\n`);
process.exitCode = report.findings.length === 0 ? 0 : 1;
