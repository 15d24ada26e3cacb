/** Content codings (otlp-http 3.2), in the real runtime; what single codecs do is tested in `test/compression/`. */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { call, JSON_TYPE, makeLogs, readStatus } from "../app-kit.ts";
import { code, failureOf, openDeps, post, send, toBytes } from "./ingest-kit.ts";

const RAW = toBytes(makeLogs("coded"));
const DEFLATED = await code("deflate", RAW);
const RAW_DEFLATED = await code("deflate-raw", RAW);
/** Two halves of the request, as members of their own. */
const HALVES = [RAW.subarray(0, 20), RAW.subarray(20)];

function send1(coding: string, body: BodyInit): Promise<Response> {
  return call("/v1/logs", { method: "POST", headers: { ...JSON_TYPE, "content-encoding": coding }, body });
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Stores one request and says what its decoded bytes were, by what was archived without compression. */
async function store(coding: string, wire: Uint8Array): Promise<string> {
  const { deps, appended } = openDeps(undefined, { marshaler: "otlp_proto", compression: "none" });
  await send(post(wire, { ...JSON_TYPE, "content-encoding": coding }), deps);
  return new TextDecoder().decode(appended[0]?.member);
}

/** A gzip member with all four optional header fields: extra, name, comment and the CRC of the header. */
function gzipWithFields(raw: Uint8Array): Uint8Array {
  const plain = gzipSync(raw);
  const header = [...plain.subarray(0, 3), 0x1e, ...plain.subarray(4, 10), 2, 0, 7, 7, 0x61, 0, 0x62, 0];
  // CRC-16 of the header: the low half of its CRC-32, which the trailer of a gzip member of it holds.
  const trailer = gzipSync(Uint8Array.from(header)).subarray(-8);
  return Uint8Array.from([...header, ...trailer.subarray(0, 2), ...plain.subarray(10)]);
}

const SKIPPABLE = Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

describe("otlp-http 3.2: codings that are undone", () => {
  const accepted: readonly [string, string, Uint8Array][] = [
    ["an empty header", "", RAW],
    ["identity", "identity", RAW],
    ["identity in any case", "Identity", RAW],
    ["gzip", "gzip", gzipSync(RAW)],
    ["gzip in any case", "GZip", gzipSync(RAW)],
    ["x-gzip", "x-gzip", gzipSync(RAW)],
    ["gzip of several members", "gzip", join(...HALVES.map((half) => gzipSync(half)))],
    ["gzip with an empty member", "gzip", join(gzipSync(RAW), gzipSync(new Uint8Array()))],
    ["gzip with FEXTRA, FNAME, FCOMMENT and FHCRC", "gzip", gzipWithFields(RAW)],
    ["deflate with the zlib wrapper", "deflate", DEFLATED],
    ["zstd", "zstd", zstdCompressSync(RAW)],
    ["zstd of several frames", "zstd", join(...HALVES.map((half) => zstdCompressSync(half)))],
    ["zstd with skippable frames", "zstd", join(SKIPPABLE, zstdCompressSync(RAW), SKIPPABLE)],
    ["a list with empty elements and white space", " ,, gzip ,\t,", gzipSync(RAW)],
    ["a list with identity", "identity, gzip, identity", gzipSync(RAW)],
    ["two codings, undone from right to left", "gzip, zstd", zstdCompressSync(gzipSync(RAW))],
    ["two other codings", "deflate,gzip", gzipSync(DEFLATED)],
    ["the same coding twice", "gzip, gzip", gzipSync(gzipSync(RAW))],
  ];
  it.each(accepted)("%s is undone", async (_name, coding, wire) => {
    expect(await store(coding, wire)).toContain("coded");
    expect((await send1(coding, wire)).status).toBe(200);
  });

  it.each(["gzip", "x-gzip", "deflate", "zstd", "gzip, zstd"])(
    "a zero-byte body with %s is an empty body",
    async (coding) => {
      const response = await send1(coding, new Uint8Array());

      expect([response.status, await response.text()]).toEqual([200, "{}"]);
    },
  );

  it("gzip, JSON and chunked framing go together", async () => {
    const response = await send1("gzip", new Blob([gzipSync(RAW)]).stream());

    expect(response.status).toBe(200);
  });
});

describe("otlp-http 3.2: codings that are refused", () => {
  it.each([
    "br",
    "snappy",
    "lz4",
    "compress",
    "x-compress",
    "zlib",
    "none",
    "gzip;q=1",
    "gzip; q=0.5",
    "gzip,br",
    "gzip gzip",
    "*",
    "gzip, gzip, gzip",
    "gzip, deflate, zstd",
    "identity, gzip, x-gzip, identity, deflate",
  ])("%j is 415 with Accept-Encoding and a Status", async (coding) => {
    const response = await send1(coding, RAW);

    expect(response.status).toBe(415);
    expect(response.headers.get("accept-encoding")).toBe("gzip, deflate, zstd, identity");
    expect(await readStatus(response)).toMatchObject({ code: 3, violations: [] });
  });
});

/** The same bytes but for one; a negative index counts from the end. */
function flip(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.with(at < 0 ? bytes.length + at : at, 0xee);
}

describe("otlp-http 3.2: faults of a coded body", () => {
  const gzip = gzipSync(RAW);
  const zstd = zstdCompressSync(RAW);
  const deflate = DEFLATED;
  const faults: readonly [string, string, Uint8Array][] = [
    ["a truncated gzip stream", "gzip", gzip.subarray(0, -9)],
    ["a truncated gzip trailer", "gzip", gzip.subarray(0, -1)],
    ["a truncated deflate stream", "deflate", deflate.subarray(0, -1)],
    ["a truncated zstd frame", "zstd", zstd.subarray(0, -1)],
    ["a bad gzip magic", "gzip", flip(gzip, 0)],
    ["a bad gzip method", "gzip", flip(gzip, 2)],
    ["a bad zstd magic", "zstd", flip(zstd, 0)],
    ["a CRC-32 that differs", "gzip", flip(gzip, -8)],
    ["an ISIZE that differs", "gzip", flip(gzip, -4)],
    ["an Adler-32 that differs", "deflate", flip(deflate, -1)],
    ["bytes after the last gzip member", "gzip", join(gzip, Uint8Array.from([1, 2, 3]))],
    ["bytes behind zeros after the last gzip member", "gzip", join(gzip, Uint8Array.from([0, 0, 1]))],
    ["bytes after the last zstd frame", "zstd", join(zstd, Uint8Array.from([1, 2, 3]))],
    ["zeros after the last zstd frame", "zstd", join(zstd, new Uint8Array(4))],
    ["bytes after a deflate stream", "deflate", join(deflate, Uint8Array.from([1]))],
    ["data that is not in the named coding", "gzip", RAW],
    ["data in another coding", "zstd", gzip],
    ["codings in the wrong order", "zstd, gzip", zstdCompressSync(gzip)],
    ["a body coded twice and named once", "gzip", gzipSync(gzip)],
    ["a body coded once and named twice", "gzip, gzip", gzip],
    ["raw deflate named gzip", "gzip", RAW_DEFLATED],
  ];
  it.each(faults)("%s is 400 with a BadRequest", async (_name, coding, wire) => {
    const response = await send1(coding, wire);

    expect(response.status).toBe(400);
    expect(await readStatus(response)).toMatchObject({ code: 3, violations: [{ field: expect.any(String) }] });
  });

  it("zero padding after a gzip member is ignored", async () => {
    expect((await send1("gzip", join(gzip, new Uint8Array(5)))).status).toBe(200);
  });

  it("a coded body is never echoed", async () => {
    const { message } = await failureOf(send(post("secret-in-body", { "content-encoding": "gzip" }), openDeps().deps));

    expect(message).not.toContain("secret");
  });
});
