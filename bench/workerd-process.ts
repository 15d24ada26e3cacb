/**
 * One plain `workerd serve` process with one loopback socket, its port chosen by the kernel. Knows nothing about what
 * it serves. Every process started here is killed by its pid, also when the benchmark fails or is interrupted.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

const ROOT = join(import.meta.dirname, "..");
const WORKERD = join(ROOT, "node_modules/workerd/bin/workerd");
/** For profiling, see README.md. */
const V8_FLAGS = (process.env["FIRN_BENCH_V8_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");
/** Loading a bundle takes well below a second; a config error ends the process at once. */
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

/** What to serve. Files are written beside the config, so that it can `embed` them by name. */
export interface WorkerdConfig {
  /** Entries of the `services` list as Cap'n Proto text. */
  readonly services: readonly string[];
  /** Entries of the `extensions` list. */
  readonly extensions?: readonly string[];
  /** The service behind the socket. */
  readonly socketService: string;
  /** Name → content of embedded files. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
}

/** A running workerd. */
export interface WorkerdProcess {
  readonly pid: number;
  readonly port: number;
  /** Kills the process and waits until it is gone; repeating it changes nothing. */
  stop(): Promise<void>;
}

const running = new Map<number, ChildProcess>();
const directories = new Set<string>();
let hooked = false;

/** Makes a directory that disappears when the benchmark ends, however it ends. */
export function makeTemporaryDirectory(): string {
  hookExit();
  const directory = mkdtempSync(join(tmpdir(), "firn-bench-"));
  directories.add(directory);
  return directory;
}

/** Writes the config into a directory, starts workerd there and resolves once its socket listens. */
export async function startWorkerd(config: WorkerdConfig, directory: string): Promise<WorkerdProcess> {
  hookExit();
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(config.files)) writeFileSync(join(directory, name), content);
  writeFileSync(join(directory, "config.capnp"), formatConfig(config));
  const log = join(directory, "workerd.log");
  const output = openSync(log, "a");
  const child = spawn(WORKERD, ["serve", "--experimental", "--control-fd=3", "config.capnp"], {
    cwd: directory,
    stdio: ["ignore", output, output, "pipe"],
  });
  if (child.pid === undefined) throw new Error(`Cannot start workerd: ${WORKERD} does not run`);
  running.set(child.pid, child);
  child.once("exit", () => running.delete(child.pid ?? 0));
  try {
    const port = await readPort(child, log);
    return { pid: child.pid, port, stop: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

/** Quotes a text for Cap'n Proto's text format, which takes C escapes. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

function formatConfig(config: WorkerdConfig): string {
  return [
    'using Workerd = import "/workerd/workerd.capnp";',
    "const config :Workerd.Config = (",
    `  services = [\n    ${config.services.join(",\n    ")}\n  ],`,
    `  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = ${quote(config.socketService)})],`,
    `  extensions = [${(config.extensions ?? []).join(", ")}],`,
    `  v8Flags = [${V8_FLAGS.map(quote).join(", ")}]`,
    ");\n",
  ].join("\n");
}

/** workerd writes `{"event":"listen","socket":"http","port":…}` to the control descriptor once it listens. */
function readPort(child: ChildProcess, log: string): Promise<number> {
  const control = child.stdio[3] as Readable;
  return new Promise((resolve, reject) => {
    const fail = (state: string): void => {
      clearTimeout(timer);
      reject(new Error(`Cannot start workerd: ${state}\n${readFileSync(log, "utf8")}`));
    };
    const timer = setTimeout(() => fail(`no socket after ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    child.once("exit", (code) => fail(`it ended with code ${code}`));
    let text = "";
    control.on("data", (piece: Buffer) => {
      text += piece.toString();
      const match = /"event":"listen"[^}]*"port":(\d+)/.exec(text);
      if (match === null) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

function hookExit(): void {
  if (hooked) return;
  hooked = true;
  process.on("exit", () => {
    for (const child of running.values()) child.kill("SIGKILL");
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });
  for (const [signal, code] of [["SIGINT", 130] as const, ["SIGTERM", 143] as const]) {
    process.once(signal, () => process.exit(code));
  }
}
