/** Programs in which people look at telemetry: Jaeger and DuckDB. */
import { spawn } from "node:child_process";
import { createWriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { flushAll } from "../firn-client.ts";
import { findFreePort } from "../local-firn.ts";
import { listItems, SIGNALS, toObject, type Json, type JsonObject, type Signal } from "../otlp-items.ts";
import { post, type FilledFirn } from "./collector-checks.ts";
import { countItems, parseLines } from "./item-bag.ts";
import type { Report } from "./report.ts";
import { compactForeign, replayBytes, replayLines, type Stage } from "./stage.ts";
import type { Tool } from "./tools.ts";

type Found = Extract<Tool, { kind: "found" }>;

const START_TIMEOUT_MILLIS = 60_000;
const PAUSE_MILLIS = 200;

/** Gives replays to a running Jaeger: as its page uploads a file, and over OTLP. */
export async function checkJaeger(
  stage: Stage,
  { path, version }: Found,
  filled: FilledFirn,
  report: Report,
): Promise<void> {
  const tool = `Jaeger ${version}`;
  const [ui, otlp] = [await findFreePort(), await findFreePort()];
  const config = join(stage.directory, "jaeger.yaml");
  writeFileSync(config, formatJaeger(ui, otlp, await findFreePort()));
  const child = spawn(path, ["--config", config], { stdio: ["ignore", "pipe", "pipe"] });
  const log = createWriteStream(join(stage.directory, "jaeger.log"));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const expected = countItems(stage.items.traces);
  try {
    await untilAnswering(`http://127.0.0.1:${ui}/api/services`);
    for (const format of ["json", "jsonl"] as const) {
      await report.check(tool, `replay \`${format}\` of traces to the backend of the page's upload`, async () => {
        const { traces } = await replayBytes(filled.firn, filled.window, format);
        const documents = splitDocuments(traces);
        let spans = 0;
        for (const body of documents) spans += await transform(ui, body);
        if (spans !== expected) throw new Error(`Jaeger has ${spans} spans, expected ${expected}`);
        return `${spans} spans of ${documents.length} documents`;
      });
    }
    await report.check(tool, "replay `proto` of traces to its OTLP port, read back by its API", async () => {
      const { traces } = await replayBytes(filled.firn, filled.window, "proto");
      await post(otlp, "traces", "proto", traces);
      const services = await getJson(`http://127.0.0.1:${ui}/api/services`);
      const known = new Set(services["data"] as readonly string[]);
      const names = listServices(stage);
      const unknown = names.filter((name) => !known.has(name));
      if (unknown.length > 0) throw new Error(`Jaeger does not know the services ${unknown.join(", ")}`);
      return `all ${names.length} services known to it`;
    });
  } finally {
    child.kill("SIGTERM");
    log.end();
  }
}

/** Values of `service.name` among the traces. */
function listServices(stage: Stage): readonly string[] {
  const spans = parseLines(stage.lines).traces.flatMap((request) => listItems("traces", request));
  const names = spans.map(({ content }) => {
    const attributes = toObject(content["resource"])["attributes"] as readonly JsonObject[] | undefined;
    return toObject(attributes?.find(({ key }) => key === "service.name")?.["value"])["stringValue"];
  });
  return [...new Set(names.filter((name) => typeof name === "string"))];
}

/** Each line as it came, as the page reads a file. */
function splitDocuments(bytes: Uint8Array): readonly string[] {
  return new TextDecoder().decode(bytes).trimEnd().split("\n");
}

async function transform(port: number, body: string): Promise<number> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://127.0.0.1:${port}/api/transform`, { method: "POST", headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot transform: status ${response.status}, ${text.slice(0, 300)}`);
  const { data } = JSON.parse(text) as { readonly data: readonly { readonly spans: readonly unknown[] }[] | null };
  return (data ?? []).reduce((sum, { spans }) => sum + spans.length, 0);
}

async function getJson(url: string): Promise<JsonObject> {
  const response = await fetch(url);
  return JSON.parse(await response.text()) as JsonObject;
}

async function untilAnswering(url: string): Promise<void> {
  for (const deadline = Date.now() + START_TIMEOUT_MILLIS; ; await delay(PAUSE_MILLIS)) {
    try {
      const response = await fetch(url);
      await response.body?.cancel();
      return;
    } catch (cause) {
      if (Date.now() > deadline) throw new Error(`Cannot reach ${url} within ${START_TIMEOUT_MILLIS} ms`, { cause });
    }
  }
}

