/**
 * CPU and memory of a process as Linux counts them: https://man7.org/linux/man-pages/man5/proc.5.html. The CPU figure
 * has the granularity of a clock tick (10 ms), so a measured stretch should cost a second or more.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const KIB = 1024;

/**
 * Counts the CPU seconds that a process, its threads, its ended children and its living descendants have used.
 * @param pid must be alive.
 */
export function cpuSeconds(pid: number): number {
  // The command name in field 2 may hold spaces and parentheses; the fields after the last ")" are plain.
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Fields 14 to 17 of the page, utime stime cutime cstime; field 3 is index 0 here.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const own = ticks / TICKS_PER_SECOND;
  return childPids(pid).reduce((sum, child) => sum + cpuSeconds(child), own);
}

/** Highest resident memory in bytes since the process began or {@link resetPeakRss} was called. */
export function peakRss(pid: number): number {
  return readStatusKib(pid, "VmHWM") * KIB;
}

/** Resident memory in bytes now. */
export function currentRss(pid: number): number {
  return readStatusKib(pid, "VmRSS") * KIB;
}

/** Sets the peak to the memory that is resident now ("5" in `clear_refs`). */
export function resetPeakRss(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/**
 * Measures the peer of compaction: CPU seconds of `zcat | zstd -3`.
 * @param files as bash takes them
 * @param directory where they are
 * @throws Error when a program fails, or says anything: what it did is not what is to be measured then
 */
export function recompressSeconds(files: string, directory: string = process.cwd()): number {
  const script = `set -o pipefail; TIMEFORMAT="%U %S"; time (zcat ${files} | zstd -3 -q -c > /dev/null)`;
  const output = execFileSync("bash", ["-c", `exec 2>&1; ${script}`], { cwd: directory }).toString();
  const [user, system, ...others] = output.trim().split(/\s+/).map(Number);
  if (user === undefined || system === undefined || others.length > 0 || Number.isNaN(user + system)) {
    throw new Error(`Cannot measure "zcat | zstd -3": found "${output.trim()}", expected two numbers of seconds`);
  }
  return user + system;
}

function childPids(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

function readStatusKib(pid: number, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  if (match === null) throw new Error(`Cannot read ${field} of process ${pid}: no such line in its status`);
  return Number(match[1]);
}
