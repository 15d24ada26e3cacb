/**
 * A whole compaction on plain workerd with the default settings: an hour of fresh objects, as Firn's clients send them,
 * becomes hour objects. What counts is CPU of the server's process beside `zcat | zstd -3` over the same objects, its
 * peak of memory over idle, the bytes before and after, and what the store was asked.
 *
 * Requests of one pool are sent again and again with the dedupe off: 5 GB of distinct ones would not fit this process.
 * `FIRN_BENCH_HOUR_MB` sets the raw size of the hour; 5000 takes some minutes. Needs the programs zcat and zstd.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CompactAnswer } from "../scripts/firn-client.ts";
import { archiveVars } from "../test/servers/s3-bucket.ts";
import type { StartedVersitygw } from "../test/servers/versitygw.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { sendLoad } from "./load.ts";
import { cpuSeconds, currentRss, peakRss, recompressSeconds, resetPeakRss } from "./process-usage.ts";
import { prepareRequests } from "./request-pool.ts";
import { withVersitygw } from "./s3-store.ts";
import { makeTemporaryDirectory } from "./workerd-process.ts";
import { startFirn, type FirnServer } from "./workerd-server.ts";

const MIB = 1024 * 1024;
const HOUR_MB = Number(process.env["FIRN_BENCH_HOUR_MB"] ?? 512);
const CALLS_MB = 128;
const REQUEST_BYTES = MIB;
const POOL_REQUESTS = 64;
const MAX_SECONDS = 600;
const SETTLE_MS = 5_000;
const TARGET_CPU_RATIO = 0.5;
const TARGET_GROWTH_BYTES = 96 * MIB;
/** USD a million calls of R2, list price: puts, lists and parts; gets and heads. Deletes are free. */
const CLASS_A_USD = 4.5;
const CLASS_B_USD = 0.36;
const SETTINGS = { FLUSH_INTERVAL_SECONDS: "3600", DEDUPE_WINDOW_SECONDS: "0", BACKLOG_MAX_BYTES: String(8192 * MIB) };

interface Compaction {
  readonly growthBytes: number;
  readonly cpuSeconds: number;
  /** Of the Compactor, which began with none: the answer of a request leaves out what its alarm did meanwhile. */
  readonly counters: Counters;
}

interface Counters {
  readonly sources: number;
  readonly outputs: number;
  readonly raw_bytes: number;
  readonly stored_bytes_before: number;
  readonly stored_bytes_after: number;
}

interface StatusAnswer {
  readonly compaction: readonly { readonly signal: string; readonly counters: Counters }[];
}

/** Measures one hour for CPU and memory, and a smaller one for calls. */
export async function run(): Promise<readonly BenchLine[]> {
  return [await measureHour(), await withVersitygw(countCalls)];
}

async function measureHour(): Promise<BenchLine> {
  let firn = await startFirn(SETTINGS);
  try {
    const rawBytes = await fill(firn, HOUR_MB);
    const peer = await measurePeer(firn);
    // A fresh process, as an alarm finds it.
    firn = await firn.restart();
    const { counters, growthBytes, ...compacted } = await compact(firn);
    if (counters.sources !== peer.objects) {
      throw new Error(`Cannot measure: ${counters.sources} of ${peer.objects} objects were compacted`);
    }
    // Both are given the same bytes; what outputs hold is less, since contexts stand there once.
    const ratio = peer.cpuSeconds / compacted.cpuSeconds;
    return {
      name: `compaction.${HOUR_MB}MB`,
      source_raw_bytes: rawBytes,
      ...counters,
      size_ratio: round(counters.stored_bytes_after / counters.stored_bytes_before),
      raw_mb_per_cpu_s: round(rawBytes / compacted.cpuSeconds / 1e6),
      peer_mb_per_cpu_s: round(rawBytes / peer.cpuSeconds / 1e6),
      cpu_ratio: round(ratio),
      rss_growth_mib: round(growthBytes / MIB),
      target: `cpu_ratio >= ${TARGET_CPU_RATIO}, rss_growth_mib <= ${TARGET_GROWTH_BYTES / MIB}`,
      ok: ratio >= TARGET_CPU_RATIO && growthBytes <= TARGET_GROWTH_BYTES,
    };
  } finally {
    await firn.stop();
  }
}

