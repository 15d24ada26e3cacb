/**
 * A Firn on this machine: starts `wrangler dev` on a directory and a port, waits until it answers, stops it in peace
 * or kills its whole process tree. `npm start`, the demo, the end-to-end tests and the benchmarks share it. Nothing
 * here needs a network. Facts about the process tree and about stopping: spec/platform.md 2.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { identifyProcess, killProcessTrees, listProcessTrees, type ProcessIdentity } from "./process-tree.ts";
import { createOutputFilter, isBuildFailure } from "./wrangler-output.ts";

const ROOT = join(import.meta.dirname, "..");
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
/** Bundling and starting takes about 2 s, much more on a loaded machine. */
const READY_TIMEOUT_MILLIS = 90_000;
/** One probe; a failed build leaves a port that accepts connections and never answers. */
const PROBE_TIMEOUT_MILLIS = 2_000;
const PROBE_PAUSE_MILLIS = 50;
/** A stop in peace takes under 3 s; after this the tree is killed. */
const STOP_TIMEOUT_MILLIS = 8_000;
const PORT_FREE_TIMEOUT_MILLIS = 15_000;
/** Lines of output that an error message quotes. */
const QUOTED_LINES = 12;

/** How to start a local Firn. */
export interface LocalFirnOptions {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
  /** Directory for buffers and objects; made when missing. */
  readonly persistTo: string;
  /** Variables, as `wrangler dev --var` takes them. `ALLOW_ANONYMOUS` is `true` unless it stands here. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Gets each line that a user should see: errors, and warnings of the worker. */
  readonly onNotice?: (line: string) => void;
}

/** A Firn that was started; it may not be ready yet. */
export interface LocalFirn {
  readonly url: string;
  readonly port: number;
  readonly persistTo: string;
  /** Everything that wrangler and the worker printed. */
  readonly logFile: string;
  /** Exit code of the process, once it has ended. */
  readonly exited: Promise<number>;
  /** Resolves when `/healthz` answers 200. @throws Error when it ends, cannot be built or takes too long. */
  readonly untilReady: (timeoutMillis?: number) => Promise<void>;
  /** Ends it in peace and waits until the port is free. */
  readonly stop: () => Promise<void>;
  /** Kills every process of it at once and waits until the port is free; returns how many there were. */
  readonly killTree: () => Promise<number>;
}

/** Starts a local Firn and waits until it answers. */
export async function startLocalFirn(options: LocalFirnOptions): Promise<LocalFirn> {
  const firn = spawnLocalFirn(options);
  try {
    await firn.untilReady();
  } catch (error) {
    await firn.killTree();
    throw error;
  }
  return firn;
}

/** Starts a local Firn and returns at once. */
export function spawnLocalFirn(options: LocalFirnOptions): LocalFirn {
  mkdirSync(options.persistTo, { recursive: true });
  const logFile = join(options.persistTo, "wrangler.log");
  // Not detached: whoever kills the process group of `npm start` means this process, too.
  const child = spawn(process.execPath, [WRANGLER, ...formatArguments(options)], {
    cwd: ROOT,
    env: { ...process.env, ...QUIET, WRANGLER_REGISTRY_PATH: join(options.persistTo, "registry") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const notices: string[] = [];
  const url = `http://127.0.0.1:${options.port}`;
  readOutput(child, logFile, (line) => {
    notices.push(line);
    options.onNotice?.(line);
  });
  const exited = new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  // The tree is noted while its root lives: once that has ended, nothing else tells whose the others were.
  let tree: readonly ProcessIdentity[] = [];
  const noteTree = (): void => {
    const root = child.pid === undefined ? null : identifyProcess(child.pid);
    if (root !== null) tree = listProcessTrees([root]);
  };
  const killTree = async (): Promise<number> => {
    noteTree();
    const killed = await killProcessTrees(tree);
    await waitUntilPortIsFree(options.port);
    return killed.length;
  };
  return {
    url,
    port: options.port,
    persistTo: options.persistTo,
    logFile,
    exited,
    untilReady: async (timeoutMillis = READY_TIMEOUT_MILLIS) => {
      await untilReady({ url, logFile, exited, notices, timeoutMillis });
      noteTree();
    },
    stop: async () => {
      noteTree();
      // Nobody tells the others to end when the first one is gone already.
      if (child.kill("SIGTERM")) await waitUntilGone(tree);
      await killTree();
    },
    killTree,
  };
}

/** Asks the system for a port that nobody listens on. */
export async function findFreePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = address === null || typeof address === "string" ? 0 : address.port;
      server.close(() => resolve(port));
    });
  });
}

/** Says whether a server could listen on a port of 127.0.0.1 now. */
export async function isPortFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Keeps wrangler from the network, from its own log directory and from asking anything. */
const QUIET: Readonly<Record<string, string>> = {
  CI: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  FORCE_COLOR: "0",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
};

function formatArguments(options: LocalFirnOptions): string[] {
  const vars = { ALLOW_ANONYMOUS: "true", ...options.vars };
  const place = ["--ip", "127.0.0.1", "--port", String(options.port), "--persist-to", options.persistTo];
  return [
    "dev",
    ...place,
    "--show-interactive-dev-session=false",
    "--inspector-port=0",
    ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ];
}

function readOutput(child: ChildProcess, logFile: string, onNotice: (line: string) => void): void {
  const log = createWriteStream(logFile, { flags: "a" });
  let open = 0;
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    open += 1;
    const filter = createOutputFilter();
    const lines = createInterface({ input: stream });
    lines.on("line", (line) => {
      log.write(`${line}\n`);
      const shown = filter.accept(line);
      if (shown !== null) onNotice(shown);
    });
    lines.once("close", () => {
      open -= 1;
      if (open === 0) log.end();
    });
  }
}

interface ReadyWait {
  readonly url: string;
  readonly logFile: string;
  readonly exited: Promise<number>;
  readonly notices: readonly string[];
  readonly timeoutMillis: number;
}

async function untilReady({ url, logFile, exited, notices, timeoutMillis }: ReadyWait): Promise<void> {
  let code: number | null = null;
  void exited.then((value) => (code = value));
  const deadline = Date.now() + timeoutMillis;
  const fail = (what: string): Error => {
    const quoted = notices.slice(-QUOTED_LINES).map((line) => `\n  ${line}`);
    return new Error(`Cannot start Firn on ${url}: ${what}; all output is in ${logFile}${quoted.join("")}`);
  };
  while (!(await isHealthy(url))) {
    if (code !== null) throw fail(`wrangler ended with code ${String(code)}`);
    if (notices.some(isBuildFailure)) throw fail("the worker could not be built");
    if (Date.now() > deadline) throw fail(`/healthz did not answer within ${timeoutMillis} ms`);
    await delay(PROBE_PAUSE_MILLIS);
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MILLIS) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false; // nobody listens yet, or nobody answers
  }
}

/** Gives processes that were asked to end the time to do so. */
async function waitUntilGone(tree: readonly ProcessIdentity[]): Promise<void> {
  const deadline = Date.now() + STOP_TIMEOUT_MILLIS;
  while (listProcessTrees(tree).length > 0 && Date.now() < deadline) await delay(PROBE_PAUSE_MILLIS);
}

async function waitUntilPortIsFree(port: number): Promise<void> {
  const deadline = Date.now() + PORT_FREE_TIMEOUT_MILLIS;
  while (!(await isPortFree(port))) {
    if (Date.now() > deadline)
      throw new Error(`Cannot free port ${port}: somebody listens ${PORT_FREE_TIMEOUT_MILLIS} ms after the end`);
    await delay(PROBE_PAUSE_MILLIS);
  }
}
