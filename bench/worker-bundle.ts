/**
 * The worker exactly as `npm run deploy` would send it: bundled by wrangler, with the dates, flags, bindings and
 * Durable Object classes of `wrangler.toml`, so that the benchmark can't measure a build of its own.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { makeTemporaryDirectory } from "./workerd-process.ts";

const ROOT = join(import.meta.dirname, "..");
const BUNDLE_TIMEOUT_MS = 60_000;

/** What workerd needs to know about a worker. */
export interface WorkerBundle {
  /** Source of the one ES module. */
  readonly script: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, string>>;
  /** Names of R2 bindings. */
  readonly buckets: readonly string[];
  /** Binding name → class name. */
  readonly durableObjects: ReadonlyMap<string, string>;
}

/** The part of wrangler's parsed configuration that is read here. */
interface WranglerConfig {
  readonly compatibility_date?: string;
  readonly compatibility_flags: readonly string[];
  readonly vars: Readonly<Record<string, unknown>>;
  readonly r2_buckets: readonly { readonly binding: string }[];
  readonly durable_objects: { readonly bindings: readonly { readonly name: string; readonly class_name: string }[] };
}

let built: WorkerBundle | undefined;

/** Bundles the worker once a run. `FIRN_BENCH_CONFIG` names another wrangler file, for comparing two builds. */
export function bundleWorker(): WorkerBundle {
  return (built ??= build(process.env["FIRN_BENCH_CONFIG"] ?? join(ROOT, "wrangler.toml")));
}

function build(configPath: string): WorkerBundle {
  const config: WranglerConfig = unstable_readConfig({ config: configPath }, { hideWarnings: true });
  const vars = Object.entries(config.vars).map(([name, value]) => [name, String(value)] as const);
  return {
    script: buildScript(configPath),
    compatibilityDate: config.compatibility_date ?? "",
    compatibilityFlags: config.compatibility_flags,
    vars: Object.fromEntries(vars),
    buckets: config.r2_buckets.map((bucket) => bucket.binding),
    durableObjects: new Map(config.durable_objects.bindings.map((object) => [object.name, object.class_name])),
  };
}

function buildScript(configPath: string): string {
  const output = makeTemporaryDirectory();
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  execFileSync(
    process.execPath,
    [wrangler, "deploy", "--dry-run", "--minify=false", "--config", configPath, "--outdir", output],
    {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: BUNDLE_TIMEOUT_MS,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    },
  );
  const modules = readdirSync(output).filter((name) => !name.endsWith(".map") && name !== "README.md");
  const [script, ...others] = modules;
  if (script === undefined || others.length > 0) {
    throw new Error(`Cannot serve the bundle: found modules "${modules.join(" ")}", expected exactly one`);
  }
  return readFileSync(join(output, script), "utf8");
}
