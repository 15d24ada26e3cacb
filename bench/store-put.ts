/**
 * A flush's PUT over S3 beside as many bytes sent by curl to the same server, and what it costs in memory. The server
 * is versitygw, which checks signature, body hash and MD5 of both; each run ends when the server has answered. Firn's
 * time is that of its own log line: from before the PUT to after the HEAD that proves it.
 *
 * `runtime_seconds` is the limit: a worker of a few lines that does nothing but `fetch` with a body of as many bytes
 * from memory, in pieces as large as a row. The pinned workerd sends 8 KiB at a time.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { AwsV4Signer } from "aws4fetch";
import type { S3Server } from "../test/servers/contract.ts";
import { archiveVars } from "../test/servers/s3-bucket.ts";
import type { StartedVersitygw } from "../test/servers/versitygw.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { sendLoad } from "./load.ts";
import { cpuSeconds, currentRss, peakRss, resetPeakRss } from "./process-usage.ts";
import { prepareRandomRequests } from "./request-pool.ts";
import { withVersitygw } from "./s3-store.ts";
import { startBareWorker, startFirn, type FirnServer } from "./workerd-server.ts";

const MIB = 1024 * 1024;
const MEMBER_BYTES = MIB / 4;
const TARGET_RATIO = 1.1;
const TARGET_GROWTH_BYTES = 32 * MIB;
const MAX_SECONDS = 240;
const CURL_RUNS = 3;
/** Requests prepared at a time: a gigabyte of them would fill this process. */
const POOL_REQUESTS = 512;

const CASES: readonly { readonly name: string; readonly objectBytes: number }[] = [
  { name: "store-put.32MB", objectBytes: 32 * MIB },
  { name: "store-put.1GB", objectBytes: 1023 * MIB },
];

/** Measures one flush a case. @throws Error where no versitygw can be had */
export async function run(): Promise<readonly BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const one of CASES) lines.push(await withVersitygw((started) => measureCase(started, one)));
  return lines;
}

async function measureCase(
  { server, directory }: StartedVersitygw,
  { name, objectBytes }: (typeof CASES)[number],
): Promise<BenchLine> {
  let firn = await startFirn(toSettings(server));
  try {
    await fill(firn, objectBytes);
    // A fresh process: memory that filling left behind would hide what flushing takes.
    firn = await firn.restart();
    await warmUp(firn);
    resetPeakRss(firn.pid);
    const [rssBefore, cpuBefore] = [currentRss(firn.pid), cpuSeconds(firn.pid)];
    await firn.call("POST", "/admin/flush?signal=traces");
    const growthBytes = peakRss(firn.pid) - rssBefore;
    const flushCpuSeconds = cpuSeconds(firn.pid) - cpuBefore;
    const object = findObject(join(directory, "data", server.bucket));
    const calls = countCalls(join(directory, "log"), object.key);
    const putSeconds = readPutSeconds(firn);
    const curlSeconds = Math.min(
      ...Array.from({ length: CURL_RUNS }, (_, number) => putByCurl(server, object, number)),
    );
    const runtimeSeconds = await putByRuntime(server, object.bytes);
    const ratio = putSeconds / curlSeconds;
    return {
      name,
      object_bytes: object.bytes,
      put_seconds: round(putSeconds),
      curl_seconds: round(curlSeconds),
      ratio: round(ratio),
      runtime_seconds: round(runtimeSeconds),
      ratio_runtime: round(putSeconds / runtimeSeconds),
      store_calls: calls,
      rss_growth_mib: round(growthBytes / MIB),
      flush_cpu_seconds: round(flushCpuSeconds),
      target: `ratio <= ${TARGET_RATIO}, rss_growth_mib <= ${TARGET_GROWTH_BYTES / MIB}, store_calls <= 2`,
      ok: ratio <= TARGET_RATIO && growthBytes <= TARGET_GROWTH_BYTES && calls <= 2,
    };
  } finally {
    await firn.stop();
  }
}

function toSettings(server: S3Server): Record<string, string> {
  return {
    ...archiveVars(server),
    FLUSH_INTERVAL_SECONDS: "3600",
    FLUSH_MAX_BYTES: String(1024 * MIB),
    BACKLOG_MAX_BYTES: String(2048 * MIB),
  };
}

/** A small object of another signal first: the code is compiled, the connection stands. */
async function warmUp(firn: FirnServer): Promise<void> {
  const record = { timeUnixNano: "1", body: { stringValue: "warm" } };
  const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
  const headers = { "content-type": "application/json" };
  await fetch(`http://127.0.0.1:${firn.port}/v1/logs`, { method: "POST", headers, body });
  await firn.call("POST", "/admin/flush?signal=logs");
}

