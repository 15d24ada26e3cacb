/**
 * A replay to a file over HTTP beside `zcat` of the fresh objects, and beside `zcat` or `zstdcat` of the very objects,
 * of fresh and of compacted archives, on versitygw and on the local R2; the way to its first byte in round trips to the
 * store; and what a long window takes in memory, page by page.
 *
 * CPU is that of Firn's process alone, so that `ratio_cpu` says how much more than inflating the bytes it does. The
 * command's CPU is measured into /dev/null, its seconds into a file. Every ratio is the median of some rounds.
 *
 * `FIRN_BENCH_REPLAY_MB` is the raw size of the long window (1000); 10000 takes some minutes and 10 GB in the
 * temporary folder. Needs the programs zcat, zstdcat and curl, and Go.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCollector } from "../scripts/interop/tools.ts";
import type { S3Server } from "../test/servers/contract.ts";
import { archiveVars } from "../test/servers/s3-bucket.ts";
import { startVersitygw } from "../test/servers/versitygw.ts";
import { percentile, round, type BenchLine } from "./bench-line.ts";
import { currentRss, peakRss, resetPeakRss } from "./process-usage.ts";
import {
  ARCHIVE_SETTINGS,
  compactArchive,
  copyHours,
  copyMinutes,
  fillArchive,
  formatWindow,
  listFiles,
  toHours,
  type ArchiveState,
  type BucketWindow,
} from "./replay-bucket.ts";
import { measureCollector } from "./replay-collector.ts";
import { measureFirstBytes } from "./replay-first-byte.ts";
import { measureCommand, removeFile, replayToFile } from "./replay-client.ts";
import { makeTemporaryDirectory } from "./workerd-process.ts";
import { startFirn, type FirnServer } from "./workerd-server.ts";

const MIB = 1024 * 1024;
const FILLING = { poolRequests: 64, requestBytes: MIB, minBytes: 256e6 };
const LONG_MB = Number(process.env["FIRN_BENCH_REPLAY_MB"] ?? 1000);
const ROUNDS = 3;
const FORMATS = ["proto", "jsonl"] as const;
const TARGET_CPU_RATIO = 0.6;
const TARGET_COLLECTOR_RATIO = 5;
const PARTITION_FORMATS = {
  fresh: "year=%Y/month=%m/day=%d/hour=%H/minute=%M",
  compacted: "year=%Y/month=%m/day=%d/hour=%H",
} as const;
const TARGET_GROWTH_BYTES = 64 * MIB;

/** How objects of a state end, and what unpacks them. */
const OBJECTS: Readonly<Record<ArchiveState, { readonly pattern: RegExp; readonly command: string }>> = {
  fresh: { pattern: /traces_[^/]*\.binpb\.gz$/, command: "zcat" },
  compacted: { pattern: /traces_[^/]*\.binpb\.zst$/, command: "zstdcat" },
};

/** A filled archive in one state. */
interface Archive {
  readonly name: string;
  readonly state: ArchiveState;
  readonly firn: FirnServer;
  /** Of everything in it. */
  readonly query: string;
  readonly rawBytes: number;
  /** Where the same objects lie as files, and which they are. */
  readonly directory: string;
  readonly files: readonly string[];
  /** A copy of the fresh objects: `zcat` of them is the measure for what compaction has made of them, too. */
  readonly gzipDirectory: string;
}

/** Measures both stores. @throws Error where no versitygw can be had */
export async function run(): Promise<readonly BenchLine[]> {
  return [...(await measureFirstBytes()), ...(await measureR2()), ...(await measureVersitygw())];
}

