/**
 * `npm run demo`: the main job, on this machine and without a network. A local Firn gets traces, metrics and logs from
 * the official OpenTelemetry SDK, writes them out, compacts them, gives the window back, and the two sides are compared
 * item by item.
 * It ends with an error when anything differs.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countObjectItems, openLocalBucket, type Bucket, type BucketObject } from "./demo/bucket.ts";
import { compareItems, formatComparison, isEqual } from "./demo/compare.ts";
import { runShop } from "./demo/shop.ts";
import { startTelemetry } from "./demo/telemetry.ts";
import { formatBytes, formatCount, openTerminal, type Terminal } from "./demo/terminal.ts";
import { compactAll, flushAll, formatReplayUrl, replay, toWindow, type Replayed, type Window } from "./firn-client.ts";
import { findFreePort, startLocalFirn } from "./local-firn.ts";
import { formatJson, SIGNALS, type Item, type Signal } from "./otlp-items.ts";

/** Orders for each of the two encodings. */
const ORDERS = 120;
const MAX_LISTED_OBJECTS = 12;
const ENCODINGS = [
  { encoding: "protobuf", compression: "gzip" },
  { encoding: "json", compression: "none" },
] as const;

type BySignal<T> = Readonly<Record<Signal, T>>;

async function main(): Promise<void> {
  const terminal = openTerminal();
  const directory = await mkdtemp(join(tmpdir(), "firn-demo-"));
  const port = await findFreePort();
  terminal.print("Firn demo: telemetry in, snow to ice, telemetry out.\n");
  const firn = await terminal.step("Start Firn with an embedded store", async () => {
    const started = await startLocalFirn({ port, persistTo: directory, onNotice: (line) => console.error(line) });
    return { value: started, summary: started.url };
  });
  const cleanUp = async (): Promise<void> => {
    await firn.stop();
    await rm(directory, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
  try {
    await showJourney(terminal, firn.url);
  } finally {
    await cleanUp();
  }
  terminal.print(formatNextCommands());
}

async function showJourney(terminal: Terminal, url: string): Promise<void> {
  const began = Date.now();
  const sent: BySignal<Item[]> = { traces: [], metrics: [], logs: [] };
  for (const how of ENCODINGS) {
    await terminal.step(`Send with the OpenTelemetry SDK, ${how.encoding}, ${how.compression}`, async (show) => {
      const items = await sendOrders(url, how, show);
      for (const signal of SIGNALS) sent[signal].push(...items[signal]);
      const nouns = [formatCount(items.traces.length, "span"), formatCount(items.metrics.length, "data point")];
      return { value: null, summary: [...nouns, formatCount(items.logs.length, "log record")].join(", ") };
    });
    await terminal.step("Flush", async () => {
      const answer = await flushAll(url);
      const summary = `${formatCount(answer.stored_objects, "object")}, ${formatBytes(answer.stored_bytes)} stored`;
      return { value: null, summary };
    });
  }
  const window = toWindow(began, Date.now());
  const bucket = openLocalBucket(url);
  const objects = await terminal.step("List the bucket over S3", async () => {
    const value = (await bucket.list()).filter(({ key }) => !key.includes("_firn/"));
    if (value.length === 0) throw new Error("Cannot find any object in the bucket, expected what was flushed");
    return { value, summary: formatCount(value.length, "object"), details: formatObjects(value) };
  });
  await terminal.step("Open one object without Firn", () => openObject(bucket, objects));
  await terminal.step("Compact the hour, though it is not over", () => compactHour(url, bucket, objects));
  const returned = await terminal.step("Replay the window", async () => {
    const pairs = await Promise.all(
      SIGNALS.map(async (signal) => [signal, await replay(url, signal, window)] as const),
    );
    const value = Object.fromEntries(pairs) as BySignal<Replayed>;
    return { value, summary: formatWindow(window), details: formatMarks(value) };
  });
  await terminal.step("Compare every item with what was sent", async () => compareAll(sent, returned));
}

async function sendOrders(
  url: string,
  how: (typeof ENCODINGS)[number],
  show: (detail: string) => void,
): Promise<BySignal<Item[]>> {
  const telemetry = startTelemetry({ url, serviceName: "shop", ...how });
  let orders = 0;
  await runShop(telemetry, ORDERS, () => show(`${++orders} of ${ORDERS} orders`));
  await telemetry.flush();
  await telemetry.shutdown();
  return telemetry.sent;
}

/** The sources stay for an hour, for readers that are on their way; the replay reads what they became. */
async function compactHour(
  url: string,
  bucket: Bucket,
  sources: readonly BucketObject[],
): Promise<{ value: null; summary: string; details: readonly string[] }> {
  const { complete, signals } = await compactAll(url, { force: true });
  const failed = signals.flatMap(({ signal, errors }) => errors.map((error) => `${signal}: ${error}`));
  if (!complete) throw new Error(`Cannot compact: ${failed.join("; ") || "some hours are left"}`);
  const known = new Set(sources.map(({ key }) => key));
  const outputs = (await bucket.list()).filter(({ key }) => !key.includes("_firn/") && !known.has(key));
  if (outputs.length === 0) throw new Error("Cannot find any hour object in the bucket, expected one a signal");
  const [before, after] = [sumBytes(sources), sumBytes(outputs)];
  const saved = Math.round((1 - after / before) * 100);
  const counts = `${formatCount(sources.length, "object")} became ${formatCount(outputs.length, "object")}`;
  const bytes = `${formatBytes(before)} became ${formatBytes(after)}`;
  return { value: null, summary: `${counts}, ${bytes}: ${saved} % saved`, details: formatObjects(outputs) };
}

function sumBytes(objects: readonly BucketObject[]): number {
  return objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function openObject(bucket: Bucket, objects: readonly BucketObject[]): Promise<{ value: null; summary: string }> {
  const object = objects.find(({ key }) => /traces_[^/]*$/.test(key)) ?? objects[0];
  if (object === undefined) throw new Error("Cannot open an object: the bucket is empty");
  const signal = SIGNALS.find((name) => object.key.includes(`${name}_`)) ?? "traces";
  const count = countObjectItems(signal, object.key, await bucket.get(object.key));
  if (count === 0) throw new Error(`Cannot find an item in ${object.key}, expected plain OTLP`);
  return { value: null, summary: `zlib and an OTLP decoder find ${formatCount(count, "item")} of ${signal} in it` };
}

function formatObjects(objects: readonly BucketObject[]): readonly string[] {
  const lines = objects
    .slice(0, MAX_LISTED_OBJECTS)
    .map(({ key, sizeBytes }) => `${formatBytes(sizeBytes).padStart(10)}  ${key}`);
  const rest = objects.length - lines.length;
  return rest === 0 ? lines : [...lines, `… and ${rest} more`];
}

function formatWindow({ start, end }: Window): string {
  return `${start.toISOString().slice(0, 16)}Z to ${end.toISOString().slice(0, 16)}Z`;
}

/** The mark ends each stream. `complete` speaks of time, not of the stream: the current minute may still grow. */
function formatMarks(returned: BySignal<Replayed>): readonly string[] {
  const lines = SIGNALS.map((signal) => {
    const { items, lineCount, mark } = returned[signal];
    const found = `${formatCount(items.length, "item")} in ${formatCount(lineCount, "line")}`;
    return `${signal.padEnd(8)}${found}, mark: complete=${formatJson(mark["complete"])}`;
  });
  const open = SIGNALS.some((signal) => returned[signal].mark["complete"] !== true);
  return open
    ? [...lines, "The mark proves that each stream ended; complete=false: the window reaches into this minute."]
    : lines;
}

function compareAll(sent: BySignal<readonly Item[]>, returned: BySignal<Replayed>): { value: null; summary: string } {
  let count = 0;
  for (const signal of SIGNALS) {
    const { items, mark } = returned[signal];
    const comparison = compareItems(sent[signal], items);
    if (!isEqual(comparison))
      throw new Error(`What came back of ${signal} differs from what was sent: ${formatComparison(comparison)}`);
    if (mark["items"] !== items.length)
      throw new Error(
        `Cannot trust the mark of ${signal}: it says ${formatJson(mark["items"])} items, found ${items.length}`,
      );
    if (items.length === 0) throw new Error(`Cannot compare ${signal}: nothing was sent`);
    count += items.length;
  }
  return {
    value: null,
    summary: `${formatCount(count, "item")} sent, the same came back, none lost, doubled or changed`,
  };
}

function formatNextCommands(): string {
  const url = "http://127.0.0.1:4318";
  const today = new Date();
  const tomorrow = new Date(today.getTime() + 86_400_000);
  const [start, end] = [today, tomorrow].map((day) => new Date(day.toISOString().slice(0, 10)));
  const nanos = `${today.getTime()}000000`;
  const record = `{"timeUnixNano":"${nanos}","severityText":"INFO","body":{"stringValue":"hello, archive"}}`;
  const body = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`;
  if (start === undefined || end === undefined) return "";
  return [
    "\nEverything came back as it was sent. Next:\n",
    "  npm start",
    `  curl ${url}/v1/logs -H 'content-type: application/json' -d '${body}'`,
    `  curl '${formatReplayUrl(url, "logs", { start, end })}'`,
    "\nThe archive shows a record after its flush, a minute later; POST /admin/flush does it at once.",
  ].join("\n");
}

try {
  await main();
} catch (error) {
  console.error(`\nThe demo failed. ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
