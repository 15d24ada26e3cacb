/**
 * Whole process trees: `wrangler dev` is five processes, and ending the first one ends none of the others
 * (spec/platform.md 2). {@link killProcessTrees} is the crash of a machine, as far as a process can play it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MILLIS = 20;
/** A tree that forks faster than it can be stopped is given up after so many rounds. */
const MAX_STOP_ROUNDS = 20;

/** A process, told apart from a later one with the same id by the time of its start. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot; empty where the system does not say. */
  readonly startTicks: string;
}

/**
 * Ends processes and all their descendants with SIGKILL, none of them having a chance to tidy up. They are stopped
 * first, so that none can start another one between the look and the kill.
 *
 * @param roots - processes to begin with; those that have ended are passed over.
 * @returns the processes that were killed.
 */
export async function killProcessTrees(
  roots: readonly ProcessIdentity[],
  timeoutMillis: number = 10_000,
): Promise<readonly ProcessIdentity[]> {
  const stopped = new Map<number, ProcessIdentity>();
  for (let round = 0; round < MAX_STOP_ROUNDS; round++) {
    const fresh = listProcessTrees([...roots, ...stopped.values()]).filter(({ pid }) => !stopped.has(pid));
    if (fresh.length === 0) break;
    for (const found of fresh) {
      sendSignal(found.pid, "SIGSTOP");
      stopped.set(found.pid, found);
    }
  }
  const victims = [...stopped.values()];
  for (const { pid } of victims) sendSignal(pid, "SIGKILL");
  const deadline = Date.now() + timeoutMillis;
  while (listProcessTrees(victims).length > 0) {
    if (Date.now() > deadline) throw new Error(`Cannot kill processes: still alive after ${timeoutMillis} ms`);
    await delay(POLL_MILLIS);
  }
  return victims;
}

/** Identifies a running process; `null` when it has ended. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const found = readProcesses().get(pid);
  return found === undefined ? null : { pid, startTicks: found.startTicks };
}

/** Lists those of the processes that still run, and their descendants, parents first. */
export function listProcessTrees(roots: readonly ProcessIdentity[]): readonly ProcessIdentity[] {
  const running = readProcesses();
  const tree = new Map<number, ProcessIdentity>();
  for (const root of roots) if (running.get(root.pid)?.startTicks === root.startTicks) tree.set(root.pid, root);
  // A map may grow while it is walked: the children of children are found in the same loop.
  for (const pid of tree.keys()) {
    for (const [child, { parent, startTicks }] of running)
      if (parent === pid) tree.set(child, { pid: child, startTicks });
  }
  return [...tree.values()];
}

interface RunningProcess {
  readonly parent: number;
  readonly startTicks: string;
}

/** Every running process by id; one that ended and waits to be reaped does not run. */
function readProcesses(): ReadonlyMap<number, RunningProcess> {
  return existsSync("/proc/self/stat") ? readProc() : readPs();
}

/** Linux: `/proc/<id>/stat`. The name field may hold spaces, so parsing starts after its ")". */
function readProc(): ReadonlyMap<number, RunningProcess> {
  const running = new Map<number, RunningProcess>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    let stat: string;
    try {
      stat = readFileSync(`/proc/${name}/stat`, "utf8");
    } catch {
      continue; // the process ended between the two reads
    }
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") continue;
    running.set(Number(name), { parent: Number(fields[1]), startTicks: fields[19] ?? "" });
  }
  return running;
}

/** The same where there is no `/proc` (macOS). */
function readPs(): ReadonlyMap<number, RunningProcess> {
  const running = new Map<number, RunningProcess>();
  for (const line of execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat="], { encoding: "utf8" }).split("\n")) {
    const [pid, parent, state] = line.trim().split(/\s+/);
    if (state !== undefined && !state.startsWith("Z"))
      running.set(Number(pid), { parent: Number(parent), startTicks: "" });
  }
  return running;
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
