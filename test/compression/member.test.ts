import { assert, constantFrom, integer, property, tuple, uint8Array } from "fast-check";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compressMember, literalMember, type Compression } from "../../src/compression/member.ts";
import { inflateBody } from "../../src/compression/request-body.ts";
import {
  isAtFrameEnd,
  openZstdWalk,
  parseZstdHeader,
  walkZstdBlocks,
  type ZstdFrameHeader,
} from "../../src/compression/zstd-frame.ts";
import { bytesOf, randomBytes } from "./gzip-bytes.ts";
import { makeText } from "./zstd-bytes.ts";

const CODINGS = ["gzip", "zstd"] as const;

/** Headers of all frames. */
function listFrames(member: Uint8Array): readonly ZstdFrameHeader[] {
  const headers: ZstdFrameHeader[] = [];
  for (let at = 0; at < member.length;) {
    const header = parseZstdHeader(member, at);
    if (header.kind !== "frame") throw new Error(`Cannot list frames: found ${header.kind} at ${at}`);
    const walk = openZstdWalk(header);
    at = walkZstdBlocks(walk, member, at);
    if (!isAtFrameEnd(walk)) throw new Error(`Cannot list frames: found no end at ${at}`);
    headers.push(header);
  }
  return headers;
}

describe("compressMember()", () => {
  // Lengths around the blocks of zstd and the buffers of the runtime; some of them its own call cannot compress.
  // A frame of 40,946 bytes that do not compress fills the runtime's buffer, which then adds an empty frame.
  const buffers = [16_384, 40_945, 40_946, 40_947, 40_950, 40_951, 40_960, 81_906];
  const lengths = [1, 100, ...buffers, 131_071, 131_072, 131_073, 1 << 20, 5_000_000];
  const cases = CODINGS.flatMap((compression) => lengths.map((length) => [compression, length] as const));

  it.each(cases)("makes %s of %i bytes, whether they compress or not", (compression, length) => {
    for (const raw of [makeText(length), randomBytes(length), new Uint8Array(length)]) {
      const member = compressMember(raw, compression);
      const inflated = inflateBody(compression, member, length);

      expect([inflated.body.length, crc32(inflated.body), inflated.isClean]).toEqual([length, crc32(raw), true]);
      expect(member.length).toBeLessThan(length * 1.001 + 64);
    }
  });

  it("is undone by inflateBody(), for any bytes", () => {
    assert(
      property(
        constantFrom(...CODINGS),
        tuple(uint8Array({ minLength: 1, maxLength: 300 }), integer({ min: 1, max: 500 })),
        (compression, [seed, count]) => {
          const raw = bytesOf(...Array.from({ length: count }, () => seed));

          expect(inflateBody(compression, compressMember(raw, compression), raw.length).body).toEqual(raw);
        },
      ),
    );
  });

  it("gives uncompressed bytes as they are", () => {
    const raw = randomBytes(1000);

    expect(compressMember(raw, "none")).toBe(raw);
    expect(literalMember(raw, "none")).toBe(raw);
  });

  it("makes members without traces of time and place, the same for the same bytes", () => {
    const raw = makeText(300_000);

    for (const compression of CODINGS) {
      expect(compressMember(raw, compression)).toEqual(compressMember(raw, compression));
    }
    expect([...compressMember(raw, "gzip").subarray(0, 8)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
  });

  it("makes zstd frames with checksum and content size, one of a body up to 128 KiB and few of a long one", () => {
    expect(listFrames(compressMember(makeText(131_072), "zstd"))).toMatchObject([
      { hasChecksum: true, contentBytes: 131_072, dictionaryId: null },
    ]);
    const frames = listFrames(compressMember(makeText(4 << 20), "zstd"));

    expect(frames.reduce((sum, { contentBytes }) => sum + (contentBytes ?? 0), 0)).toBe(4 << 20);
    expect(frames.length).toBeLessThan(40);
    expect(frames.every(({ hasChecksum }) => hasChecksum)).toBe(true);
  });

  it("makes members in memory of their own", () => {
    for (const compression of CODINGS) {
      const member = compressMember(makeText(1000), compression);

      expect(member.buffer.byteLength).toBe(member.byteLength);
    }
  });
});

describe("literalMember()", () => {
  it.each<readonly [Compression, string, string]>([
    ["gzip", "]}\n", "1f8b08000000000000ff010300fcff5d7d0a548a61e103000000"],
    ["zstd", "]}\n", "28b52ffd20031900005d7d0a"],
    ["gzip", "", "1f8b08000000000000ff010000ffff0000000000000000"],
    ["zstd", "", "28b52ffd2000010000"],
  ])("makes always the same bytes in %s of %j", (compression, content, hex) => {
    expect(literalMember(bytesOf(content), compression).toHex()).toBe(hex);
  });

  it.each([1, 255, 256, 257, 65_535, 65_536, 65_791, 65_792, 131_072, 131_073, 1_000_000])(
    "holds %i bytes",
    (length) => {
      const raw = randomBytes(length);
      for (const compression of CODINGS) {
        const { body, isClean } = inflateBody(compression, literalMember(raw, compression), length);

        expect([crc32(body), isClean]).toEqual([crc32(raw), true]);
      }
    },
  );
});