function formatJaeger(ui: number, otlp: number, grpc: number): string {
  return [
    "service:",
    "  extensions: [jaeger_storage, jaeger_query]",
    "  telemetry: { metrics: { level: none } }",
    "  pipelines: { traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] } }",
    "extensions:",
    "  jaeger_storage: { backends: { memory: { memory: { max_traces: 1000000 } } } }",
    "  jaeger_query:",
    "    storage: { traces: memory }",
    `    http: { endpoint: "127.0.0.1:${ui}" }`,
    `    grpc: { endpoint: "127.0.0.1:${grpc}" }`,
    `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${otlp}", max_request_body_size: 209715200 } } } }`,
    "exporters: { jaeger_storage_exporter: { trace_storage: memory } }",
    "",
  ].join("\n");
}

/** How DuckDB reaches the items of a signal; a data point stands in the list of its metric's kind. */
const PATHS: Readonly<Record<Signal, string>> = {
  traces: "$.resourceSpans[*].scopeSpans[*].spans[*]",
  metrics: "$.resourceMetrics[*].scopeMetrics[*].metrics[*].*.dataPoints[*]",
  logs: "$.resourceLogs[*].scopeLogs[*].logRecords[*]",
};

/** Counts items with DuckDB: of a replay, and of JSON archives in place. */
export async function checkDuckdb(
  stage: Stage,
  { path, version }: Found,
  filled: FilledFirn,
  report: Report,
): Promise<void> {
  const tool = `DuckDB ${version}`;
  const { DuckDBInstance } = (await import(pathToFileURL(join(path, "lib/index.js")).href)) as DuckdbModule;
  const connection = await (await DuckDBInstance.create()).connect();
  const count = async (signal: Signal, files: string, options: string): Promise<number> => {
    const reader = await connection.runAndReadAll(formatCount(signal, files, options));
    return Number(Object.values(reader.getRowObjectsJson()[0] ?? {})[0]);
  };
  const checkCounts = async (files: (signal: Signal) => string, options: string): Promise<string> => {
    const counts: number[] = [];
    for (const signal of SIGNALS) {
      const [found, expected] = [await count(signal, files(signal), options), countItems(stage.items[signal])];
      if (found !== expected) throw new Error(`It counts ${found} of ${signal}, expected ${expected}`);
      counts.push(found);
    }
    return `${counts.join(" + ")} items counted`;
  };
  await report.check(tool, "replay `jsonl`, all signals in one file, by `read_json`", async () => {
    const file = join(stage.directory, "duckdb.jsonl");
    writeFileSync(file, await replayLines(filled.firn, filled.window));
    return checkCounts(() => file, "");
  });
  const firn = await stage.startFirn("json", { ARCHIVE_PREFIX: "json", ARCHIVE_MARSHALER: "otlp_json" });
  const port = Number(new URL(firn.url).port);
  const requests = parseLines(stage.lines);
  for (const signal of SIGNALS) {
    for (const request of requests[signal]) {
      await post(port, signal, "json", new TextEncoder().encode(JSON.stringify(request)));
    }
  }
  await flushAll(firn.url);
  await report.check(tool, "fresh objects of an `otlp_json` archive (`.json.gz`) in place", () =>
    checkCounts((signal) => join(stage.bucket, `json/*/*/*/*/*/${signal}_*.json.gz`), ", compression = 'gzip'"),
  );
  await compactForeign(firn);
  await report.check(tool, "compacted objects of an `otlp_json` archive (`.json.zst`) in place", () =>
    checkCounts((signal) => join(stage.bucket, `json/*/*/*/*/${signal}_*.json.zst`), ", compression = 'zstd'"),
  );
  await firn.stop();
}

/** The part of its package that is used. */
interface DuckdbModule {
  readonly DuckDBInstance: {
    readonly create: () => Promise<{
      readonly connect: () => Promise<{
        readonly runAndReadAll: (
          sql: string,
        ) => Promise<{ readonly getRowObjectsJson: () => readonly Record<string, Json>[] }>;
      }>;
    }>;
  };
}

function formatCount(signal: Signal, files: string, options: string): string {
  const lines = `read_json_objects('${files}', format = 'auto', maximum_object_size = 268435456${options})`;
  return `SELECT coalesce(sum(len(json_extract(json, '${PATHS[signal]}'))), 0) FROM ${lines}`;
}
