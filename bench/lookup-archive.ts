/**
 * An archive of hours for the benchmark of look-ups: each holds spans of the corpus under trace ids of its own, made by
 * the merge of compaction and put into a store in memory as compaction puts them.
 */
import { createHash } from "node:crypto";
import { readBodies } from "../scripts/corpus.ts";
import { formatManifestKey, formatMembersKey, formatTraceIndexKey } from "../src/archive/firn-keys.ts";
import { formatKey, type CompactedKey, type Layout } from "../src/archive/key.ts";
import { encodeManifest } from "../src/archive/manifest.ts";
import type { FileRef } from "../src/archive/manifest-output.ts";
import { encodeMemberTable } from "../src/archive/member-table.ts";
import { parsePartitionFormat } from "../src/archive/partition.ts";
import { encodeTraceIndex } from "../src/archive/trace-index.ts";
import { joinBytes } from "../src/bytes.ts";
import { openMergers } from "../src/compaction/merge.ts";
import type { MergedMember, MinuteSums } from "../src/compaction/merger.ts";
import { toMinuteTotals, totalOf } from "../src/compaction/minute-sums.ts";
import { COMPACT_GATHER_BYTES, COMPACT_MEMBER_RAW_BYTES } from "../src/limits.ts";
import { openMemoryStore, type MemoryStore } from "../src/object-store/memory/memory-store.ts";
import { iterateItems, type Item } from "../src/otlp/items.ts";
import { readProtobufFields } from "../src/reader/object-fields.ts";
import { bytes, HOUR, millis, type Millis } from "../src/units.ts";

const DATA = "traces/hipstershop";
const TRACE_ID_BYTES = 16;
/** Where the id stands behind the tag and length that begin a span. */
const TRACE_ID_AT = 2;

/** First instant of the archive. */
export const START: Millis = millis(Date.UTC(2026, 3, 1));
/** How its keys look. */
export const LAYOUT: Layout = {
  basePrefix: "",
  prefix: "bench",
  tenant: "",
  filePrefix: "",
  partition: parsePartitionFormat("year=%Y/month=%m/day=%d/hour=%H/minute=%M"),
};

/** An archive, and a trace of each of its hours. */
export interface LookupArchive {
  readonly store: MemoryStore;
  readonly ids: readonly Uint8Array[];
}

/** Takes the trace id of a span of the corpus. */
export function traceIdOf({ bytes: whole, start }: Item): Uint8Array {
  return whole.subarray(start + TRACE_ID_AT, start + TRACE_ID_AT + TRACE_ID_BYTES);
}

/** Makes an archive. @param hourBytes raw bytes of each hour */
export async function makeLookupArchive(hours: number, hourBytes: number): Promise<LookupArchive> {
  const store = openMemoryStore();
  const bodies = readBodies(DATA);
  const openMerge = openMergers();
  const ids: Uint8Array[] = [];
  let next = 0;
  for (let index = 0; index < hours; index += 1) {
    const merger = openMerge({
      signal: "traces",
      marshaler: "otlp_proto",
      compression: "zstd",
      level: null,
      memberRawBytes: COMPACT_MEMBER_RAW_BYTES,
      gatherBytes: COMPACT_GATHER_BYTES,
      startsOutput: true,
    });
    const members: MergedMember[] = [];
    for (let rawBytes = 0; rawBytes < hourBytes; next += 1) {
      const body = withIdsOf(bodies[next % bodies.length] ?? new Uint8Array(0), index);
      const minute = Math.floor((rawBytes / hourBytes) * 60);
      for (const item of rawBytes === 0 ? iterateItems("traces", body) : []) ids[index] ??= traceIdOf(item).slice();
      for await (const { fields } of readProtobufFields(once(body), "traces")) merger.addFields(minute, fields);
      members.push(...merger.take());
      rawBytes += body.length;
    }
    merger.flush();
    members.push(...merger.take());
    publish(store, { hour: millis(START + index * HOUR), members, sums: merger.outputTotals });
  }
  return { store, ids };
}

