/**
 * Frames as others make them: libzstd at every level with its long windows, over real telemetry, read by the room's
 * code on Node. The room's own tests run it on workerd.
 */
import { constants, createZstdCompress, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { listDataSets, readBodies } from "../../../scripts/corpus.ts";
import { inflateStream } from "../../../src/compression/inflate-stream.ts";
import { compressMember, literalMember } from "../../../src/compression/member.ts";
import { inflateBody } from "../../../src/compression/request-body.ts";

const BODY_LIMIT = 24 * 2 ** 20;
const SAMPLES = listDataSets().map(({ name }) => ({
  name,
  body: Buffer.concat(readBodies(name)).subarray(0, 2_000_000),
}));

/** As a client does that does not know the length beforehand. */
async function compressStream(raw: Uint8Array, params: Record<number, number>): Promise<Buffer> {
  const engine = createZstdCompress({ params });
  engine.end(raw);
  return Buffer.concat(await Array.fromAsync(engine as AsyncIterable<Uint8Array>));
}

async function readObject(object: Uint8Array, compression: "gzip" | "zstd"): Promise<Buffer> {
  async function* cut(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < object.length; at += 50_000) yield object.subarray(at, at + 50_000);
  }
  return Buffer.concat(await Array.fromAsync(inflateStream(cut(), compression)));
}

describe.each(SAMPLES)("$name", ({ body }) => {
  it("is read as the runtime compressed it, from requests and from objects", async () => {
    const frames = [
      ...[1, 9].map((level) => zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: level } })),
      await compressStream(body, { [constants.ZSTD_c_checksumFlag]: 1 }),
      await compressStream(body, { [constants.ZSTD_c_windowLog]: 23 }),
    ];
    for (const frame of frames) {
      const { body: inflated, isClean } = inflateBody("zstd", frame, BODY_LIMIT);

      expect(isClean).toBe(true);
      expect(body.equals(inflated)).toBe(true);
      expect(body.equals(await readObject(frame, "zstd"))).toBe(true);
    }
    expect(body.equals(inflateBody("deflate", deflateSync(body, { level: 1 }), BODY_LIMIT).body)).toBe(true);
    expect(body.equals(inflateBody("gzip", gzipSync(body, { level: 1 }), BODY_LIMIT).body)).toBe(true);
  });

  it("comes back from its members", async () => {
    for (const compression of ["gzip", "zstd"] as const) {
      for (const member of [compressMember(body, compression), literalMember(body, compression)]) {
        expect(body.equals(inflateBody(compression, member, BODY_LIMIT).body)).toBe(true);
        expect(
          body.equals(
            await readObject(Buffer.concat([member, member]), compression).then((all) => all.subarray(body.length)),
          ),
        ).toBe(true);
      }
    }
  });
});

describe("windows", () => {
  const body = Buffer.concat(SAMPLES.map((sample) => sample.body)).subarray(0, 20_000_000);
  const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: 25 };

  it("of a single segment may be the whole of a request", () => {
    const frame = zstdCompressSync(body, { params });

    expect(body.equals(inflateBody("zstd", frame, BODY_LIMIT).body)).toBe(true);
    expect(() => inflateBody("zstd", frame, body.length - 1)).toThrow(expect.objectContaining({ kind: "too_large" }));
  });

  it("of 32 MiB are read from objects and refused in requests", async () => {
    const frame = await compressStream(body, params);

    expect(body.equals(await readObject(frame, "zstd"))).toBe(true);
    expect(() => inflateBody("zstd", frame, BODY_LIMIT)).toThrow(expect.objectContaining({ kind: "invalid_request" }));
  });

  it("of 64 MiB are refused in objects", async () => {
    const frame = await compressStream(body, { ...params, [constants.ZSTD_c_windowLog]: 26 });

    await expect(readObject(frame, "zstd")).rejects.toMatchObject({ kind: "corrupt_object" });
  });
});
