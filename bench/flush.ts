/**
 * What a flush costs: memory must stay flat whatever the batch size, and no byte may be recompressed. A shard is filled
 * with one batch of gzip members that hardly compress, then flushed; peak memory of the workerd process is compared
 * with the moment before, and the stored object with the bodies that were sent.
 *
 * `cold` cases start the process again on the same data first, so that memory which filling left behind can't hide
 * what flushing takes; `warm` flushes in the process that took the requests.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { round, type BenchLine } from "./bench-line.ts";
import { sendLoad } from "./load.ts";
import { cpuSeconds, currentRss, peakRss, resetPeakRss } from "./process-usage.ts";
import { prepareRandomRequests, type PreparedRequest } from "./request-pool.ts";
import { startFirn, type FirnServer } from "./workerd-server.ts";

const MIB = 1024 * 1024;
const MEMBER_BYTES = 256 * 1024;
const TARGET_GROWTH_BYTES = 32 * MIB;
const CONNECTIONS = 4;
const MAX_SECONDS = 120;
/** Memory counts as settled when it moved by less than this within a second. */
const SETTLED_BYTES = MIB / 2;
const MAX_SETTLE_SECONDS = 30;
/** Far enough into a member to differ: the first bytes of all of them are gzip's and protobuf's. */
const MEMBER_KEY_BYTES = 512;

const SETTINGS = { FLUSH_INTERVAL_SECONDS: "3600", FLUSH_MAX_BYTES: String(1024 * MIB) };

interface FlushCase {
  readonly name: string;
  readonly batchBytes: number;
  readonly start: "warm" | "cold";
}

const CASES: readonly FlushCase[] = [
  { name: "flush.64MB.warm", batchBytes: 64 * MIB, start: "warm" },
  { name: "flush.16MB.cold", batchBytes: 16 * MIB, start: "cold" },
  { name: "flush.64MB.cold", batchBytes: 64 * MIB, start: "cold" },
];

/** Measures one flush a case. */
export async function run(): Promise<readonly BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const flushCase of CASES) lines.push(await measureCase(flushCase));
  return lines;
}

async function measureCase(flushCase: FlushCase): Promise<BenchLine> {
  const requests = prepareRandomRequests(Math.round(flushCase.batchBytes / MEMBER_BYTES), MEMBER_BYTES);
  let firn = await startFirn(SETTINGS);
  try {
    const load = await sendLoad({ port: firn.port, requests, connections: CONNECTIONS, maxSeconds: MAX_SECONDS });
    if (load.nonOkCount > 0) throw new Error(`Cannot fill the shard: ${load.firstFailure}`);
    if (flushCase.start === "cold") firn = await firn.restart();
    await firn.call("GET", "/status");
    await settle(firn.pid);
    const measured = await measureFlush(firn);
    return formatCase(flushCase, measured, await compareStored(firn, requests));
  } finally {
    await firn.stop();
  }
}

interface FlushMeasurement {
  readonly rssBefore: number;
  readonly growthBytes: number;
  readonly cpuSeconds: number;
  readonly seconds: number;
}

async function measureFlush(firn: FirnServer): Promise<FlushMeasurement> {
  resetPeakRss(firn.pid);
  const rssBefore = currentRss(firn.pid);
  const cpuBefore = cpuSeconds(firn.pid);
  const start = performance.now();
  await firn.call("POST", "/admin/flush");
  return {
    rssBefore,
    growthBytes: peakRss(firn.pid) - rssBefore,
    cpuSeconds: cpuSeconds(firn.pid) - cpuBefore,
    seconds: (performance.now() - start) / 1000,
  };
}

/** Waits until the process no longer gives memory back or takes more, for a bounded time. */
async function settle(pid: number): Promise<void> {
  for (let second = 0, last = 0; second < MAX_SETTLE_SECONDS; second++) {
    const now = currentRss(pid);
    if (Math.abs(now - last) < SETTLED_BYTES) return;
    last = now;
    await sleep(1000);
  }
}

/** How the bucket compares with what was sent. */
interface StoredComparison {
  readonly objectCount: number;
  readonly storedBytes: number;
  readonly sentBytes: number;
  /** Every object is a sequence of bodies exactly as sent, and every body is there once. */
  readonly identical: boolean;
}

async function compareStored(firn: FirnServer, requests: readonly PreparedRequest[]): Promise<StoredComparison> {
  const missing = new Map(requests.map((request) => [memberKey(request.body, 0), request.body]));
  const objects = await firn.store.list();
  let storedBytes = 0;
  let identical = true;
  for (const { key, length } of objects) {
    storedBytes += length;
    identical &&= takeMembers(await firn.store.get(key), missing);
  }
  const sentBytes = requests.reduce((sum, request) => sum + request.body.length, 0);
  return { objectCount: objects.length, storedBytes, sentBytes, identical: identical && missing.size === 0 };
}

/** Walks an object member by member and takes each out of what is missing; `false` at the first byte that differs. */
function takeMembers(object: Uint8Array, missing: Map<string, Uint8Array>): boolean {
  for (let offset = 0; offset < object.length;) {
    const key = memberKey(object, offset);
    const member = missing.get(key);
    if (member === undefined) return false;
    if (Buffer.compare(object.subarray(offset, offset + member.length), member) !== 0) return false;
    missing.delete(key);
    offset += member.length;
  }
  return true;
}

function memberKey(bytes: Uint8Array, offset: number): string {
  return Buffer.from(bytes.subarray(offset, offset + MEMBER_KEY_BYTES)).toString("latin1");
}

function formatCase(flushCase: FlushCase, measured: FlushMeasurement, stored: StoredComparison): BenchLine {
  return {
    name: flushCase.name,
    objects: stored.objectCount,
    sent_bytes: stored.sentBytes,
    stored_bytes: stored.storedBytes,
    bytes_identical: stored.identical,
    rss_before_mib: round(measured.rssBefore / MIB),
    rss_growth_mib: round(measured.growthBytes / MIB),
    stored_mb_per_cpu_s: round(stored.storedBytes / 1e6 / measured.cpuSeconds),
    stored_mb_per_s: round(stored.storedBytes / 1e6 / measured.seconds),
    target: `rss_growth_mib <= ${TARGET_GROWTH_BYTES / MIB}, bytes_identical`,
    ok: measured.growthBytes <= TARGET_GROWTH_BYTES && stored.identical,
  };
}
