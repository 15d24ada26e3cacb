/** The Collector's S3 components on Firn's bucket, and Firn on theirs. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Window } from "../firn-client.ts";
import type { FilledFirn } from "./collector-checks.ts";
import { runCollector } from "./collector-run.ts";
import type { Report } from "./report.ts";
import { checkAll, checkNone, compactForeign, replayLines, toHours, toItems, type Stage } from "./stage.ts";
import type { Tool } from "./tools.ts";

type Found = Extract<Tool, { kind: "found" }>;

const HOUR_FORMAT = "year=%Y/month=%m/day=%d/hour=%H";
const MINUTE_FORMAT = `${HOUR_FORMAT}/minute=%M`;
const STAND_IN = "stand-in for";

/** Reads Firn's bucket, fresh and compacted, in both partition formats: one sees everything, the other nothing. */
export async function checkReceiver(stage: Stage, { path }: Found, filled: FilledFirn, report: Report): Promise<void> {
  const tool = `${STAND_IN} awss3receiver`;
  const read = async (name: string, format: string): Promise<ReturnType<typeof toItems>> => {
    const receivers = formatReceiver(stage, filled.window, format);
    const until = { text: "Finished reading telemetry", times: 3 };
    const pipeline = { receivers: "awss3" };
    const run = { program: path, directory: stage.directory, env: stage.keys };
    return toItems(await runCollector({ ...run, name, receivers, pipeline, until }));
  };
  await report.check(tool, "fresh objects, minute format", async () =>
    checkAll("minute", stage.items, await read("fresh-minute", MINUTE_FORMAT)),
  );
  await report.check(tool, "fresh objects, hour format: not seen", async () =>
    checkNone("hour", await read("fresh-hour", HOUR_FORMAT)),
  );
  await report.check(tool, "compacted objects (`.binpb.zst`), hour format", async () => {
    await compactForeign(filled.firn);
    return checkAll("hour", stage.items, await read("compacted-hour", HOUR_FORMAT));
  });
  await report.check(tool, "compacted objects, minute format: sources are gone, outputs not seen", async () =>
    checkNone("minute", await read("compacted-minute", MINUTE_FORMAT)),
  );
}

function formatReceiver({ gateway }: Stage, { start, end }: Window, format: string): string {
  const { endpoint, region, bucket } = gateway.server;
  const [from, until] = [start, end].map((time) => time.toISOString().slice(0, 16).replace("T", " "));
  return [
    "  awss3:",
    `    starttime: "${from}"`,
    `    endtime: "${until}"`,
    `    s3downloader: { region: ${region}, s3_bucket: ${bucket}, endpoint: "${endpoint}", s3_force_path_style: true,`,
    `      s3_partition_format: "${format}", s3_partition_timezone: UTC }`,
  ].join("\n");
}

interface Writer {
  readonly name: string;
  readonly basePrefix?: string;
  readonly prefix: string;
  readonly filePrefix?: string;
  readonly format: string;
  readonly marshaler: "otlp_json" | "otlp_proto";
  readonly compression: "" | "gzip" | "zstd";
}

const WRITERS: readonly Writer[] = [
  { name: "defaults", prefix: "w1", format: MINUTE_FORMAT, marshaler: "otlp_json", compression: "" },
  { name: "hour-gzip", prefix: "w2", format: HOUR_FORMAT, marshaler: "otlp_json", compression: "gzip" },
  {
    name: "bare-path",
    basePrefix: "team",
    prefix: "w3",
    filePrefix: "app-",
    format: "%Y/%m/%d/%H",
    marshaler: "otlp_proto",
    compression: "gzip",
  },
  { name: "minute-zstd", prefix: "w4", format: MINUTE_FORMAT, marshaler: "otlp_proto", compression: "zstd" },
];

/** Has the Collector write buckets in its ways, and Firn read them, as they are and compacted. */
export async function checkExporter(stage: Stage, { path }: Found, report: Report): Promise<void> {
  const file = join(stage.directory, "telemetry.jsonl");
  writeFileSync(file, stage.lines);
  for (const writer of WRITERS) {
    const settings = formatWriter(writer);
    const from = Date.now();
    await runCollector({
      program: path,
      directory: stage.directory,
      name: `write-${writer.name}`,
      receivers: `  otlpjsonfile: { include: [${JSON.stringify(file)}], start_at: beginning }`,
      exporters: formatExporter(stage, writer),
      pipeline: { receivers: "otlpjsonfile", exporters: "awss3" },
      env: stage.keys,
    });
    const window = toHours(from, Date.now());
    const firn = await stage.startFirn(writer.name, toVars(writer));
    await report.check(`${STAND_IN} awss3exporter`, `${settings}: replayed by Firn`, async () =>
      checkAll(writer.name, stage.items, toItems(await replayLines(firn, window))),
    );
    await report.check(`${STAND_IN} awss3exporter`, `${settings}: compacted with \`foreign=true\``, async () => {
      await compactForeign(firn);
      return checkAll(writer.name, stage.items, toItems(await replayLines(firn, window)));
    });
    await firn.stop();
  }
}

function formatWriter({ basePrefix, prefix, filePrefix, format, marshaler, compression }: Writer): string {
  const prefixes = [basePrefix, prefix].filter((part) => part !== undefined).join("/");
  const names = filePrefix === undefined ? "" : `, file prefix \`${filePrefix}\``;
  const packed = compression === "" ? "not compressed" : `${compression} with its Content-Encoding`;
  return `\`${prefixes}/${format}\`${names}, ${marshaler}, ${packed}`;
}

function formatExporter({ gateway }: Stage, writer: Writer): string {
  const { endpoint, region, bucket } = gateway.server;
  const optional = [
    ...(writer.basePrefix === undefined ? [] : [`s3_base_prefix: ${writer.basePrefix}`]),
    ...(writer.filePrefix === undefined ? [] : [`file_prefix: "${writer.filePrefix}"`]),
    ...(writer.compression === "" ? [] : [`compression: ${writer.compression}`]),
  ].map((option) => `, ${option}`);
  return [
    "  awss3:",
    `    marshaler: ${writer.marshaler}`,
    `    s3uploader: { region: ${region}, s3_bucket: ${bucket}, endpoint: "${endpoint}", s3_force_path_style: true,`,
    `      s3_prefix: ${writer.prefix}, s3_partition_format: "${writer.format}",`,
    `      s3_partition_timezone: UTC${optional.join("")} }`,
  ].join("\n");
}

function toVars({ basePrefix, prefix, filePrefix, format }: Writer): Record<string, string> {
  return {
    ARCHIVE_PREFIX: prefix,
    ARCHIVE_PARTITION_FORMAT: format,
    ...(basePrefix === undefined ? {} : { ARCHIVE_BASE_PREFIX: basePrefix }),
    ...(filePrefix === undefined ? {} : { ARCHIVE_FILE_PREFIX: filePrefix }),
  };
}
