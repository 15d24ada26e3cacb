/** A server in Go, built once from the module registry into the user's cache. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const BUILD_TIMEOUT_MILLIS = 900_000;

/** What to build. */
export interface GoProgram {
  /** Name of the program that `go install` makes. */
  readonly name: string;
  /** Path of its main package. */
  readonly module: string;
  readonly version: string;
}

/** Builds a program unless it stands in the cache. @returns its path, `null` without Go; CI must have it. */
export async function findGoProgram({ name, module, version }: GoProgram): Promise<string | null> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "firn", `${name}-${version}`);
  const binary = join(cache, name);
  if (existsSync(binary)) return binary;
  const run = promisify(execFile);
  try {
    await run("go", ["version"]);
  } catch (cause) {
    if (process.env["CI"] !== undefined) throw new Error(`Cannot build ${name}: CI has no Go`, { cause });
    console.warn(`No Go here: the tests against ${name} are left out`);
    return null;
  }
  console.warn(`Building ${name} ${version}, once: some minutes`);
  mkdirSync(cache, { recursive: true });
  await run("go", ["install", "-trimpath", `${module}@${version}`], {
    env: { ...process.env, GOBIN: cache, GOFLAGS: "" },
    timeout: BUILD_TIMEOUT_MILLIS,
  });
  return binary;
}