async function fill(firn: FirnServer, objectBytes: number): Promise<void> {
  for (let left = Math.floor(objectBytes / MEMBER_BYTES); left > 0; left -= POOL_REQUESTS) {
    const requests = prepareRandomRequests(Math.min(left, POOL_REQUESTS), MEMBER_BYTES);
    const load = await sendLoad({ port: firn.port, requests, connections: 4, maxSeconds: MAX_SECONDS });
    if (load.nonOkCount > 0) throw new Error(`Cannot fill the shard: ${load.firstFailure}`);
  }
}

interface StoredObject {
  readonly path: string;
  readonly key: string;
  readonly bytes: number;
}

/** The one object in the directory that versitygw keeps as the bucket. */
function findObject(bucket: string): StoredObject {
  const entries = readdirSync(bucket, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.startsWith("traces_"));
  const [file] = files;
  if (file === undefined || files.length !== 1) throw new Error(`Found ${files.length} objects, expected one`);
  const path = join(file.parentPath, file.name);
  return { path, key: path.slice(bucket.length + 1), bytes: statSync(path).size };
}

/** Lines of the server's log that name the object. */
function countCalls(log: string, key: string): number {
  const name = key.slice(key.lastIndexOf("/") + 1);
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line.includes(name)).length;
}

/** What the log says of the one put. */
function readPutSeconds(firn: FirnServer): number {
  const match = /"event":"flush\.stored"[^\n]*"signal":"traces"[^\n]*"put_millis":(\d+)/.exec(
    readFileSync(firn.logFile, "utf8"),
  );
  if (match === null) throw new Error("Cannot find flush.stored in the log of the worker");
  return Number(match[1]) / 1000;
}

/** Sends so many zeros by the runtime's own `fetch`; the fastest of some runs. */
async function putByRuntime(server: S3Server, bytes: number): Promise<number> {
  const zeros = Buffer.alloc(bytes);
  const sha256 = createHash("sha256").update(zeros).digest("hex");
  const md5 = createHash("md5").update(zeros).digest("base64");
  const worker = await startBareWorker(RUNTIME_WORKER);
  try {
    const seconds: number[] = [];
    for (let number = 0; number < CURL_RUNS; number++) {
      const url = `${server.endpoint}/${server.bucket}/runtime-${number}`;
      const headers = { "x-amz-content-sha256": sha256, "content-md5": md5 };
      const signer = new AwsV4Signer({ ...server, method: "PUT", url, headers, service: "s3" });
      const signed = await signer.sign();
      const body = JSON.stringify({ url, bytes, headers: [...signed.headers] });
      const answer = await fetch(`http://127.0.0.1:${worker.port}/`, { method: "POST", body });
      const { status, millis } = (await answer.json()) as { status: number; millis: number };
      if (status !== 200) throw new Error(`Cannot put by the runtime: status ${status}`);
      seconds.push(millis / 1000);
    }
    return Math.min(...seconds);
  } finally {
    await worker.stop();
  }
}

const RUNTIME_WORKER = `
export default {
  async fetch(request) {
    if (request.method === "GET") return new Response("ok");
    const { url, bytes, headers } = await request.json();
    const pipe = new FixedLengthStream(bytes);
    const start = Date.now();
    const asked = fetch(url, { method: "PUT", headers, body: pipe.readable });
    const writer = pipe.writable.getWriter();
    for (let left = bytes; left > 0; left -= 1900000) await writer.write(new Uint8Array(Math.min(left, 1900000)));
    await writer.close();
    const { status } = await asked;
    return Response.json({ status, millis: Date.now() - start });
  },
};
`;

/** Sends the object under another key, signed and with both digests, as Firn does; digests are made beforehand. */
function putByCurl(server: S3Server, object: StoredObject, number: number): number {
  const bytes = readFileSync(object.path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const md5 = createHash("md5").update(bytes).digest("base64");
  const report = ["--silent", "--show-error", "--fail", "--output", "/dev/null", "--write-out", "%{time_total}"];
  const user = `${server.accessKeyId}:${server.secretAccessKey}`;
  const signature = ["--aws-sigv4", `aws:amz:${server.region}:s3`, "--user", user];
  const headers = [`x-amz-content-sha256: ${sha256}`, `Content-MD5: ${md5}`, "Expect:"];
  const target = `${server.endpoint}/${server.bucket}/curl-${number}`;
  const sent = [...headers.flatMap((header) => ["--header", header]), "--upload-file", object.path, target];
  const output = execFileSync("curl", [...report, ...signature, ...sent]);
  return Number(output.toString());
}
