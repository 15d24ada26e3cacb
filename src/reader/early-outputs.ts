/**
 * Asks for what an hour's outputs are read from before the manifest says which of them count: {@link openEarlyOutputs}.
 * Member tables beside the listing of manifests, first chunks beside the manifest: so the first byte is three round
 * trips away instead of five. Nothing is believed early: whoever reads makes the calls that it would make anyway and
 * checks what they give; a call that was made already, for the very same bytes, is answered from here.
 */
import { formatMembersKey } from "../archive/firn-keys.ts";
import { openBoundedReader } from "../bounded-reader.ts";
import { joinBytes } from "../bytes.ts";
import { EARLY_TABLE_MAX_BYTES, STORE_CALL_TIMEOUT } from "../limits.ts";
import type { GetOptions, ObjectInfo, ObjectStore } from "../object-store/contract.ts";
import type { Millis } from "../units.ts";
import type { ReadRequest } from "./contract.ts";
import { chooseOutputs, planFirstChunks, readEarlyTable, type EarlyTable } from "./early-plan.ts";
import { isHinted, NO_HINTS } from "./hints.ts";
import type { Chunk } from "./hour-chunks.ts";
import type { RunningUsage } from "./usage.ts";
import type { HourObjects } from "./visible.ts";

/** The early calls of one read; those that nobody makes in earnest are counted when they are dropped. */
export interface EarlyOutputs {
  /** Answers calls that were made early, once each, and passes on the others, and those that failed. */
  readonly store: ObjectStore;
  /**
   * Begins with the first hour that lists anything, if that is outputs and its listing tells what to ask for; with no
   * later one, beside which bodies of an earlier hour may be open.
   */
  begin(hour: Millis, objects: HourObjects): void;
  /** Drops what is of outputs that do not count. */
  keep(keys: ReadonlySet<string>): void;
  /** Says what is to be fetched first of an output; another chunk is dropped. */
  claim(key: string, etag: string | null, chunk: Chunk | null): Promise<void>;
  /** Says that the plan has counted a call for a chunk of an output. */
  count(key: string): void;
  /** Drops everything that is left. */
  close(): Promise<void>;
}

/** An output whose table was asked for. */
interface EarlyOutput {
  readonly info: ObjectInfo;
  readonly tableCall: string;
  readonly table: Promise<Uint8Array | null>;
}

interface EarlyCall {
  /** `null` when it failed: made again in earnest, it fails again or does not. */
  readonly answer: Promise<ReadableStream<Uint8Array> | null>;
  /** The plan has counted it. */
  isCounted: boolean;
}

/**
 * Opens the early calls of a read; none are made if it is hinted or goes on inside a minute.
 * @param chunks - whether chunks are fetched, or counted alone by who plans and does not read
 */
