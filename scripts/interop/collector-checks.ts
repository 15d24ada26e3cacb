/** The Collector in front of Firn, and behind its replay. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { flushAll, type Window } from "../firn-client.ts";
import { findFreePort, type LocalFirn } from "../local-firn.ts";
import { CONTAINERS, SIGNALS, type Signal } from "../otlp-items.ts";
import { runCollector } from "./collector-run.ts";
import { parseLines } from "./item-bag.ts";
import type { Report } from "./report.ts";
import { checkAll, replayBytes, replayLines, toHours, toItems, type Stage } from "./stage.ts";
import type { Tool } from "./tools.ts";

/** A Firn with all of the telemetry in it. */
export interface FilledFirn {
  readonly firn: LocalFirn;
  readonly window: Window;
}

type Found = Extract<Tool, { kind: "found" }>;

const CLI = join(import.meta.dirname, "../../cli/main.ts");
/** A replay in one request may be longer than the 20 MiB that the receiver takes by default. */
const RAISED_BODY_LIMIT = "max_request_body_size: 209715200";

/** Sends the telemetry through the Collector into a Firn; what stands there is the matter of all further checks. */
export async function fillByCollector(stage: Stage, { path, version }: Found, report: Report): Promise<FilledFirn> {
  const firn = await stage.startFirn("main", {});
  const from = Date.now();
  const file = join(stage.directory, "telemetry.jsonl");
  writeFileSync(file, stage.lines);
  for (const encoding of ["proto", "json"] as const) {
    // Half of the telemetry in each encoding: Firn stores equal bodies once, and batches of both would differ.
    const half = join(stage.directory, `telemetry-${encoding}.jsonl`);
    const kept = stage.lines.split("\n").filter((_, index) => (index % 2 === 0) === (encoding === "proto"));
    writeFileSync(half, `${kept.join("\n")}\n`);
    const compression = encoding === "proto" ? "gzip" : "zstd";
    await runCollector({
      program: path,
      directory: stage.directory,
      name: `to-firn-${encoding}`,
      receivers: formatFile(half),
      exporters: `  otlphttp: { endpoint: "${firn.url}", encoding: ${encoding}, compression: ${compression} }`,
      pipeline: { receivers: "otlpjsonfile", exporters: "otlphttp" },
    });
  }
  await flushAll(firn.url);
  const window = toHours(from, Date.now());
  await report.check(`Collector ${version}`, "otlphttpexporter (protobuf and gzip, JSON and zstd) to Firn", async () =>
    checkAll("archive", stage.items, toItems(await replayLines(firn, window))),
  );
  return { firn, window };
}

/** Gives replays of every form to the Collector. */
export async function checkReplays(
  stage: Stage,
  { path, version }: Found,
  filled: FilledFirn,
  report: Report,
): Promise<void> {
  const tool = `Collector ${version}`;
  const run = { program: path, directory: stage.directory };
  await report.check(
    tool,
    "replay `jsonl`, all signals in one file, to the stand-in for otlpjsonfile, default line limit",
    async () => {
      const file = join(stage.directory, "replay.jsonl");
      writeFileSync(file, await replayLines(filled.firn, filled.window));
      const receivers = formatFile(file);
      const found = await runCollector({
        ...run,
        name: "from-file",
        receivers,
        pipeline: { receivers: "otlpjsonfile" },
      });
      return checkAll("file", stage.items, toItems(found));
    },
  );
  for (const format of ["proto", "json", "jsonl"] as const) {
    await report.check(tool, `replay \`${format}\` posted to otlpreceiver`, async () => {
      const port = await findFreePort();
      const found = await runCollector({
        ...run,
        name: `from-${format}`,
        receivers: formatReceiver(port, RAISED_BODY_LIMIT),
        pipeline: { receivers: "otlp" },
        send: { port, run: () => postReplay(filled, format, port) },
      });
      return checkAll(format, stage.items, toItems(found));
    });
  }
  await report.check(tool, "replay `jsonl`, all signals in one file, by `firn send` to otlpreceiver", async () => {
    const port = await findFreePort();
    const file = join(stage.directory, "to-send.jsonl");
    writeFileSync(file, await replayLines(filled.firn, filled.window));
    const found = await runCollector({
      ...run,
      name: "from-firn-send",
      receivers: formatReceiver(port),
      pipeline: { receivers: "otlp" },
      send: { port, run: () => sendFile(file, port) },
    });
    return checkAll("sent", stage.items, toItems(found));
  });
  await report.check(tool, "replay `proto-delimited`, read as the file exporter's `format: proto` is", async () => {
    const answers = await replayBytes(filled.firn, filled.window, "proto-delimited");
    const sums = SIGNALS.map((signal) => countMessages(answers[signal]));
    return `${sums.join(" + ")} messages, each of the length in front of it`;
  });
}

async function postReplay(
  { firn, window }: FilledFirn,
  format: "proto" | "json" | "jsonl",
  port: number,
): Promise<void> {
  const answers = await replayBytes(firn, window, format);
  for (const signal of SIGNALS) {
    const bodies = format === "jsonl" ? splitLines(signal, answers[signal]) : [answers[signal]];
    for (const body of bodies) await post(port, signal, format, body);
  }
}

function splitLines(signal: Signal, bytes: Uint8Array): readonly Uint8Array[] {
  const requests = parseLines(new TextDecoder().decode(bytes))[signal];
  return requests
    .filter((request) => JSON.stringify(request[CONTAINERS[signal].resources]) !== "[]")
    .map((request) => new TextEncoder().encode(JSON.stringify(request)));
}

/** Posts one request. @throws Error on any answer but 200 */
export async function post(port: number, signal: Signal, format: string, body: Uint8Array): Promise<void> {
  const type = format === "proto" ? "application/x-protobuf" : "application/json";
  const response = await fetch(`http://127.0.0.1:${port}/v1/${signal}`, {
    method: "POST",
    headers: { "content-type": type },
    body: Uint8Array.from(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot post ${format} of ${signal}: status ${response.status}, ${text}`);
}

/** Sends a file with the command line. @throws Error when it ends with anything but 0 */
async function sendFile(file: string, port: number): Promise<void> {
  await promisify(execFile)(process.execPath, [CLI, "send", file, "--to", `http://127.0.0.1:${port}`]);
}

function countMessages(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [at, count] = [0, 0];
  for (; at < bytes.length; count += 1) at += 4 + view.getUint32(at);
  if (at !== bytes.length) throw new Error(`Cannot read messages: the last one ends at ${at} of ${bytes.length}`);
  return count;
}

function formatFile(file: string): string {
  return `  otlpjsonfile: { include: [${JSON.stringify(file)}], start_at: beginning }`;
}

function formatReceiver(port: number, ...settings: readonly string[]): string {
  const http = [`endpoint: "127.0.0.1:${port}"`, ...settings].join(", ");
  return `  otlp: { protocols: { http: { ${http} } } }`;
}
