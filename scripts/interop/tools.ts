/**
 * The foreign tools, each built or installed once into the user's cache by its name in a package registry. One that
 * cannot be had is reported with the reason, and its cases are left out.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const SOURCES = join(import.meta.dirname, "collector");
const CACHE = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "firn");
const BUILD_TIMEOUT_MILLIS = 2_400_000;
const ASK_TIMEOUT_MILLIS = 120_000;
const DUCKDB = "@duckdb/node-api@1.5.6-r.1";
const JAEGER = { module: "github.com/jaegertracing/jaeger/cmd/jaeger", version: "v1.76.0" };

/** A tool that is there, or why it is not. */
export type Tool =
  | { readonly kind: "found"; readonly path: string; readonly version: string }
  | { readonly kind: "absent"; readonly reason: string };

/** Builds the Collector of the folder `collector`. @returns the program */
export async function findCollector(): Promise<Tool> {
  const digest = createHash("sha256");
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) => /\.(go|mod)$/.test(name));
  for (const name of files.toSorted()) digest.update(readFileSync(join(SOURCES, name)));
  const directory = join(CACHE, `interop-collector-${digest.digest("hex").slice(0, 16)}`);
  const [version = ""] = /opentelemetry-collector-contrib\/pkg\/stanza (v[\d.]+)/
    .exec(readFileSync(join(SOURCES, "go.mod"), "utf8"))
    ?.slice(1) ?? [""];
  const build = ["build", "-mod=mod", "-trimpath", "-o", join(directory, "collector.new"), "."];
  return findProgram({ directory, name: "collector", version, steps: [["go", build, SOURCES]] });
}

/** Builds Jaeger. @returns the program */
export async function findJaeger(): Promise<Tool> {
  const { module, version } = JAEGER;
  const directory = join(CACHE, `jaeger-${version}`);
  const steps: readonly Step[] = [
    ...(existsSync(join(directory, "go.mod")) ? [] : [["go", ["mod", "init", "jaeger"], directory] as const]),
    ["go", ["get", "-tool", `${module}@${version}`], directory],
    ["go", ["build", "-mod=mod", "-trimpath", "-o", join(directory, "jaeger.new"), module], directory],
  ];
  return findProgram({ directory, name: "jaeger", version, steps });
}

/** Installs DuckDB. @returns the folder of its package */
export async function findDuckdb(): Promise<Tool> {
  const directory = join(CACHE, DUCKDB.replaceAll(/[@/]/g, "_"));
  const path = join(directory, "node_modules/@duckdb/node-api");
  const version = DUCKDB.slice(DUCKDB.lastIndexOf("@") + 1);
  try {
    if (!existsSync(path)) await runStep(["npm", ["install", "--prefix", directory, "--no-audit", DUCKDB], CACHE]);
    return { kind: "found", path, version };
  } catch (error) {
    return { kind: "absent", reason: firstLine(error) };
  }
}

/** Asks the module registry for a module that was not served so far. @returns what it answered */
export async function askForModule(module: string): Promise<string> {
  const directory = join(CACHE, "interop-ask");
  mkdirSync(directory, { recursive: true });
  try {
    const { stdout: registries } = await promisify(execFile)("go", ["env", "GOPROXY"]);
    const { stdout } = await promisify(execFile)("go", ["mod", "download", "-json", module], {
      cwd: directory,
      // The registry alone: the next in the list is the source's own host.
      env: { ...process.env, GOFLAGS: "-mod=mod", GOPROXY: registries.trim().split(/[,|]/)[0] },
      timeout: ASK_TIMEOUT_MILLIS,
    });
    return `served: ${(JSON.parse(stdout) as { Version: string }).Version}`;
  } catch (error) {
    const { stdout = "", message = "" } = error as { stdout?: string; message?: string };
    return (/(\d{3} [A-Z][a-z]+)|not found|no matching versions/.exec(stdout + message)?.[0] ?? message).trim();
  }
}

type Step = readonly [file: string, args: readonly string[], directory: string];

interface Program {
  readonly directory: string;
  readonly name: string;
  readonly version: string;
  readonly steps: readonly Step[];
}

async function findProgram({ directory, name, version, steps }: Program): Promise<Tool> {
  const path = join(directory, name);
  if (existsSync(path)) return { kind: "found", path, version };
  mkdirSync(directory, { recursive: true });
  console.error(`Building ${name} ${version}, once: some minutes`);
  try {
    for (const step of steps) await runStep(step);
    renameSync(join(directory, `${name}.new`), path);
    return { kind: "found", path, version };
  } catch (error) {
    return { kind: "absent", reason: firstLine(error) };
  }
}

async function runStep([file, args, cwd]: Step): Promise<void> {
  mkdirSync(cwd, { recursive: true });
  await promisify(execFile)(file, args, {
    cwd,
    env: { ...process.env, GOFLAGS: "", GOWORK: "off" },
    timeout: BUILD_TIMEOUT_MILLIS,
    maxBuffer: 64 * 1024 * 1024,
  });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n").slice(0, 3).join(" ").slice(0, 300);
}
