/** Limits of size (otlp-http 3.3): on the wire, after each decoding step, and of answers. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { call, JSON_TYPE, PROTOBUF, readStatus } from "../app-kit.ts";
import { code } from "./ingest-kit.ts";

const MIB = 1024 * 1024;
const LIMIT = 4 * MIB;
/** A request without items of exactly so many bytes: one unknown field. */
function makeRequest(byteLength: number): Uint8Array {
  const request = new Uint8Array(byteLength);
  // Field 15, length-delimited, with the length in five bytes.
  const length = byteLength - 6;
  request.set([0x7a, ...[0, 7, 14, 21].map((shift) => ((length >> shift) & 127) | 128), length >> 28]);
  return request;
}

function post(
  body: BodyInit,
  headers: Record<string, string> = {},
  vars: Record<string, string> = {},
): Promise<Response> {
  const limit = { MAX_REQUEST_BYTES: String(LIMIT), ...vars };
  return call("/v1/logs", { method: "POST", headers: { ...PROTOBUF, ...headers }, body }, limit);
}

function toChunked(body: Uint8Array): ReadableStream {
  return new Blob([body]).stream();
}

describe("otlp-http 3.3: bytes on the wire", () => {
  it("a body of exactly the limit is taken, declared or chunked", async () => {
    const body = makeRequest(LIMIT);

    expect((await post(body, { "content-length": String(LIMIT) })).status).toBe(200);
    expect((await post(toChunked(body))).status).toBe(200);
  });

  it("a declared length above the limit is 413", async () => {
    const response = await post(makeRequest(LIMIT + 1), { "content-length": String(LIMIT + 1) });

    expect(response.status).toBe(413);
    expect(await readStatus(response)).toMatchObject({
      code: 8,
      message: expect.stringContaining("MAX_REQUEST_BYTES"),
    });
  });

  it("a chunked body above the limit is 413", async () => {
    const response = await post(toChunked(makeRequest(LIMIT + 1)));

    expect([response.status, (await readStatus(response)).code]).toEqual([413, 8]);
  });

  it("a chunked body without end is cut off at the limit", async () => {
    let sent = 0;
    const pull = (controller: ReadableByteStreamController): void => {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    };
    const response = await post(new ReadableStream({ type: "bytes", pull }));

    expect(response.status).toBe(413);
    expect(sent).toBeLessThan(LIMIT + 8 * 65_536);
  });

  it("compressed bytes count as they are on the wire", async () => {
    const noise = new Uint8Array(LIMIT);
    for (let at = 0; at < LIMIT; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
    const body = makeRequest(LIMIT).map((byte, index) => (index < 6 ? byte : (noise[index] ?? 0)));
    const wire = gzipSync(body);

    expect(wire.byteLength).toBeGreaterThan(LIMIT);
    expect((await post(wire, { "content-encoding": "gzip" })).status).toBe(413);
  });
});

describe("otlp-http 3.3: bytes after each decoding step", () => {
  const codings = ["gzip", "deflate", "zstd"] as const;
  it.each(codings)("a %s body that decodes to the limit is taken, and one byte more is 413", async (coding) => {
    const headers = { "content-encoding": coding };

    expect((await post(await code(coding, makeRequest(LIMIT)), headers)).status).toBe(200);
    expect((await post(await code(coding, makeRequest(LIMIT + 1)), headers)).status).toBe(413);
  });

  it.each(codings)("a %s bomb of 80 MiB is 413", async (coding) => {
    const response = await post(await code(coding, new Uint8Array(80 * MIB)), { "content-encoding": coding });

    expect([response.status, (await readStatus(response)).code]).toEqual([413, 8]);
  });

  it("the limit holds across gzip members and zstd frames", async () => {
    for (const coding of ["gzip", "zstd"] as const) {
      const half = await code(coding, makeRequest(LIMIT / 2 + 1));
      const response = await post(Uint8Array.from([...half, ...half]), { "content-encoding": coding });
      expect(response.status, coding).toBe(413);
    }
  });

  it("the limit holds between two codings", async () => {
    const inner = gzipSync(new Uint8Array(LIMIT + 1), { level: 0 });
    const response = await post(gzipSync(inner), { "content-encoding": "gzip, gzip" });

    expect(inner.byteLength).toBeGreaterThan(LIMIT);
    expect(response.status).toBe(413);
  });

  it("a bomb inside a bomb is 413", async () => {
    const response = await post(gzipSync(gzipSync(new Uint8Array(80 * MIB))), { "content-encoding": "gzip, gzip" });

    expect(response.status).toBe(413);
  });

  it.each([
    ["no protobuf", PROTOBUF, new Uint8Array(LIMIT + 1).fill(0xff)],
    ["no JSON", JSON_TYPE, new Uint8Array(LIMIT + 1).fill(0x7b)],
  ])("a body that is too large and %s is 413, not 400", async (_name, type, body) => {
    expect((await post(toChunked(body), type)).status).toBe(413);
    expect((await post(gzipSync(body), { ...type, "content-encoding": "gzip" })).status).toBe(413);
  });

  it("a body that is too large and whose gzip is broken behind the limit is 413", async () => {
    const wire = gzipSync(new Uint8Array(LIMIT * 2));
    const response = await post(wire.subarray(0, -8), { "content-encoding": "gzip" });

    expect(response.status).toBe(413);
  });
});

describe("otlp-http 3.3: MAX_REQUEST_BYTES", () => {
  it("bodies of 20 MiB are taken by default and one byte more is not", async () => {
    const limit = { MAX_REQUEST_BYTES: "" };

    expect((await post(makeRequest(20 * MIB), {}, limit)).status).toBe(200);
    expect((await post(makeRequest(20 * MIB + 1), {}, limit)).status).toBe(413);
  });

  it("it cannot be lower than 4 MiB", async () => {
    const response = await post(makeRequest(10), {}, { MAX_REQUEST_BYTES: String(LIMIT - 1) });

    expect([response.status, (await readStatus(response)).message]).toEqual([
      503,
      expect.stringContaining("MAX_REQUEST_BYTES"),
    ]);
  });

  it("sizes that a body names by itself reserve nothing", async () => {
    const giant = { ...PROTOBUF, "content-encoding": "zstd" };
    // A frame header that promises 2^60 bytes in a window of 1 KiB, and one raw block.
    const frame = [0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x00, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x09, 0, 0, 0x61];
    const lengths = Uint8Array.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07]);

    expect([400, 413]).toContain((await post(Uint8Array.from(frame), giant)).status);
    expect((await post(lengths)).status).toBe(400);
  });
});