export function openEarlyOutputs(
  request: ReadRequest,
  usage: RunningUsage,
  chunks: "fetched" | "counted" = "fetched",
): EarlyOutputs {
  const { store, layout, start, end, place, hints = NO_HINTS, bodyTimeout = STORE_CALL_TIMEOUT } = request;
  const calls = new Map<string, EarlyCall>();
  const drops: Promise<void>[] = [];
  let mayBegin = place === undefined && !isHinted(hints);
  let isClosed = false;
  let outputs: readonly EarlyOutput[] = [];
  /** Names of the calls for first chunks, by output. */
  let chunkCalls: Promise<ReadonlyMap<string, string>> = Promise.resolve(new Map());
  /** Those of outputs that are fetched so. */
  const claimed = new Map<string, EarlyCall>();

  function askTable(info: ObjectInfo, key: string): EarlyOutput {
    const asked = store.get(key).then((stream) => readTable(stream, bodyTimeout));
    const table = asked.catch(() => null);
    const tableCall = nameCall(key);
    const answer = table.then((bytes) => (bytes === null ? null : toStream(bytes)));
    calls.set(tableCall, { answer, isCounted: false });
    return { info, tableCall, table };
  }

  async function askChunks(hour: Millis, freshFrom: Millis | null): Promise<ReadonlyMap<string, string>> {
    const tables: EarlyTable[] = [];
    for (const { info, table } of outputs) tables.push(readEarlyTable(info, await table));
    const names = new Map<string, string>();
    // Nobody waits any more.
    if (isClosed) return names;
    for (const { info, chunk } of planFirstChunks(tables, { hour, start, end }, freshFrom)) {
      const options = toOptions(chunk, info.etag);
      const name = nameCall(info.key, options);
      names.set(info.key, name);
      const answer = chunks === "fetched" ? store.get(info.key, options).catch(() => null) : Promise.resolve(null);
      calls.set(name, { answer, isCounted: false });
    }
    return names;
  }

  async function drop(name: string): Promise<void> {
    const call = calls.get(name);
    if (call === undefined) return;
    calls.delete(name);
    if (!call.isCounted) usage.storeCalls++;
    const stream = await call.answer;
    // One that broke off has nothing left to close.
    await stream?.cancel().catch(() => undefined);
  }

  async function dropAll(lost: readonly EarlyOutput[]): Promise<void> {
    const tables = lost.map(({ tableCall }) => drop(tableCall));
    const names = await chunkCalls;
    await Promise.all([...tables, ...lost.map(({ info }) => drop(names.get(info.key) ?? ""))]);
  }

  return {
    store: {
      ...store,
      get: async (key, options) => {
        const name = nameCall(key, options);
        const call = calls.get(name);
        if (call === undefined) return store.get(key, options);
        calls.delete(name);
        const stream = await call.answer;
        if (stream !== null) return stream;
        usage.storeCalls++;
        return store.get(key, options);
      },
    },
    begin: (hour, { compacted, minutes }) => {
      if (!mayBegin || (compacted.size === 0 && minutes.length === 0)) return;
      mayBegin = false;
      const chosen = chooseOutputs(compacted.values(), layout, { hour, start, end });
      outputs = chosen.map(({ info, key }) => askTable(info, formatMembersKey(key, layout)));
      // Whatever fails early fails again in earnest.
      chunkCalls = askChunks(hour, minutes[0]?.minute ?? null).catch(() => new Map());
    },
    keep: (keys) => {
      const lost = outputs.filter(({ info }) => !keys.has(info.key));
      outputs = outputs.filter(({ info }) => keys.has(info.key));
      if (lost.length > 0) drops.push(dropAll(lost));
    },
    claim: async (key, etag, chunk) => {
      const name = (await chunkCalls).get(key);
      const call = name === undefined ? undefined : calls.get(name);
      if (name === undefined || call === undefined) return;
      if (chunk !== null && name === nameCall(key, toOptions(chunk, etag))) claimed.set(key, call);
      else drops.push(drop(name));
    },
    count: (key) => {
      const call = claimed.get(key);
      if (call !== undefined) call.isCounted = true;
    },
    close: async () => {
      mayBegin = false;
      isClosed = true;
      await Promise.all([dropAll(outputs), ...drops]);
    },
  };
}

function toOptions({ offset, length }: Chunk, etag: string | null): GetOptions {
  return { range: { offset, length }, ...(etag === null ? {} : { ifMatch: etag }) };
}

/** Names a call, so that another one for the same bytes is known. */
function nameCall(key: string, { range, ifMatch }: GetOptions = {}): string {
  return [key, range?.offset, range?.length, ifMatch].join("\n");
}

function toStream(whole: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(whole);
      controller.close();
    },
  });
}

/** @returns `null` for one that is too long to be held */
async function readTable(stream: ReadableStream<Uint8Array>, timeout: Millis): Promise<Uint8Array | null> {
  const reader = openBoundedReader(stream, timeout);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for (let piece = await reader.read(); piece !== null; piece = await reader.read()) {
      length += piece.length;
      if (length > EARLY_TABLE_MAX_BYTES) return null;
      pieces.push(piece);
    }
    return joinBytes(pieces);
  } finally {
    await reader.cancel();
  }
}
