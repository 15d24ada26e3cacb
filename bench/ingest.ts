/**
 * Ingest over plain workerd: requests of 10 KB, 100 KB and 1 MB raw over 16 and 64 connections, each acknowledged only
 * when durable. The figure that counts is CPU of the server's process; sender and store have processes of their own.
 *
 * Each case stands beside its limit, a worker of two lines that gets the same requests on the same machine right before
 * and right after: from 100 KB on gunzip and SHA-256 of the same bytes, at 10 KB only reading the body.
 */
import { round, type BenchLine } from "./bench-line.ts";
import { sendLoad, type LoadResult } from "./load.ts";
import { cpuSeconds } from "./process-usage.ts";
import { prepareRequests, type PreparedRequest } from "./request-pool.ts";
import { startBareWorker, startFirn, type BenchServer, type FirnServer } from "./workerd-server.ts";

const KIB = 1024;
const MAX_SECONDS = 120;
const ROWS_TARGET = 0.1;

/** Nothing flushes while a case is measured; what a flush costs is measured after it. */
const SETTINGS = { FLUSH_INTERVAL_SECONDS: "3600", FLUSH_MAX_BYTES: String(1024 * KIB * KIB) };

const READ_BODY = `
export default { async fetch(request) { await request.arrayBuffer(); return new Response(""); } };`;
const GUNZIP_AND_DIGEST = `
import { gunzipSync } from "node:zlib";
export default { async fetch(request) {
  const body = new Uint8Array(await request.arrayBuffer());
  if (body.length > 0) await crypto.subtle.digest("SHA-256", gunzipSync(body, { maxOutputLength: 20 * 1024 * 1024 }));
  return new Response("");
} };`;

interface Size {
  readonly name: string;
  readonly rawBytes: number;
  /** Sent before anything is measured, so that the code is compiled. */
  readonly warmUpCount: number;
  /** Enough for a second of CPU, which the clock counts in steps of 10 ms. */
  readonly count: number;
  readonly limit: { readonly name: string; readonly script: string; readonly targetRatio: number };
}

const GUNZIP_LIMIT = { name: "gunzip+sha256", script: GUNZIP_AND_DIGEST };
const SIZES: readonly Size[] = [
  {
    name: "10KB",
    rawBytes: 10 * KIB,
    warmUpCount: 2000,
    count: 10_000,
    limit: { name: "read body", script: READ_BODY, targetRatio: 4 },
  },
  {
    name: "100KB",
    rawBytes: 100 * KIB,
    warmUpCount: 300,
    count: 3000,
    limit: { ...GUNZIP_LIMIT, targetRatio: 3.2 },
  },
  {
    name: "1MB",
    rawBytes: KIB * KIB,
    warmUpCount: 64,
    count: 320,
    limit: { ...GUNZIP_LIMIT, targetRatio: 2.5 },
  },
];
const CONNECTIONS = [16, 64] as const;

/** A load and the CPU that the server spent on it. */
interface Measurement {
  readonly load: LoadResult;
  readonly cpuSeconds: number;
}

/** Measures every size with every number of connections. */
export async function run(): Promise<readonly BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const size of SIZES) {
    const pool = prepareRequests(size.warmUpCount + size.count, size.rawBytes);
    for (const connections of CONNECTIONS) lines.push(...(await measureCase(size, pool, connections)));
  }
  return lines;
}

