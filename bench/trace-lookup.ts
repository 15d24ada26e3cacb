/**
 * A trace is looked up in an archive of 30 days: `FIRN_BENCH_LOOKUP_MB` (6) raw megabytes of spans an hour, 720 hours,
 * one output each, made by the merge of compaction in a store in memory. Counted are calls of the store and bytes of
 * objects and files that come from it, beside the stored bytes of the archive; and the time where each call takes
 * 20 ms. An id is looked for that is there, and one that is not.
 */
import { setTimeout } from "node:timers/promises";
import { REPLAY_FETCH_AHEAD, REPLAY_MAX_RAW_BYTES, REPLAY_MAX_STORE_CALLS } from "../src/limits.ts";
import type { ObjectStore } from "../src/object-store/contract.ts";
import type { MemoryStore } from "../src/object-store/memory/memory-store.ts";
import { iterateItems } from "../src/otlp/items.ts";
import { NO_HINTS } from "../src/reader/hints.ts";
import { readWindow } from "../src/reader/read-window.ts";
import { HOUR, millis } from "../src/units.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { LAYOUT, makeLookupArchive, START, traceIdOf } from "./lookup-archive.ts";

const HOURS = 30 * 24;
const RAW_BYTES = Number(process.env["FIRN_BENCH_LOOKUP_MB"] ?? 6) * 1e6;
const LOOK_UPS = 20;
const CALL_MILLIS = 20;
const TARGET_SHARE = 0.01;
const TRACE_ID_BYTES = 16;

function toHex(this: Uint8Array): string {
  return Buffer.from(this).toString("hex");
}

/** Looks ids up. */
export async function run(): Promise<readonly BenchLine[]> {
  // oxlint-disable-next-line eslint/no-extend-native -- workerd has it, this Node not yet
  Uint8Array.prototype.toHex ??= toHex;
  const { store, ids } = await makeLookupArchive(HOURS, RAW_BYTES);
  const archiveBytes = [...store.objects.values()].reduce((sum, object) => sum + object.bytes.length, 0);
  const indexBytes = [...store.objects]
    .filter(([key]) => key.endsWith(".trace"))
    .reduce((sum, [, object]) => sum + object.bytes.length, 0);
  const lines: BenchLine[] = [];
  for (const [name, wanted] of [
    ["present", ids.filter((_, index) => index % Math.ceil(ids.length / LOOK_UPS) === 0)],
    ["absent", Array.from({ length: LOOK_UPS }, (_, index) => new Uint8Array(TRACE_ID_BYTES).fill(index + 1))],
  ] as const) {
    lines.push({
      ...(await lookUpAll(store, { name, wanted, archiveBytes })),
      index_bytes: indexBytes,
      index_share: round(indexBytes / archiveBytes),
    });
  }
  return lines;
}

interface LookUps {
  readonly name: "present" | "absent";
  readonly wanted: readonly Uint8Array[];
  readonly archiveBytes: number;
}

async function lookUpAll(store: MemoryStore, { name, wanted, archiveBytes }: LookUps): Promise<BenchLine> {
  const calls: number[] = [];
  const read: number[] = [];
  for (const id of wanted) {
    const { storeCalls, storedBytes, found } = await lookUp(store, id, 0);
    if (found !== (name === "present"))
      throw new Error(`the ${name} trace ${Buffer.from(id).toString("hex")} was not found as it should be`);
    calls.push(storeCalls);
    read.push(storedBytes);
  }
  const startedAt = performance.now();
  await lookUp(store, wanted[0] ?? new Uint8Array(0), CALL_MILLIS);
  const share = Math.max(...read) / archiveBytes;
  return {
    name: `trace-lookup.30d.${name}`,
    hours: HOURS,
    archive_bytes: archiveBytes,
    look_ups: wanted.length,
    store_calls_mean: round(calls.reduce((sum, count) => sum + count, 0) / calls.length),
    store_calls_max: Math.max(...calls),
    read_bytes_mean: round(read.reduce((sum, count) => sum + count, 0) / read.length),
    read_bytes_max: Math.max(...read),
    read_share_max: round(share),
    target: TARGET_SHARE,
    seconds_at_20ms_a_call: round((performance.now() - startedAt) / 1000),
    ok: share <= TARGET_SHARE,
  };
}

async function lookUp(
  store: MemoryStore,
  traceId: Uint8Array,
  callMillis: number,
): Promise<{ readonly storeCalls: number; readonly storedBytes: number; readonly found: boolean }> {
  const count = { calls: 0, bytes: 0 };
  const request = {
    store: counting(store, count, callMillis),
    layout: LAYOUT,
    signal: "traces",
    start: START,
    end: millis(START + HOURS * HOUR),
    onError: "stop",
    hints: { ...NO_HINTS, traceId },
    limits: {
      maxStoreCalls: REPLAY_MAX_STORE_CALLS,
      maxRawBytes: REPLAY_MAX_RAW_BYTES,
      fetchAhead: REPLAY_FETCH_AHEAD,
    },
  } as const;
  let found = false;
  for await (const event of readWindow(request)) {
    if (event.kind !== "fields") continue;
    for (const { field } of event.fields) {
      for (const item of iterateItems("traces", field)) found ||= Buffer.compare(traceIdOf(item), traceId) === 0;
    }
  }
  return { storeCalls: count.calls, storedBytes: count.bytes, found };
}

function counting(store: MemoryStore, count: { calls: number; bytes: number }, callMillis: number): ObjectStore {
  return {
    ...store,
    list: async (request) => {
      count.calls += 1;
      await setTimeout(callMillis);
      return store.list(request);
    },
    get: async (key, options) => {
      count.calls += 1;
      count.bytes += options?.range?.length ?? store.objects.get(key)?.bytes.length ?? 0;
      await setTimeout(callMillis);
      return store.get(key, options);
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
