/** A server process of a test: started, waited for, and ended with its whole tree by process id. */
import { spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { identifyProcess, killProcessTrees } from "../../scripts/process-tree.ts";

const READY_TIMEOUT_MILLIS = 30_000;
const PROBE_PAUSE_MILLIS = 50;

/** A started process. */
export interface ServerProcess {
  readonly stop: () => Promise<void>;
}

/** What to run. */
export interface ServerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Any HTTP answer from here means that the server is up; without it, nobody waits. */
  readonly probeUrl?: string;
  readonly logFile: string;
}

/** Makes a directory of its own for a server; {@link removeDirectory} takes it away. */
export function makeDirectory(name: string): string {
  return mkdtempSync(join(tmpdir(), `firn-${name}-`));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** Starts a process and waits until it answers. @throws Error when it ends or does not answer in time */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const child = spawn(command.file, command.args, {
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    env: { ...process.env, ...command.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(command.logFile, { flags: "a" });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  let ended: string | null = null;
  child.once("error", (error) => (ended = error.message));
  child.once("exit", (code) => (ended = `it ended with code ${String(code)}`));
  const root = child.pid === undefined ? null : identifyProcess(child.pid);
  const stop = async (): Promise<void> => {
    if (root !== null) await killProcessTrees([root]);
  };
  const deadline = Date.now() + READY_TIMEOUT_MILLIS;
  while (command.probeUrl !== undefined && !(await answers(command.probeUrl))) {
    if (ended === null && Date.now() <= deadline) await delay(PROBE_PAUSE_MILLIS);
    else {
      await stop();
      throw new Error(`Cannot start ${command.file}: ${ended ?? "no answer"}; its output is in ${command.logFile}`);
    }
  }
  return { stop };
}

/**
 * Starts a server that has a directory of its own, and what its tests need in it. What fails once the process is up
 * ends it, and takes the directory away, as its end does; of a process that does not come up the directory tells why.
 * @param prepare - makes the bucket, say
 */
export async function startPrepared(
  directory: string,
  command: Omit<ServerCommand, "logFile">,
  prepare: () => Promise<void>,
): Promise<ServerProcess> {
  const server = await startServer({ ...command, logFile: join(directory, "log") });
  const stop = async (): Promise<void> => {
    await server.stop();
    removeDirectory(directory);
  };
  try {
    await prepare();
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return true;
  } catch {
    return false; // nobody listens yet
  }
}
