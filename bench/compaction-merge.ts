/**
 * What compaction makes of an hour, without a store: how small hour objects are, and what the way from fresh objects to
 * them costs. Each data set of the corpus is spread over minutes, its requests in their order: over 60, a quiet
 * hour, and over 5, whose minutes are longer than a member. Nothing comes twice, which would flatter any long window.
 *
 * Sizes are compared with the programs `zstd` and `gzip` over all raw bytes, and with what the Collector's exporter
 * makes of the same requests: an object every ten seconds, `gzip -6`. CPU is that of this process, after a run to warm
 * up, beside `zcat | zstd -3` over the same fresh objects. Needs zstd, gzip and bash.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { listDataSets, readBodies } from "../scripts/corpus.ts";
import { openMergers } from "../src/compaction/merge.ts";
import type { Merger, MergerOptions } from "../src/compaction/merger.ts";
import { inflateMembers } from "../src/compression/inflate-members.ts";
import { COMPACT_GATHER_BYTES, COMPACT_MEMBER_RAW_BYTES, COMPACT_STEP_RAW_BYTES } from "../src/limits.ts";
import { readProtobufFields } from "../src/reader/object-fields.ts";
import type { ItemSignal } from "../src/signal.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { recompressSeconds } from "./process-usage.ts";
import { makeTemporaryDirectory } from "./workerd-process.ts";

const MINUTE_COUNTS = [60, 5] as const;
const BATCHES_A_MINUTE = 6;
/** Small data sets are taken so often that their CPU can be counted. */
const MIN_MEASURED_BYTES = 150e6;
const FETCH_BYTES = 65_536;
const ROUNDS = 3;
const TARGET_ZSTD_19 = 1.15;
const TARGET_COLLECTOR: Readonly<Record<ItemSignal, number>> = { traces: 0.75, logs: 0.55, metrics: 0.55 };
const TARGET_GZIP_9 = 1;
const TARGET_CPU = 0.5;
const MAX_BUFFER = 2 ** 30;
const openMerge: ReturnType<typeof openMergers> = openMergers();

/** One data set over some minutes. */
interface Hour {
  readonly name: string;
  readonly signal: ItemSignal;
  readonly raw: Buffer;
  /** Requests of each ten seconds. */
  readonly batches: readonly (readonly Uint8Array[])[];
  /** Fresh objects, one a minute: a gzip member a request. */
  readonly objects: readonly Uint8Array[];
}

/** Measures every data set over both numbers of minutes. `FIRN_BENCH_DATA` narrows it to names that hold it. */
export async function run(): Promise<readonly BenchLine[]> {
  const filter = process.env["FIRN_BENCH_DATA"] ?? "";
  const lines: BenchLine[] = [];
  for (const { name, signal } of listDataSets()) {
    if (!name.includes(filter)) continue;
    const bodies = readBodies(name);
    for (const minutes of MINUTE_COUNTS) lines.push(await measure(spread({ name, signal, bodies, minutes }), minutes));
  }
  return lines;
}

async function measure(hour: Hour, minutes: number): Promise<BenchLine> {
  const zstd = await merge(hour, { compression: "zstd", level: null });
  const gzip = await merge(hour, { compression: "gzip", level: null });
  const collectorBytes = sum(hour.batches, (batch) => (batch.length === 0 ? 0 : gzipSync(Buffer.concat(batch)).length));
  const zstd19 = zstd / sizeOf(hour.raw, "zstd", "-19", "--long=27", "-c");
  const collector = zstd / collectorBytes;
  const gzip9 = gzip / sizeOf(hour.raw, "gzip", "-9", "-c");
  const times = Math.ceil(MIN_MEASURED_BYTES / hour.raw.length);
  const cpu = measurePeer(hour, times) / (await measureMerge(hour, times));
  const targetCollector = TARGET_COLLECTOR[hour.signal];
  return {
    name: `compaction-merge.${hour.name}.${minutes}min`,
    raw_bytes: hour.raw.length,
    zstd_bytes: zstd,
    zstd_to_zstd_19: round(zstd19),
    target_zstd_to_zstd_19: TARGET_ZSTD_19,
    zstd_to_collector: round(collector),
    target_zstd_to_collector: targetCollector,
    gzip_to_gzip_9: round(gzip9),
    target_gzip_to_gzip_9: TARGET_GZIP_9,
    cpu_ratio: round(cpu),
    target_cpu_ratio: TARGET_CPU,
    ok: zstd19 <= TARGET_ZSTD_19 && collector <= targetCollector && gzip9 <= TARGET_GZIP_9 && cpu >= TARGET_CPU,
  };
}

