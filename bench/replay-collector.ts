/**
 * The peer of a replay: a Collector that reads the same window of the same bucket and writes it to a file. Its receiver
 * stands in for awss3receiver (docs/interop.md): a list a step, every object whole, pdata; the file exporter is the
 * Collector's own.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3Server } from "../test/servers/contract.ts";
import { cpuSeconds } from "./process-usage.ts";
import type { BucketWindow } from "./replay-bucket.ts";
import { makeTemporaryDirectory } from "./workerd-process.ts";

const TIMEOUT_MS = 300_000;
const PAUSE_MS = 20;
const FINISHED = "Finished reading telemetry";

/** What the Collector reads, and how it writes. */
export interface CollectorPlan {
  readonly program: string;
  readonly server: S3Server;
  readonly window: BucketWindow;
  readonly partitionFormat: string;
  readonly format: "proto" | "json";
}

/** What it took, from its start to the last batch in the file. */
export interface CollectorUsage {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Runs it once. @throws Error when it ends early or does not get through */
export async function measureCollector(plan: CollectorPlan): Promise<CollectorUsage> {
  const directory = makeTemporaryDirectory();
  const [config, output, log] = ["config.yaml", "output", "log"].map((name) => join(directory, name));
  if (config === undefined || output === undefined || log === undefined) throw new Error("Cannot name files");
  writeFileSync(config, formatConfig(plan, output));
  const { accessKeyId, secretAccessKey } = plan.server;
  const descriptor = openSync(log, "w");
  const start = performance.now();
  const child = spawn(plan.program, ["--config", config], {
    env: { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    stdio: ["ignore", descriptor, descriptor],
  });
  closeSync(descriptor);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    while (!readFileSync(log, "utf8").includes(FINISHED)) {
      if (child.exitCode !== null || performance.now() - start > TIMEOUT_MS) {
        throw new Error(`Cannot measure the Collector: it did not finish, ${readFileSync(log, "utf8").slice(-500)}`);
      }
      await sleep(PAUSE_MS);
    }
    const usage = { seconds: (performance.now() - start) / 1000, cpuSeconds: cpuSeconds(child.pid ?? 0) };
    if (/error/.test(lineOf(readFileSync(log, "utf8")))) throw new Error(`Cannot measure the Collector: see ${log}`);
    return usage;
  } finally {
    child.kill("SIGTERM");
    await exited;
    rmSync(output, { force: true });
  }
}

function lineOf(log: string): string {
  return log.split("\n").find((line) => line.includes(FINISHED)) ?? "";
}

function formatConfig({ server, window, partitionFormat, format }: CollectorPlan, output: string): string {
  const [start, end] = [window.start, window.end].map((time) => new Date(time).toISOString().slice(0, 16));
  return [
    "receivers:",
    "  awss3:",
    `    starttime: "${start?.replace("T", " ")}"`,
    `    endtime: "${end?.replace("T", " ")}"`,
    `    s3downloader: { region: ${server.region}, s3_bucket: ${server.bucket}, endpoint: "${server.endpoint}",`,
    `      s3_force_path_style: true, s3_partition_format: "${partitionFormat}", s3_partition_timezone: UTC }`,
    `exporters: { file: { path: ${JSON.stringify(output)}, format: ${format} } }`,
    "service:",
    "  telemetry: { metrics: { level: none } }",
    "  pipelines: { traces: { receivers: [awss3], exporters: [file] } }",
    "",
  ].join("\n");
}
