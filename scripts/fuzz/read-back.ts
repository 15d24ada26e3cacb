/**
 * Reads the whole archive of a run, minute by minute in every format, and proves that it decodes: mutants that were
 * accepted are in it, and must not spoil it for others.
 */
import type { FirnServer } from "../../bench/workerd-server.ts";
import { formatReplayUrl, parseReplay, type Window } from "../firn-client.ts";
import { listItems, SIGNALS, toObject, type Item, type Json, type JsonObject, type Signal } from "../otlp-items.ts";
import { decodeProtobuf } from "../otlp-protobuf.ts";
import { pickControls } from "./controls.ts";
import type { ReplayedItem } from "../../test/oracle/checker.ts";

/** The formats of replay that hold a signal of items. */
const FORMATS = ["jsonl", "json", "proto"] as const;
const PROFILES_FORMATS = ["jsonl", "proto-delimited"] as const;

/** What came back in one format. */
export interface ReadBack {
  /** Of traces, metrics and logs, or of profiles. */
  readonly format: (typeof FORMATS)[number] | `profiles ${(typeof PROFILES_FORMATS)[number]}`;
  readonly itemCount: number;
  readonly byteCount: number;
  /** Items of controls. */
  readonly controls: readonly ReplayedItem[];
}

const MINUTE_MILLIS = 60_000;
const REPLAY_TIMEOUT_MILLIS = 120_000;

/** What is to be read. */
export interface ReadBackOptions {
  readonly firn: FirnServer;
  /** Instants between which everything was stored. */
  readonly from: number;
  readonly until: number;
  /** Is told what does not decode; the rest is read all the same. */
  readonly onFault: (what: string) => void;
}

/** Reads traces, metrics and logs in every format. */
export async function readBack(options: ReadBackOptions): Promise<readonly ReadBack[]> {
  const results: ReadBack[] = [];
  for (const format of FORMATS) {
    const controls: ReplayedItem[] = [];
    let [itemCount, byteCount] = [0, 0];
    for (const signal of SIGNALS) {
      await eachMinute(options, { signal, format }, (body) => {
        const items = readItems(signal, format, body);
        controls.push(...pickControls(signal, items));
        itemCount += items.length;
        byteCount += body.length;
      });
    }
    results.push({ format, itemCount, byteCount, controls });
  }
  return results;
}

/** Reads the profiles, of which any well-formed request may be in the archive: what cannot be converted is skipped. */
export async function readProfiles(options: ReadBackOptions): Promise<readonly ReadBack[]> {
  const results: ReadBack[] = [];
  for (const format of PROFILES_FORMATS) {
    let [itemCount, byteCount] = [0, 0];
    await eachMinute(options, { signal: "profiles", format, query: "&on_error=skip" }, (body) => {
      itemCount += format === "jsonl" ? countLines(body) : countMessages(body);
      byteCount += body.length;
    });
    results.push({ format: `profiles ${format}`, itemCount, byteCount, controls: [] });
  }
  return results;
}

interface Selection {
  readonly signal: Signal | "profiles";
  readonly format: string;
  readonly query?: string;
}

/** Replays minute by minute, so that an answer fits memory whatever the run. */
async function eachMinute(
  { firn, from, until, onFault }: ReadBackOptions,
  { signal, format, query = "" }: Selection,
  take: (body: Uint8Array) => void,
): Promise<void> {
  for (const window of listMinutes(from, until)) {
    const url = `${formatReplayUrl(`http://127.0.0.1:${firn.port}`, signal, window, format)}${query}`;
    try {
      take(await fetchReplay(url));
    } catch (error) {
      onFault(`${url} cannot be read: ${String(error)}`);
    }
  }
}

function listMinutes(from: number, until: number): readonly Window[] {
  const first = from - (from % MINUTE_MILLIS);
  return Array.from({ length: Math.floor((until - first) / MINUTE_MILLIS) + 1 }, (_, minute) => ({
    start: new Date(first + minute * MINUTE_MILLIS),
    end: new Date(first + (minute + 1) * MINUTE_MILLIS),
  }));
}

async function fetchReplay(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(REPLAY_TIMEOUT_MILLIS) });
  const body = new Uint8Array(await response.arrayBuffer());
  if (response.status === 200) return body;
  throw new Error(`status ${response.status}, ${new TextDecoder().decode(body).slice(0, 300)}`);
}

/** Counts the lines before the mark, each of which must be an object. */
function countLines(body: Uint8Array): number {
  const lines = new TextDecoder("utf-8", { fatal: true }).decode(body).trimEnd().split("\n");
  const objects = lines.map((line) => toObject(JSON.parse(line) as Json));
  checkCount(objects.length - 1, toObject(objects.at(-1)?.["firn"]));
  return objects.length - 1;
}

/** Counts the messages before the mark, by the 4-byte length that stands before each. */
function countMessages(body: Uint8Array): number {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let count = 0;
  let last = body;
  for (let at = 0; at < body.length; count += 1) {
    const end = at + 4 + view.getUint32(at);
    if (end > body.length) throw new Error(`Cannot read message ${count}: it ends behind the end of the answer`);
    last = body.subarray(at + 4, end);
    at = end;
  }
  const mark = new TextDecoder().decode(last).replace(/^[^{]*/, "");
  checkCount(count - 1, toObject(JSON.parse(mark) as Json));
  return count - 1;
}

function checkCount(count: number, mark: JsonObject): void {
  if (mark["items"] !== count)
    throw new Error(`Cannot trust a replay of ${count} requests of profiles: its mark is ${JSON.stringify(mark)}`);
}

function readItems(signal: Signal, format: (typeof FORMATS)[number], body: Uint8Array): readonly Item[] {
  if (format === "proto") return listItems(signal, decodeProtobuf(signal, body));
  const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  const { items, mark } = format === "jsonl" ? parseReplay(signal, text) : parseDocument(signal, text);
  if (mark["items"] !== items.length || mark["unreadable"] !== 0)
    throw new Error(`Cannot trust a replay of ${items.length} items of ${signal}: its mark is ${JSON.stringify(mark)}`);
  return items;
}

function parseDocument(signal: Signal, text: string): { readonly items: readonly Item[]; readonly mark: JsonObject } {
  const document = toObject(JSON.parse(text) as Json);
  return { items: listItems(signal, document), mark: toObject(document["firn"]) };
}