async function measureVersitygw(): Promise<readonly BenchLine[]> {
  const started = await startVersitygw();
  if (started === null) throw new Error("Cannot measure: there is no Go to build versitygw with");
  const bucket = join(started.directory, "data", started.server.bucket);
  let firn = await startFirn({ ...ARCHIVE_SETTINGS, ...archiveVars(started.server) });
  try {
    const from = Date.now();
    const rawBytes = await fillArchive(firn, FILLING);
    const window = toHours(from, Date.now());
    const gzipDirectory = copyObjects(bucket);
    const lines: BenchLine[] = [];
    for (const state of ["fresh", "compacted"] as const) {
      if (state === "compacted") await compactArchive(firn);
      firn = await firn.restart();
      const files = listFiles(bucket, OBJECTS[state].pattern);
      const query = formatWindow(window);
      const archive = { name: "versitygw", state, firn, query, rawBytes, directory: bucket, files, gzipDirectory };
      lines.push(...(await measureFormats(archive)));
      lines.push(...(await measurePeers(archive, started.server, window)));
      const copies = Math.ceil((LONG_MB * 1e6) / rawBytes) - 1;
      const copy = state === "fresh" ? copyMinutes : copyHours;
      const { start, remove } = copy(bucket, copies);
      firn = await firn.restart();
      const items = Number(lines.at(-1)?.["items"]) * (copies + 1);
      lines.push(await measureMemory({ ...archive, firn, query: formatWindow({ ...window, start }) }, items));
      remove();
    }
    return lines;
  } finally {
    await firn.stop();
    await started.stop();
  }
}

async function measureR2(): Promise<readonly BenchLine[]> {
  let firn = await startFirn(ARCHIVE_SETTINGS);
  try {
    const from = Date.now();
    const rawBytes = await fillArchive(firn, FILLING);
    const query = formatWindow(toHours(from, Date.now()));
    const gzipDirectory = await exportObjects(firn, OBJECTS.fresh.pattern);
    const lines: BenchLine[] = [];
    for (const state of ["fresh", "compacted"] as const) {
      if (state === "compacted") await compactArchive(firn);
      firn = await firn.restart();
      const directory = await exportObjects(firn, OBJECTS[state].pattern);
      const files = listFiles(directory, OBJECTS[state].pattern);
      const archive = { name: "r2", state, firn, query, rawBytes, directory, files, gzipDirectory };
      lines.push(...(await measureFormats(archive)));
    }
    return lines;
  } finally {
    await firn.stop();
  }
}

/** Compaction deletes fresh objects from the bucket. */
function copyObjects(bucket: string): string {
  const directory = makeTemporaryDirectory();
  for (const path of listFiles(bucket, OBJECTS.fresh.pattern)) {
    copyFileSync(join(bucket, path), join(directory, path.replaceAll("/", "_")));
  }
  return directory;
}

async function exportObjects(firn: FirnServer, pattern: RegExp): Promise<string> {
  const directory = join(makeTemporaryDirectory(), "objects");
  mkdirSync(directory);
  for (const { key } of await firn.store.list()) {
    if (pattern.test(key)) writeFileSync(join(directory, key.replaceAll("/", "_")), await firn.store.get(key));
  }
  return directory;
}

async function measureFormats(archive: Archive): Promise<readonly BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const format of FORMATS) lines.push(await measureFormat(archive, format));
  return lines;
}

async function measureFormat(archive: Archive, format: (typeof FORMATS)[number]): Promise<BenchLine> {
  const { name, state, firn, query, directory, files } = archive;
  const home = makeTemporaryDirectory();
  const file = join(home, "replay");
  const plan = { port: firn.port, pid: firn.pid, query: `${query}&format=${format}`, file };
  const command = `${OBJECTS[state].command} ${files.join(" ")}`;
  // Compiles the code, and warms the files up for both.
  const { items, bytes } = await replayToFile(plan);
  const rounds: Round[] = [];
  for (let number = 0; number < ROUNDS; number += 1) {
    const { cpuSeconds } = await measureCommand(`${command} > /dev/null`, directory);
    const zcat = await measureCommand("zcat *.gz > /dev/null", archive.gzipDirectory);
    const { seconds } = await measureCommand(`${command} > ${join(home, "peer")}`, directory);
    const replayed = await replayToFile(plan);
    rounds.push({
      cpuSeconds: replayed.cpuSeconds,
      ratioCpu: cpuSeconds / replayed.cpuSeconds,
      ratioZcat: zcat.cpuSeconds / replayed.cpuSeconds,
      ratioSeconds: seconds / replayed.seconds,
    });
  }
  for (const written of [file, join(home, "peer")]) removeFile(written);
  const ratio = median(rounds, "ratioZcat");
  const ratios = sort(rounds.map(({ ratioZcat }) => ratioZcat));
  return {
    name: `replay.${name}.${state}.${format}`,
    raw_bytes: archive.rawBytes,
    objects: files.length,
    items,
    bytes,
    raw_mb_per_cpu_s: round(archive.rawBytes / 1e6 / median(rounds, "cpuSeconds")),
    ratio_zcat: round(ratio),
    ratio_zcat_min: round(ratios[0] ?? 0),
    ratio_zcat_max: round(ratios.at(-1) ?? 0),
    [`ratio_${OBJECTS[state].command}_same_objects`]: round(median(rounds, "ratioCpu")),
    ratio_seconds_same_objects: round(median(rounds, "ratioSeconds")),
    ...(format === "proto" ? { target: `ratio_zcat >= ${TARGET_CPU_RATIO}`, ok: ratio >= TARGET_CPU_RATIO } : {}),
  };
}

