/**
 * Replays to a file, as users do it: by curl, one answer after the other until the mark names no more. Who reads is a
 * process of its own, so that what it costs counts for nobody.
 */
import { execFile } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import { cpuSeconds } from "./process-usage.ts";

const TAIL_BYTES = 4096;
const MAX_OUTPUT_BYTES = 65_536;

/** What is asked of whom. */
export interface ReplayPlan {
  readonly port: number;
  readonly pid: number;
  /** Query without a cursor. */
  readonly query: string;
  /** Written anew by each answer. */
  readonly file: string;
}

/** What a window took. */
export interface Replayed {
  readonly items: number;
  readonly bytes: number;
  readonly pages: number;
  readonly seconds: number;
  /** CPU of the server alone. */
  readonly cpuSeconds: number;
  /** Until the first byte of the first answer. */
  readonly firstByteSeconds: number;
}

interface Mark {
  readonly items: number;
  readonly bytes: number;
  readonly next: string | null;
  readonly unreadable: number;
}

/** Reads a window to its end. @throws Error when an answer has no mark, or says that something was left out */
export async function replayToFile({ port, pid, query, file }: ReplayPlan): Promise<Replayed> {
  const cpuBefore = cpuSeconds(pid);
  const total = { items: 0, bytes: 0, pages: 0, seconds: 0, firstByteSeconds: 0 };
  for (let cursor: string | null = ""; cursor !== null;) {
    const url = `http://127.0.0.1:${port}/replay?${query}${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const report = ["--silent", "--show-error", "--fail", "--write-out", "%{time_total} %{time_starttransfer}"];
    const { stdout } = await promisify(execFile)("curl", [...report, "--output", file, url]);
    const [seconds = 0, firstByte = 0] = stdout.split(" ").map(Number);
    const mark = readMark(file);
    if (mark.unreadable > 0) throw new Error(`Cannot measure: ${mark.unreadable} objects were not readable`);
    if (total.pages === 0) total.firstByteSeconds = firstByte;
    total.items += mark.items;
    total.bytes += mark.bytes;
    total.seconds += seconds;
    total.pages += 1;
    cursor = mark.next;
  }
  return { ...total, cpuSeconds: cpuSeconds(pid) - cpuBefore };
}

/** The mark is the last thing in every format, an object without objects in it. */
function readMark(file: string): Mark {
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    const text = tail.toString("latin1");
    const start = text.lastIndexOf('{"items":');
    const end = text.indexOf("}", start);
    if (start < 0 || end < 0) throw new Error(`Cannot read ${file}: it ends without a mark`);
    return JSON.parse(text.slice(start, end + 1)) as Mark;
  } finally {
    closeSync(descriptor);
  }
}

/** What a command of the shell took. */
export interface CommandUsage {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Runs a command of bash in a directory and tells what it and its children took. */
export async function measureCommand(command: string, directory: string): Promise<CommandUsage> {
  const script = `TIMEFORMAT="%R %U %S"; time (${command})`;
  const { stderr } = await promisify(execFile)("bash", ["-c", script], { cwd: directory, maxBuffer: MAX_OUTPUT_BYTES });
  const [seconds = Number.NaN, user = Number.NaN, system = Number.NaN] = stderr.trim().split(/\s+/).map(Number);
  if (Number.isNaN(seconds + user + system)) throw new Error(`Cannot measure ${command}: ${stderr}`);
  return { seconds, cpuSeconds: user + system };
}

/** Takes a file away that a replay wrote. */
export function removeFile(file: string): void {
  rmSync(file, { force: true });
}
