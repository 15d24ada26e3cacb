/**
 * `npm run bench [-- name …]`: runs the benchmarks whose names begin with one of the arguments, all without any, and
 * prints one line of JSON a case. A missed target is a finding and no failure: only an error ends with another code
 * than 0.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import type { BenchLine, BenchModule } from "./bench-line.ts";

const ROOT = join(import.meta.dirname, "..");

/** Cheap ones first. */
const BENCHMARKS: Readonly<Record<string, () => Promise<BenchModule>>> = {
  "otlp-walk": () => import("./otlp-walk.ts"),
  "otlp-cut": () => import("./otlp-cut.ts"),
  "otlp-items": () => import("./otlp-items.ts"),
  filter: () => import("./filter.ts"),
  "item-digest": () => import("./item-digest.ts"),
  "otlp-json-decode": () => import("./otlp-json-decode.ts"),
  "otlp-json-encode": () => import("./otlp-json-encode.ts"),
  compression: () => import("./compression.ts"),
  ingest: () => import("./ingest.ts"),
  flush: () => import("./flush.ts"),
  "compaction-merge": () => import("./compaction-merge.ts"),
  "trace-lookup": () => import("./trace-lookup.ts"),
  compaction: () => import("./compaction.ts"),
  "store-put": () => import("./store-put.ts"),
  replay: () => import("./replay.ts"),
};

async function main(filters: readonly string[]): Promise<void> {
  const names = Object.keys(BENCHMARKS).filter((name) => matches(name, filters));
  if (names.length === 0) {
    throw new Error(`Cannot run "${filters.join(" ")}": expected some of ${Object.keys(BENCHMARKS).join(", ")}`);
  }
  const machine = describeMachine();
  for (const name of names) {
    const bench = await BENCHMARKS[name]?.();
    for (const line of (await bench?.run()) ?? []) print(line, machine);
  }
}

function matches(name: string, filters: readonly string[]): boolean {
  return filters.length === 0 || filters.some((filter) => name.startsWith(filter));
}

function print(line: BenchLine, machine: BenchLine): void {
  process.stdout.write(`${JSON.stringify({ ...line, ...machine, name: line.name })}\n`);
}

function describeMachine(): BenchLine {
  return {
    name: "machine",
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    workerd: readWorkerdVersion(),
    commit: readCommit(),
  };
}

function readWorkerdVersion(): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, "node_modules/workerd/package.json"), "utf8")) as {
    version: string;
  };
  return manifest.version;
}

/** The commit, with a plus sign when the tree differs from it. */
function readCommit(): string {
  return runGit("rev-parse", "--short", "HEAD") + (runGit("status", "--porcelain") === "" ? "" : "+");
}

function runGit(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
}

try {
  await main(process.argv.slice(2));
  // Benchmarks end everything they started; this also ends the pools of idle connections that `fetch` keeps.
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