/** What one round found; ratios are of CPU but for the last. */
interface Round {
  readonly cpuSeconds: number;
  readonly ratioCpu: number;
  readonly ratioZcat: number;
  readonly ratioSeconds: number;
}

function median(rounds: readonly Round[], field: keyof Round): number {
  return percentile(sort(rounds.map((found) => found[field])), 0.5);
}

function sort(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

/** Beside the Collector, which pays for its start in every run. */
async function measurePeers(archive: Archive, server: S3Server, window: BucketWindow): Promise<readonly BenchLine[]> {
  const collector = await findCollector();
  if (collector.kind === "absent") throw new Error(`Cannot measure: ${collector.reason}`);
  const { state, firn, query } = archive;
  const file = join(makeTemporaryDirectory(), "replay");
  const lines: BenchLine[] = [];
  for (const format of FORMATS) {
    const plan = { port: firn.port, pid: firn.pid, query: `${query}&format=${format}`, file };
    const rounds: CollectorRound[] = [];
    for (let number = 0; number < ROUNDS; number += 1) {
      const peer = await measureCollector({
        program: collector.path,
        server,
        window,
        partitionFormat: PARTITION_FORMATS[state],
        format: format === "proto" ? "proto" : "json",
      });
      const { cpuSeconds, seconds, items } = await replayToFile(plan);
      rounds.push({ items, ratioCpu: peer.cpuSeconds / cpuSeconds, ratioSeconds: peer.seconds / seconds });
    }
    const ratioCpu = percentile(sort(rounds.map((found) => found.ratioCpu)), 0.5);
    const ratioSeconds = percentile(sort(rounds.map((found) => found.ratioSeconds)), 0.5);
    lines.push({
      name: `replay.collector.${state}.${format}`,
      items: rounds[0]?.items ?? 0,
      ratio_cpu: round(ratioCpu),
      ratio_seconds: round(ratioSeconds),
      target: `ratio_cpu >= ${TARGET_COLLECTOR_RATIO}`,
      ok: ratioCpu >= TARGET_COLLECTOR_RATIO,
    });
  }
  removeFile(file);
  return lines;
}

interface CollectorRound {
  readonly items: number;
  readonly ratioCpu: number;
  readonly ratioSeconds: number;
}

/** A long window, in as many answers as it takes. */
async function measureMemory(archive: Archive, items: number): Promise<BenchLine> {
  const { state, firn, query } = archive;
  const file = join(makeTemporaryDirectory(), "replay");
  await firn.call("GET", "/status");
  resetPeakRss(firn.pid);
  const before = currentRss(firn.pid);
  const replayed = await replayToFile({ port: firn.port, pid: firn.pid, query: `${query}&format=proto`, file });
  const growthBytes = peakRss(firn.pid) - before;
  removeFile(file);
  return {
    name: `replay.memory.${state}.${LONG_MB}MB`,
    bytes: replayed.bytes,
    items: replayed.items,
    pages: replayed.pages,
    missing_items: items - replayed.items,
    raw_mb_per_cpu_s: round(replayed.bytes / 1e6 / replayed.cpuSeconds),
    rss_growth_mib: round(growthBytes / MIB),
    target: `rss_growth_mib <= ${TARGET_GROWTH_BYTES / MIB}, missing_items = 0`,
    ok: growthBytes <= TARGET_GROWTH_BYTES && replayed.items === items,
  };
}
