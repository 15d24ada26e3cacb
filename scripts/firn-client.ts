/**
 * What scripts and end-to-end tests ask of a running Firn over HTTP: flush until nothing is left, compact, read a
 * window back.
 */
import { setTimeout as delay } from "node:timers/promises";
import { CONTAINERS, listItems, toObject, type Item, type Json, type JsonObject, type Signal } from "./otlp-items.ts";

const FLUSH_TIMEOUT_MILLIS = 120_000;
const FLUSH_PAUSE_MILLIS = 250;
const COMPACT_TIMEOUT_MILLIS = 900_000;
const REPLAY_TIMEOUT_MILLIS = 300_000;

/** The answer of `POST /admin/flush`. */
export interface FlushAnswer {
  readonly complete: boolean;
  readonly remaining_batches: number;
  readonly stored_objects: number;
  readonly stored_bytes: number;
}

/** The answer of `POST /admin/compact`. */
export interface CompactAnswer {
  readonly complete: boolean;
  readonly signals: readonly {
    readonly signal: Signal;
    readonly complete: boolean;
    readonly generations: number;
    readonly sources: number;
    readonly outputs: number;
    readonly items: number;
    readonly raw_bytes: number;
    readonly stored_bytes_before: number;
    readonly stored_bytes_after: number;
    readonly open_hours: number;
    readonly errors: readonly string[];
  }[];
}

/** A window that was read to its mark. */
export interface Replayed {
  readonly items: readonly Item[];
  /** Lines of telemetry, without the mark. */
  readonly lineCount: number;
  /** What stands under `firn` in the last line. */
  readonly mark: JsonObject;
}

/** A half-open span of time. */
export interface Window {
  readonly start: Date;
  readonly end: Date;
}

/** The window that holds whatever was sent between two instants, to the minute. */
export function toWindow(from: number, until: number): Window {
  const minute = 60_000;
  return {
    start: new Date(Math.floor(from / minute) * minute),
    end: new Date((Math.floor(until / minute) + 2) * minute),
  };
}

/** URL of a window's replay. */
export function formatReplayUrl(
  url: string,
  signal: Signal | "profiles",
  { start, end }: Window,
  format: string = "jsonl",
): string {
  const [from, to] = [start, end].map((time) => time.toISOString().replace(".000Z", "Z"));
  return `${url}/replay?signal=${signal}&start=${from}&end=${to}${format === "jsonl" ? "" : `&format=${format}`}`;
}

/** Flushes until no shard holds anything. @returns the sum of what was stored */
export async function flushAll(url: string): Promise<FlushAnswer> {
  const deadline = Date.now() + FLUSH_TIMEOUT_MILLIS;
  let [objects, stored] = [0, 0];
  for (;;) {
    const response = await fetch(`${url}/admin/flush`, {
      method: "POST",
      signal: AbortSignal.timeout(FLUSH_TIMEOUT_MILLIS),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`Cannot flush: status ${response.status}, ${text.slice(0, 500)}`);
    const answer = JSON.parse(text) as FlushAnswer;
    objects += answer.stored_objects;
    stored += answer.stored_bytes;
    if (answer.complete && answer.remaining_batches === 0)
      return { ...answer, stored_objects: objects, stored_bytes: stored };
    if (Date.now() > deadline) throw new Error(`Cannot flush within ${FLUSH_TIMEOUT_MILLIS} ms: ${text.trim()}`);
    await delay(FLUSH_PAUSE_MILLIS);
  }
}

/** Compacts the last two days. @param force - takes hours that are not over, too */
export async function compactAll(url: string, { force }: { readonly force: boolean }): Promise<CompactAnswer> {
  const response = await fetch(`${url}/admin/compact?force=${force}`, {
    method: "POST",
    signal: AbortSignal.timeout(COMPACT_TIMEOUT_MILLIS),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`Cannot compact: status ${response.status}, ${text.slice(0, 500)}`);
  const answer = JSON.parse(text) as CompactAnswer & { readonly errors?: readonly { readonly message: string }[] };
  if (answer.errors !== undefined) throw new Error(`Cannot compact: ${answer.errors[0]?.message ?? text}`);
  return answer;
}

/** Reads a window as `jsonl`. @throws Error when the stream does not end in its mark */
export async function replay(url: string, signal: Signal, window: Window): Promise<Replayed> {
  const response = await fetch(formatReplayUrl(url, signal, window), {
    signal: AbortSignal.timeout(REPLAY_TIMEOUT_MILLIS),
  });
  const text = await response.text();
  if (response.status !== 200)
    throw new Error(`Cannot replay ${signal}: status ${response.status}, ${text.slice(0, 500)}`);
  return parseReplay(signal, text);
}

/** Splits a `jsonl` stream into items and mark. */
export function parseReplay(signal: Signal, text: string): Replayed {
  const lines = text.trimEnd().split("\n");
  const last = toObject(JSON.parse(lines.pop() ?? "null") as Json);
  const mark = last["firn"];
  if (mark === undefined || !text.endsWith("\n") || JSON.stringify(last[CONTAINERS[signal].resources]) !== "[]")
    throw new Error(`Cannot read the replay of ${signal}: it ends without its mark, ${text.slice(-200)}`);
  const items = lines.flatMap((line) => listItems(signal, JSON.parse(line) as JsonObject));
  return { items, lineCount: lines.length, mark: toObject(mark) };
}
