/** What the cases play on: an S3 server, local Firns on it, and real telemetry of all three signals. */
import { join } from "node:path";
import { archiveVars } from "../../test/servers/s3-bucket.ts";
import { makeDirectory, removeDirectory } from "../../test/servers/server-process.ts";
import { startVersitygw, type StartedVersitygw } from "../../test/servers/versitygw.ts";
import { readDocuments } from "../corpus.ts";
import { formatReplayUrl, type Window } from "../firn-client.ts";
import { findFreePort, startLocalFirn, type LocalFirn } from "../local-firn.ts";
import { SIGNALS, type JsonObject, type Signal } from "../otlp-items.ts";
import { checkEqual, countItems, parseLines, toBag, type ItemBag } from "./item-bag.ts";

/** Requests that are taken of a data set: enough for every shape, and a run of minutes. */
const DATA_SETS: readonly { readonly name: string; readonly requests: number }[] = [
  { name: "traces/hipstershop", requests: 4 },
  { name: "traces/zipkin-samples", requests: 10 },
  { name: "traces/genai-agents", requests: 20 },
  { name: "metrics/oteldemo-histograms", requests: 30 },
  { name: "metrics/trainticket", requests: 60 },
  { name: "logs/sshd-auth", requests: 4 },
  { name: "logs/kafka-brokers", requests: 8 },
];
const HOUR_MILLIS = 3_600_000;

/** By signal. */
export type BySignal<T> = Readonly<Record<Signal, T>>;

/** Where everything happens. */
export interface Stage {
  readonly directory: string;
  readonly gateway: StartedVersitygw;
  /** The telemetry as OTLP JSON, one request a line. */
  readonly lines: string;
  readonly items: BySignal<ItemBag>;
  /** Environment of an S3 client. */
  readonly keys: Readonly<Record<string, string>>;
  /** Starts a Firn on the bucket. */
  readonly startFirn: (name: string, vars: Readonly<Record<string, string>>) => Promise<LocalFirn>;
  /** Folder that the server keeps the bucket's objects in. */
  readonly bucket: string;
  readonly stop: () => Promise<void>;
}

/** Sets it up. @throws Error where no Go is there */
export async function openStage(): Promise<Stage> {
  const gateway = await startVersitygw();
  if (gateway === null) throw new Error("Cannot run the checks: there is no Go to build tools with");
  const directory = makeDirectory("interop");
  const firns: LocalFirn[] = [];
  const lines = DATA_SETS.flatMap(({ name, requests }) => readDocuments(name).slice(0, requests))
    .map((document) => `${new TextDecoder().decode(document)}\n`)
    .join("");
  const { server } = gateway;
  return {
    directory,
    gateway,
    lines,
    items: toItems(lines),
    keys: {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
    },
    startFirn: async (name, vars) => {
      const firn = await startLocalFirn({
        port: await findFreePort(),
        persistTo: join(directory, `firn-${name}`),
        vars: { ...archiveVars(server), FLUSH_INTERVAL_SECONDS: "3600", COMPACT_GRACE_SECONDS: "0", ...vars },
        onNotice: (line) => console.error(line),
      });
      firns.push(firn);
      return firn;
    },
    bucket: join(gateway.directory, "data", server.bucket),
    stop: async () => {
      for (const firn of firns) await firn.stop();
      await gateway.stop();
      removeDirectory(directory);
    },
  };
}

/** Items of lines of OTLP JSON. */
export function toItems(lines: string): BySignal<ItemBag> {
  const requests = parseLines(lines);
  return {
    traces: toBag("traces", requests.traces),
    metrics: toBag("metrics", requests.metrics),
    logs: toBag("logs", requests.logs),
  };
}

/** Demands all items of the stage, each once. @returns how many there were, in words */
export function checkAll(what: string, expected: BySignal<ItemBag>, found: BySignal<ItemBag>): string {
  const counts = SIGNALS.map((signal) => checkEqual(`${what}, ${signal}`, expected[signal], found[signal]));
  return `${counts.join(" + ")} items equal`;
}

/** Demands that nothing was found. */
export function checkNone(what: string, found: BySignal<ItemBag>): string {
  const count = SIGNALS.reduce((sum, signal) => sum + countItems(found[signal]), 0);
  if (count > 0) throw new Error(`${what}: found ${count} items, expected none`);
  return "no item";
}

/** The whole hours around two instants. */
export function toHours(from: number, until: number): Window {
  const start = Math.floor(from / HOUR_MILLIS) * HOUR_MILLIS;
  return { start: new Date(start), end: new Date((Math.floor(until / HOUR_MILLIS) + 1) * HOUR_MILLIS) };
}

/** Replays a window of each signal. @returns the bytes of each answer */
export async function replayBytes(firn: LocalFirn, window: Window, format: string): Promise<BySignal<Uint8Array>> {
  const read = async (signal: Signal): Promise<Uint8Array> => {
    const response = await fetch(formatReplayUrl(firn.url, signal, window, format));
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.ok) return bytes;
    throw new Error(`Cannot replay ${signal}: status ${response.status}, ${new TextDecoder().decode(bytes)}`);
  };
  return { traces: await read("traces"), metrics: await read("metrics"), logs: await read("logs") };
}

/** Replays all three signals as lines. */
export async function replayLines(firn: LocalFirn, window: Window): Promise<string> {
  const answers = await replayBytes(firn, window, "jsonl");
  return SIGNALS.map((signal) => new TextDecoder().decode(answers[signal])).join("");
}

/** Compacts whatever is there, hours that are not over and other writers' objects, too. */
export async function compactForeign(firn: LocalFirn): Promise<void> {
  const response = await fetch(`${firn.url}/admin/compact?force=true&foreign=true`, { method: "POST" });
  const text = await response.text();
  const { complete, errors } = JSON.parse(text) as JsonObject;
  if (!response.ok || complete !== true || errors !== undefined) throw new Error(`Cannot compact: ${text}`);
}