async function measureCase(
  size: Size,
  pool: readonly PreparedRequest[],
  connections: number,
): Promise<readonly BenchLine[]> {
  const warmUp = pool.slice(0, size.warmUpCount);
  const requests = pool.slice(size.warmUpCount);
  const limit = await startBareWorker(size.limit.script);
  const firn = await startFirn(SETTINGS);
  try {
    await measure(limit, warmUp, connections);
    await measure(firn, warmUp, connections);
    const rowsBefore = await readRowsWritten(firn);
    const limitBefore = await measure(limit, requests, connections);
    const measured = await measure(firn, requests, connections);
    const limitAfter = await measure(limit, requests, connections);
    const rowsInserted = (await readRowsWritten(firn)) - rowsBefore;
    const flushCpuSeconds = await flush(firn);
    const rowsWithFlush = (await readRowsWritten(firn)) - rowsBefore;
    const limitCpuSeconds = (limitBefore.cpuSeconds + limitAfter.cpuSeconds) / 2;
    const line = formatCase(size, connections, measured, { limitCpuSeconds, flushCpuSeconds });
    if (size.name !== "10KB" || connections !== 64) return [line];
    return [line, formatRows(requests.length, rowsInserted, rowsWithFlush)];
  } finally {
    await Promise.all([firn.stop(), limit.stop()]);
  }
}

async function measure(
  server: BenchServer,
  requests: readonly PreparedRequest[],
  connections: number,
): Promise<Measurement> {
  const before = cpuSeconds(server.pid);
  const load = await sendLoad({ port: server.port, requests, connections, maxSeconds: MAX_SECONDS });
  return { load, cpuSeconds: cpuSeconds(server.pid) - before };
}

/** @returns CPU seconds of writing out everything, warm-up included. */
async function flush(firn: FirnServer): Promise<number> {
  const before = cpuSeconds(firn.pid);
  await firn.call("POST", "/admin/flush");
  return cpuSeconds(firn.pid) - before;
}

/** Rows that all shards wrote and deleted since they started, as the platform bills them. */
async function readRowsWritten(firn: FirnServer): Promise<number> {
  const status = (await firn.call("GET", "/status")) as {
    readonly shards: readonly { readonly counters: { readonly rows_written_since_start: number } }[];
  };
  return status.shards.reduce((sum, shard) => sum + shard.counters.rows_written_since_start, 0);
}

function formatCase(
  size: Size,
  connections: number,
  { load, cpuSeconds: cpu }: Measurement,
  others: { readonly limitCpuSeconds: number; readonly flushCpuSeconds: number },
): BenchLine {
  const ratio = cpu / others.limitCpuSeconds;
  const sentCount = size.count + size.warmUpCount;
  return {
    name: `ingest.${size.name}.c${connections}`,
    requests: load.requestCount,
    non_200: load.nonOkCount,
    first_failure: load.firstFailure,
    requests_per_s: round(load.requestCount / load.seconds),
    raw_mb_per_s: round(load.rawBytes / 1e6 / load.seconds),
    items_per_s: round(load.itemCount / load.seconds),
    p50_ms: round(load.p50Ms),
    p99_ms: round(load.p99Ms),
    raw_mb_per_cpu_s: round(load.rawBytes / 1e6 / cpu),
    items_per_cpu_s: round(load.itemCount / cpu),
    cpu_ms_per_request: round((1000 * cpu) / load.requestCount),
    flush_cpu_ms_per_request: round((1000 * others.flushCpuSeconds) / sentCount),
    sender_cpu_s: round(load.clientCpuSeconds),
    limit: size.limit.name,
    limit_cpu_ms_per_request: round((1000 * others.limitCpuSeconds) / load.requestCount),
    ratio_cpu: round(ratio),
    target: `ratio_cpu <= ${size.limit.targetRatio}`,
    ok: ratio <= size.limit.targetRatio && load.nonOkCount === 0,
  };
}

function formatRows(requestCount: number, rowsInserted: number, rowsWithFlush: number): BenchLine {
  const rowsPerRequest = rowsWithFlush / requestCount;
  return {
    name: "ingest.rows.10KB.c64",
    requests: requestCount,
    rows_before_flush: rowsInserted,
    rows_with_flush: rowsWithFlush,
    rows_per_request: round(rowsPerRequest),
    target: `rows_per_request <= ${ROWS_TARGET}`,
    ok: rowsPerRequest <= ROWS_TARGET,
  };
}
