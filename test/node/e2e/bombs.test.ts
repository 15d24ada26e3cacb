/**
 * Bodies of some hundred KiB that would be hundreds of MiB: the real runtime answers 413 soon, and its memory shows
 * that they were never expanded (otlp-http 3.3).
 */
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { currentRss, peakRss, resetPeakRss } from "../../../bench/process-usage.ts";
import { startFirn, type FirnServer } from "../../../bench/workerd-server.ts";
import { readStatus } from "../../../scripts/fuzz/answers.ts";
import { openConnection, type Connection } from "../../../scripts/fuzz/connection.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MILLIS = 10_000;
/** The body as far as the limit, the heap's slack, and no more; the bombs are several times as large. */
const MAX_GROWTH_BYTES = 96 * MIB;
const ZEROS = new Uint8Array(256 * MIB);
const PART = ZEROS.subarray(0, 8 * MIB);

function repeat(body: Uint8Array, times: number): Uint8Array {
  return Buffer.concat(Array.from({ length: times }, () => body));
}

const BOMBS = [
  { name: "one gzip member of 256 MiB", coding: "gzip", body: gzipSync(ZEROS) },
  { name: "gzip members of 1 GiB together", coding: "gzip", body: repeat(gzipSync(PART), 128) },
  { name: "a zlib stream of 256 MiB", coding: "deflate", body: deflateSync(ZEROS) },
  { name: "one zstd frame of 256 MiB", coding: "zstd", body: zstdCompressSync(ZEROS) },
  { name: "zstd frames of 8 GiB together", coding: "zstd", body: repeat(zstdCompressSync(PART), 1024) },
  { name: "gzip of gzip of 256 MiB", coding: "gzip, gzip", body: gzipSync(gzipSync(ZEROS)) },
  { name: "zstd of gzip of 256 MiB", coding: "gzip, zstd", body: zstdCompressSync(gzipSync(ZEROS)) },
] as const;

let firn: FirnServer;
let connection: Connection;

beforeAll(async () => {
  firn = await startFirn();
  connection = openConnection(firn.port, TIMEOUT_MILLIS);
  // What the largest body that is taken costs is there before anything is measured.
  await send("gzip", gzipSync(ZEROS.subarray(0, 19 * MIB)));
});

afterAll(async () => {
  connection.close();
  await firn.stop();
});

async function send(coding: string, body: Uint8Array): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  const headers = [
    ["Content-Type", "application/x-protobuf"],
    ["Content-Encoding", coding],
  ] as const;
  return await connection.send({ method: "POST", path: "/v1/traces", headers, body, framing: "length" });
}

test.each(BOMBS)("$name: 413 without having been expanded", async ({ coding, body }) => {
  const before = currentRss(firn.pid);
  resetPeakRss(firn.pid);

  const answers = [await send(coding, body), await send(coding, body), await send(coding, body)];
  const growth = peakRss(firn.pid) - before;

  expect(body.length).toBeLessThan(2 * MIB);
  expect(answers.map(({ status }) => status)).toEqual([413, 413, 413]);
  expect(readStatus("protobuf", answers[0]?.body ?? new Uint8Array()).code).toBe(8);
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
});