/** @returns raw bytes that were acknowledged and flushed */
async function fill(firn: FirnServer, megabytes: number): Promise<number> {
  const pool = prepareRequests(POOL_REQUESTS, REQUEST_BYTES);
  let rawBytes = 0;
  while (rawBytes < megabytes * 1e6) {
    const load = await sendLoad({ port: firn.port, requests: pool, connections: 4, maxSeconds: MAX_SECONDS });
    if (load.nonOkCount > 0) throw new Error(`Cannot fill the shard: ${load.firstFailure}`);
    rawBytes += load.rawBytes;
  }
  await firn.call("POST", "/admin/flush");
  return rawBytes;
}

async function compact(firn: FirnServer): Promise<Compaction> {
  await firn.call("GET", "/status");
  await sleep(SETTLE_MS);
  resetPeakRss(firn.pid);
  const [rssBefore, cpuBefore] = [currentRss(firn.pid), cpuSeconds(firn.pid)];
  const report = (await firn.call("POST", "/admin/compact?signal=traces&force=true")) as CompactAnswer;
  const used = cpuSeconds(firn.pid) - cpuBefore;
  const growthBytes = peakRss(firn.pid) - rssBefore;
  if (!report.complete) throw new Error(`Cannot measure: the compaction did not end: ${JSON.stringify(report)}`);
  const { compaction } = (await firn.call("GET", "/status")) as StatusAnswer;
  const traces = compaction.find(({ signal }) => signal === "traces");
  if (traces === undefined) throw new Error("Cannot measure: the status does not name the Compactor of traces");
  const { sources, outputs, raw_bytes, stored_bytes_before, stored_bytes_after } = traces.counters;
  const counters = { sources, outputs, raw_bytes, stored_bytes_before, stored_bytes_after };
  return { counters, cpuSeconds: used, growthBytes };
}

/** CPU seconds of `zcat | zstd -3` over the fresh objects. */
async function measurePeer(firn: FirnServer): Promise<{ readonly objects: number; readonly cpuSeconds: number }> {
  const directory = join(makeTemporaryDirectory(), "objects");
  mkdirSync(directory);
  let count = 0;
  for (const { key } of await firn.store.list()) {
    if (!key.endsWith(".gz")) continue;
    writeFileSync(join(directory, `${String(count++).padStart(6, "0")}.gz`), await firn.store.get(key));
  }
  return { objects: count, cpuSeconds: recompressSeconds("*.gz", directory) };
}

/** The same over S3, where the server's log has a line for each call. */
async function countCalls({ server, directory }: StartedVersitygw): Promise<BenchLine> {
  const firn = await startFirn({ ...SETTINGS, ...archiveVars(server) });
  try {
    const log = join(directory, "log");
    const rawBytes = await fill(firn, CALLS_MB);
    const before = readFileSync(log, "utf8").length;
    await compact(firn);
    const lines = readFileSync(log, "utf8").slice(before).split("\n");
    const count = (method: string): number => lines.filter((line) => line.includes(`| ${method}`)).length;
    const [puts, posts, gets, heads] = ["PUT", "POST", "GET", "HEAD"].map(count);
    const lists = lines.filter((line) => line.includes("list-type=2")).length;
    const classA = (puts ?? 0) + (posts ?? 0) + lists;
    const classB = (gets ?? 0) + (heads ?? 0) - lists;
    const perGb = 1e9 / rawBytes;
    return {
      name: `compaction.calls.${CALLS_MB}MB`,
      puts: puts ?? 0,
      posts: posts ?? 0,
      lists,
      gets_and_heads: classB,
      calls_per_raw_gb: round((classA + classB) * perGb),
      usd_per_raw_gb: round(((classA * CLASS_A_USD + classB * CLASS_B_USD) / 1e6) * perGb),
    };
  } finally {
    await firn.stop();
  }
}