/** A request with trace ids of its own hour. */
function withIdsOf(body: Uint8Array, hour: number): Uint8Array {
  const copy = body.slice();
  const mask = createHash("sha256").update(String(hour)).digest();
  for (const { start } of iterateItems("traces", copy)) {
    if (copy[start] !== 0x0a || copy[start + 1] !== TRACE_ID_BYTES)
      throw new Error("a span does not begin with its trace");
    for (let at = 0; at < TRACE_ID_BYTES; at += 1) {
      const place = start + TRACE_ID_AT + at;
      copy[place] = (copy[place] ?? 0) ^ (mask[at] ?? 0);
    }
  }
  return copy;
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield body;
}

interface MadeHour {
  readonly hour: Millis;
  readonly members: readonly MergedMember[];
  readonly sums: MinuteSums;
}

/** Puts what compaction puts: output, member table, index, manifest. */
function publish(store: MemoryStore, { hour, members, sums }: MadeHour): void {
  const form = { marshaler: "otlp_proto", compression: "zstd" } as const;
  const own: CompactedKey = {
    kind: "compacted",
    signal: "traces",
    form,
    hour,
    attempt: 1,
    incarnation: "7be0c1d2",
    output: 0,
  };
  const key = formatKey(own, LAYOUT);
  const object = joinBytes(members.map((member) => member.bytes));
  let offset = 0;
  const table = members.map(({ bytes: stored, entry }) => {
    const place = { offset: bytes(offset), storedBytes: bytes(stored.length), ...entry };
    offset += stored.length;
    return place;
  });
  const index = encodeTraceIndex(members.map(({ traceHashes }) => traceHashes ?? new Uint32Array()));
  if (index === null) throw new Error("the hour has too many traces");
  const minutes = toMinuteTotals(sums);
  const times = members.flatMap(({ entry }) => [entry.minTimeUnixNano ?? 0n, entry.maxTimeUnixNano ?? 0n]);
  times.sort((left, right) => (left < right ? -1 : 1));
  const manifest = encodeManifest({
    deployment: "d".repeat(32),
    epoch: 1,
    tenant: "",
    signal: "traces",
    hour,
    generation: 1,
    parent: null,
    created: hour,
    outputs: [
      {
        key,
        sizeBytes: bytes(object.length),
        etag: null,
        sha256: put(store, key, object),
        rawBytes: bytes(members.reduce((sum, { entry }) => sum + entry.rawBytes, 0)),
        ...totalOf(sums),
        firstMinute: minutes[0]?.minute ?? 0,
        lastMinute: minutes.at(-1)?.minute ?? 0,
        minTimeUnixNano: times[0] ?? null,
        maxTimeUnixNano: times.at(-1) ?? null,
        services: [...new Set(members.flatMap(({ services }) => services ?? []))].toSorted(),
        members: putFile(store, formatMembersKey(own, LAYOUT), {
          file: encodeMemberTable({ output: key, members: table }),
          count: members.length,
        }),
        retired: false,
      },
    ],
    minutes,
    sources: [],
    foreignSources: [],
    foreign: [],
    unreadable: [],
    indexes: [{ output: key, ...putFile(store, formatTraceIndexKey(own, LAYOUT), index) }],
  });
  const sha256Hex = createHash("sha256").update(manifest).digest("hex");
  put(store, formatManifestKey({ generation: 1, sha256Hex }, LAYOUT, "traces", hour), manifest);
}

function putFile(
  store: MemoryStore,
  key: string,
  { file, count }: { readonly file: Uint8Array; readonly count: number },
): FileRef {
  return { key, sizeBytes: bytes(file.length), sha256: put(store, key, file), count };
}

/** @returns SHA-256 of the content */
function put(store: MemoryStore, key: string, content: Uint8Array): string {
  store.objects.set(key, { bytes: content, contentType: "", sha256Hex: null });
  return createHash("sha256").update(content).digest("hex");
}