function spread(from: {
  readonly name: string;
  readonly signal: ItemSignal;
  readonly bodies: readonly Uint8Array[];
  readonly minutes: number;
}): Hour {
  const { name, signal, bodies, minutes } = from;
  const raw = Buffer.concat(bodies);
  const count = minutes * BATCHES_A_MINUTE;
  const batches: Uint8Array[][] = Array.from({ length: count }, () => []);
  let at = 0;
  for (const body of bodies) {
    batches[Math.floor((at / raw.length) * count)]?.push(body);
    at += body.length;
  }
  const objects = Array.from({ length: minutes }, (_, minute) => {
    const members = batches.slice(minute * BATCHES_A_MINUTE, (minute + 1) * BATCHES_A_MINUTE).flat();
    return Buffer.concat(members.map((body) => gzipSync(body)));
  });
  return { name, signal, raw, batches, objects };
}

/** @returns bytes of the members */
async function merge(hour: Hour, how: Pick<MergerOptions, "compression" | "level">): Promise<number> {
  let merger = openStep(hour, how);
  let storedBytes = 0;
  let stepBytes = 0;
  const take = (): void => {
    for (const { bytes } of merger.take()) storedBytes += bytes.length;
  };
  for (const [minute, object] of hour.objects.entries()) {
    if (object.length === 0) continue;
    for await (const { fields } of readProtobufFields(inflateMembers(cut(object), "gzip", "short"), hour.signal)) {
      merger.addFields(minute, fields);
      stepBytes += sum(fields, ({ field }) => field.length);
      take();
    }
    if (stepBytes < COMPACT_STEP_RAW_BYTES) continue;
    merger.flush();
    take();
    stepBytes = 0;
    merger = openStep(hour, how);
  }
  merger.flush();
  take();
  return storedBytes;
}

function openStep({ signal }: Hour, how: Pick<MergerOptions, "compression" | "level">): Merger {
  return openMerge({
    ...how,
    signal,
    marshaler: "otlp_proto",
    memberRawBytes: COMPACT_MEMBER_RAW_BYTES,
    gatherBytes: COMPACT_GATHER_BYTES,
    startsOutput: true,
  });
}

/** CPU seconds of a merge, the best of some rounds. */
async function measureMerge(hour: Hour, times: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let count = 0; count < ROUNDS; count += 1) {
    const before = process.cpuUsage();
    for (let turn = 0; turn < times; turn += 1) await merge(hour, { compression: "zstd", level: null });
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
}

/** CPU seconds of `zcat | zstd -3` over the fresh objects, the best of some rounds. */
function measurePeer({ objects }: Hour, times: number): number {
  const path = join(makeTemporaryDirectory(), "objects.gz");
  writeFileSync(path, Buffer.concat(Array.from({ length: times }, () => objects).flat()));
  return Math.min(...Array.from({ length: ROUNDS }, () => recompressSeconds(`"${path}"`)));
}

function sizeOf(input: Buffer, command: string, ...args: readonly string[]): number {
  return execFileSync(command, args, { input, maxBuffer: MAX_BUFFER }).length;
}

async function* cut(object: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < object.length; at += FETCH_BYTES) yield object.subarray(at, at + FETCH_BYTES);
}

function sum<Part>(parts: readonly Part[], read: (part: Part) => number): number {
  return parts.reduce((total, part) => total + read(part), 0);
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
