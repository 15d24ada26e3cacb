/**
 * The content coding of replays as it arrives, raw: from the plain runtime, and through `npm start`, whose development
 * proxy stands for the hop that may undo a coding and do another one.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFirn } from "../../../bench/workerd-server.ts";
import { flushAll, formatReplayUrl, toWindow } from "../../../scripts/firn-client.ts";
import { findFreePort, startLocalFirn } from "../../../scripts/local-firn.ts";
import { encodeProtobuf } from "../../../scripts/otlp-protobuf.ts";
import { makeTelemetry } from "./senders.ts";

interface Answer {
  readonly status: number;
  readonly coding: string | undefined;
  readonly body: Buffer;
}

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

const UNDO: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  identity: (body) => body,
  gzip: gunzipSync,
  zstd: zstdDecompressSync,
  br: brotliDecompressSync,
};

async function startRuntime(): Promise<Server> {
  const firn = await startFirn();
  return { url: `http://127.0.0.1:${firn.port}`, stop: () => firn.stop() };
}

async function startDevelopment(): Promise<Server> {
  const directory = await mkdtemp(join(tmpdir(), "firn-codings-"));
  const firn = await startLocalFirn({ port: await findFreePort(), persistTo: join(directory, "state") });
  return {
    url: firn.url,
    stop: async () => {
      await firn.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** `fetch` would undo a coding. */
async function ask(url: string, acceptEncoding: string | null): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const headers = acceptEncoding === null ? {} : { "accept-encoding": acceptEncoding };
  const asked = request(url, { headers }, (response) => {
    const pieces: Buffer[] = [];
    response.on("data", (piece: Buffer) => pieces.push(piece));
    response.on("error", reject);
    response.on("end", () =>
      resolve({
        status: response.statusCode ?? 0,
        coding: response.headers["content-encoding"],
        body: Buffer.concat(pieces),
      }),
    );
  });
  asked.on("error", reject);
  asked.end();
  return promise;
}

describe.each([
  { name: "the plain runtime", start: startRuntime, refusal: 406 },
  // The proxy looks at JSON, which errors are in, and refuses it by itself.
  { name: "npm start", start: startDevelopment, refusal: 415 },
])("GET /replay of $name", ({ start, refusal }) => {
  const began = Date.now();
  let server: Server;

  beforeAll(async () => {
    server = await start();
    for (let index = 0; index < 50; index++) {
      const body = encodeProtobuf("traces", makeTelemetry(`a span ${index}`).traces);
      const headers = { "content-type": "application/x-protobuf" };
      const response = await fetch(`${server.url}/v1/traces`, { method: "POST", headers, body: Uint8Array.from(body) });
      expect(response.status).toBe(200);
    }
    await flushAll(server.url);
  }, 180_000);

  afterAll(async () => {
    await server.stop();
  }, 60_000);

  // The mark's watermark is another one in each minute.
  const urlOf = (format: string): string =>
    `${formatReplayUrl(server.url, "traces", toWindow(began, began + 120_000), format)}&mark=false`;

  test.each([
    ["jsonl", null, undefined],
    ["jsonl", "identity", undefined],
    ["jsonl", "gzip", "gzip"],
    ["jsonl", "zstd", "zstd"],
    ["jsonl", "deflate, gzip, br, zstd", "gzip"],
    ["jsonl", "gzip;q=0.5, zstd", "zstd"],
    ["proto-delimited", "gzip", "gzip"],
    ["proto", "zstd", "zstd"],
    ["proto", "gzip", "gzip"],
    ["json", "gzip", "gzip"],
  ])("in %s to a client that accepts %s comes in %s", async (format, accepted, coding) => {
    const plain = await ask(urlOf(format), "identity");

    const answer = await ask(urlOf(format), accepted);

    expect(answer).toMatchObject({ status: 200, coding });
    expect(Buffer.from(UNDO[coding ?? "identity"]?.(answer.body) ?? [])).toEqual(plain.body);
    expect(new Set(plain.body.toString("latin1").match(/a span \d+/g)).size).toBe(50);
    if (coding !== undefined) expect(answer.body.length).toBeLessThan(plain.body.length / 2);
  });

  test("is refused to a client that accepts neither a coding nor plain bytes", async () => {
    const answer = await ask(urlOf("jsonl"), "identity;q=0, br;q=0");

    expect(answer.status).toBe(refusal);
    if (refusal === 406) expect(answer.body.toString()).toContain("Accept-Encoding");
  });

  test("is undone by fetch, whatever it accepts", async () => {
    const response = await fetch(urlOf("jsonl"));
    const text = await response.text();

    expect(new Set(text.match(/a span \d+/g)).size).toBe(50);
  });
});
