/**
 * The archives that the replay benchmark reads. An archive of many gigabytes is made of a small one in no time: objects
 * are linked under other minutes, hours together with their manifests, so that only the keys differ.
 */
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sendLoad } from "./load.ts";
import { prepareRequests } from "./request-pool.ts";
import type { FirnServer } from "./workerd-server.ts";

const MAX_SECONDS = 600;
const MINUTE_MILLIS = 60_000;
const HOUR_MILLIS = 60 * MINUTE_MILLIS;

/** Settings of a Firn that fills an archive: flushes and compacts when it is told to, and stores equal bodies again. */
export const ARCHIVE_SETTINGS: Readonly<Record<string, string>> = {
  FLUSH_INTERVAL_SECONDS: "3600",
  DEDUPE_WINDOW_SECONDS: "0",
  BACKLOG_MAX_BYTES: String(8 * 1024 * 1024 * 1024),
  COMPACT_GRACE_SECONDS: "0",
};

/** An archive as clients fill it, and as compaction leaves it. */
export type ArchiveState = "fresh" | "compacted";

/** A half-open span of time, in the form of the query. */
export interface BucketWindow {
  readonly start: number;
  readonly end: number;
}

/** What an archive is filled with: recorded traces, a pool of requests sent again and again, each pass flushed. */
export interface Filling {
  readonly poolRequests: number;
  readonly requestBytes: number;
  /** At least so many raw bytes. */
  readonly minBytes: number;
}

/** Fills an archive with what was acknowledged. @returns raw bytes */
export async function fillArchive(
  firn: FirnServer,
  { poolRequests, requestBytes, minBytes }: Filling,
): Promise<number> {
  const pool = prepareRequests(poolRequests, requestBytes);
  let rawBytes = 0;
  while (rawBytes < minBytes) {
    const load = await sendLoad({ port: firn.port, requests: pool, connections: 4, maxSeconds: MAX_SECONDS });
    if (load.nonOkCount > 0) throw new Error(`Cannot fill the archive: ${load.firstFailure}`);
    rawBytes += load.rawBytes;
    await firn.call("POST", "/admin/flush");
  }
  return rawBytes;
}

/** Compacts all traces, those of hours that are not over, too. */
export async function compactArchive(firn: FirnServer): Promise<void> {
  await firn.call("POST", "/admin/compact?signal=traces&force=true");
}

/** The query of everything between two instants. */
export function formatWindow({ start, end }: BucketWindow): string {
  const [from, until] = [start, end].map((time) => new Date(time).toISOString());
  return `signal=traces&start=${from}&end=${until}`;
}

/** The hours that hold what was written between two instants. */
export function toHours(from: number, until: number): BucketWindow {
  return {
    start: Math.floor(from / HOUR_MILLIS) * HOUR_MILLIS,
    end: (Math.floor(until / HOUR_MILLIS) + 1) * HOUR_MILLIS,
  };
}

/** Files of a bucket with such a name, by their path below it. */
export function listFiles(bucket: string, pattern: RegExp): readonly string[] {
  return readdirSync(bucket, { recursive: true, encoding: "utf8" }).filter((path) => pattern.test(path));
}

/** Where copies begin, and how they are taken away again. */
export interface Copied {
  readonly start: number;
  readonly remove: () => void;
}

/** Links every fresh object of traces under as many earlier minutes as there are to be copies. */
export function copyMinutes(bucket: string, copies: number): Copied {
  const originals = listFiles(bucket, /minute=\d\d\/traces_[^/]*\.binpb\.gz$/);
  const minutes = originals.map((path) => instantOf(path));
  const span = Math.max(...minutes) - Math.min(...minutes) + MINUTE_MILLIS;
  const made: string[] = [];
  for (let copy = 1; copy <= copies; copy += 1) {
    for (const path of originals) made.push(link(bucket, path, move(path, copy * span)));
  }
  return { start: Math.min(...minutes) - copies * span, remove: () => made.forEach((path) => rmSync(path)) };
}

/** Links every compacted object of traces under as many earlier hours, and gives each hour a manifest of its own. */
export function copyHours(bucket: string, copies: number): Copied {
  const outputs = listFiles(bucket, /hour=\d\d\/traces_[^/]*\.binpb\.zst$/);
  const manifests = listFiles(bucket, /_firn\/manifests\/.*\/00000001-[^/]*\.json$/);
  const hours = outputs.map((path) => instantOf(path));
  const span = Math.max(...hours) - Math.min(...hours) + HOUR_MILLIS;
  const made: string[] = [];
  for (let copy = 1; copy <= copies; copy += 1) {
    for (const path of outputs) made.push(link(bucket, path, move(path, copy * span)));
    for (const path of manifests) made.push(...copyManifest(bucket, path, copy * span));
  }
  return { start: Math.min(...hours) - copies * span, remove: () => made.forEach((path) => rmSync(path)) };
}

/** A manifest names its outputs and, by digest, their member tables, which name them again. */
function copyManifest(bucket: string, path: string, earlier: number): readonly string[] {
  const made: string[] = [];
  let text = move(readFileSync(join(bucket, path), "utf8"), earlier);
  const manifest = JSON.parse(readFileSync(join(bucket, path), "utf8")) as {
    readonly outputs: readonly { readonly members: { readonly key: string; readonly sha256: string } }[];
  };
  for (const { members } of manifest.outputs) {
    const table = move(readFileSync(join(bucket, members.key), "utf8"), earlier);
    made.push(write(bucket, move(members.key, earlier), table));
    text = text.replace(members.sha256, sha256(table));
  }
  const name = `00000001-${sha256(text).slice(0, 16)}.json`;
  return [...made, write(bucket, join(dirname(move(path, earlier)), name), text)];
}

/** Moves every hour and minute that is written in keys and manifests into the past. */
function move(text: string, millis: number): string {
  return text
    .replaceAll(/year=(\d+)\/month=(\d+)\/day=(\d+)\/hour=(\d+)(?:\/minute=(\d+))?/g, (_, ...found: string[]) => {
      const [year, month, day, hour, minute] = found;
      const [date, time] = earlierThan(`${year}-${month}-${day}T${hour}:${minute ?? "00"}:00Z`, millis).split("T");
      const [movedYear, movedMonth, movedDay] = date?.split("-") ?? [];
      const path = `year=${movedYear}/month=${movedMonth}/day=${movedDay}/hour=${time?.slice(0, 2)}`;
      return minute === undefined ? path : `${path}/minute=${time?.slice(3, 5)}`;
    })
    .replaceAll(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z/g, (_, ...found: string[]) => {
      const [year, month, day, hour, minute, second, milli] = found;
      const moved = earlierThan(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milli}Z`, millis);
      return moved.replaceAll(/[-:.]/g, "");
    })
    .replaceAll(/"hour":"([^"]+)"/g, (_, hour: string) => `"hour":"${earlierThan(hour, millis)}"`);
}

function earlierThan(time: string, millis: number): string {
  return new Date(Date.parse(time) - millis).toISOString();
}

/** First instant of the partition that a path names. */
function instantOf(path: string): number {
  const [, year, month, day, hour, minute = "00"] =
    /year=(\d+)\/month=(\d+)\/day=(\d+)\/hour=(\d+)(?:\/minute=(\d+))?/.exec(path) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`);
}

function link(bucket: string, from: string, to: string): string {
  const path = join(bucket, to);
  mkdirSync(dirname(path), { recursive: true });
  linkSync(join(bucket, from), path);
  return path;
}

function write(bucket: string, to: string, text: string): string {
  const path = join(bucket, to);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
