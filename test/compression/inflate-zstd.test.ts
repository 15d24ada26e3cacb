import { array, assert, asyncProperty, boolean, integer, oneof, record, uint8Array } from "fast-check";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { compressMember } from "../../src/compression/member.ts";
import { FirnError } from "../../src/errors.ts";
import { STREAM_PIECE_BYTES, ZSTD_OBJECT_WINDOW_MAX_BYTES } from "../../src/limits.ts";
import { bytesOf, randomBytes, streamOf, text, withByte } from "./gzip-bytes.ts";
import { collect, pieces } from "./pieces.ts";
import {
  frame,
  MAGIC,
  makeText,
  rawBlock,
  RESERVED,
  rleBlock,
  rleBomb,
  SINGLE,
  skippable,
  uint32,
  windowByte,
  WINDOWED,
  zstd,
} from "./zstd-bytes.ts";

const HELLO = frame("hello ");
const WORLD = bytesOf(MAGIC, [SINGLE, 5], rawBlock("wor", false), rawBlock("ld"));
/**
 * Takes the way of large frames, as does what follows it: each of its compressed blocks, which repeat the text before
 * them, might inflate to 128 KiB.
 */
const REPEAT = Uint8Array.fromHex("3c000000015400040d13");
const LARGE = bytesOf(
  MAGIC,
  [WINDOWED, windowByte(1 << 23)],
  rawBlock("otlp over http, ", false),
  ...Array.from({ length: 40 }, () => REPEAT),
  rawBlock(""),
);
const LARGE_BYTES = 41 * 16;

const inflate = (bytes: Uint8Array, size = 65_536): Promise<Uint8Array> =>
  collect(inflateStream(pieces(bytes, size), "zstd"));

/** Says how an object ends that was read in pieces of a size. */
const probe = (bytes: Uint8Array, size?: number): Promise<unknown> =>
  inflate(bytes, size).catch((error: unknown) => error);

describe("inflateStream() reads zstd frames", () => {
  const wire = bytesOf(HELLO, skippable("table"), WORLD, frame(""), skippable("", 9), HELLO, skippable("end"));

  it.each([1, 2, 3, 7, 20, 1000])("in pieces of %i bytes", async (size) => {
    expect(text(await inflate(wire, size))).toBe("hello worldhello ");
    expect(text((await inflate(bytesOf(LARGE, wire), size)).subarray(LARGE_BYTES))).toBe("hello worldhello ");
  });

  it("from a ReadableStream", async () => {
    const stream = streamOf(pieces(wire, 5));

    expect(text(await collect(inflateStream(stream, "zstd")))).toBe("hello worldhello ");
  });

  it("and finds nothing in skippable and empty ones", async () => {
    expect(await inflate(bytesOf(skippable(randomBytes(200_000)), frame("")), 1000)).toEqual(bytesOf());
  });

  it("whatever the frames and the pieces", async () => {
    const content = oneof(uint8Array({ maxLength: 3000 }), integer({ max: 2_000_000, min: 0 }).map(makeText));
    await assert(
      asyncProperty(
        array(record({ content, hasChecksum: boolean(), isSized: boolean() }), { minLength: 1, maxLength: 4 }),
        integer({ min: 1, max: 100_000 }),
        async (parts, size) => {
          const frames = await Promise.all(parts.map((part) => zstd(part.content, part)));
          const raw = bytesOf(...parts.map((part) => part.content));
          const read = await inflate(bytesOf(...frames), size);

          expect([read.length, crc32(read)]).toEqual([raw.length, crc32(raw)]);
        },
      ),
    );
  }, 60_000);

  // The pinned runtime's own call fails on frames of exactly these lengths.
  it.each([40_960, 65_536, 81_920, 163_840, 327_680, 655_360, 1_310_720])("of %i bytes", async (length) => {
    const raw = makeText(length);
    const frames = await Promise.all([true, false].map((isSized) => zstd(raw, { isSized })));

    for (const object of [bytesOf(...frames, HELLO), bytesOf(LARGE, ...frames, HELLO)]) {
      const read = (await inflate(object)).subarray(-2 * length - 6);

      expect(crc32(read)).toBe(crc32(bytesOf(raw, raw, "hello ")));
    }
  });

  it("that are large, in small pieces", async () => {
    const raw = randomBytes(5_000_000);
    const zeros = new Uint8Array(20_000_000);
    const random = await zstd(raw);
    const large = bytesOf(random, await zstd(zeros), compressMember(raw, "zstd"), random);

    let crc = 0;
    let length = 0;
    for await (const piece of inflateStream(pieces(large, 100_000), "zstd")) {
      expect(piece.length).toBeLessThanOrEqual(STREAM_PIECE_BYTES);
      crc = crc32(piece, crc);
      length += piece.length;
    }

    expect(length).toBe(35_000_000);
    expect(crc).toBe(crc32(raw, crc32(raw, crc32(zeros, crc32(raw)))));
  });

  it("that say a small size in one call, however many blocks they are split into", async () => {
    const bytes = LARGE_BYTES + 100_000;
    const blocks = [
      rawBlock("otlp over http, ", false),
      ...Array.from({ length: 40 }, () => REPEAT),
      rleBlock(100_000),
    ];
    const sized = bytesOf(MAGIC, [0x80, windowByte(1 << 23)], uint32(bytes), ...blocks);

    const buffers = new Set<unknown>();
    let length = 0;
    for await (const piece of inflateStream(pieces(sized, 1000), "zstd")) {
      buffers.add(piece.buffer);
      length += piece.length;
    }

    expect(length).toBe(bytes);
    expect(buffers.size).toBe(1);
  });

  it("of a gigabyte", async () => {
    let length = 0;
    for await (const piece of inflateStream(pieces(rleBomb(8192), 10_000), "zstd")) length += piece.length;

    expect(length).toBe(2 ** 30);
  }, 60_000);

  it("with windows up to the limit, and single segments", async () => {
    const raw = bytesOf(randomBytes(100_000), makeText(3_000_000), randomBytes(100_000));
    const windowLog = Math.log2(ZSTD_OBJECT_WINDOW_MAX_BYTES);
    for (const isSized of [true, false]) {
      expect(crc32(await inflate(await zstd(raw, { windowLog, isSized })))).toBe(crc32(raw));
    }
  });
});

describe("inflateStream() reports corruption of zstd frames", () => {
  const sum = compressMember(bytesOf("hello hello hello hello "), "zstd");
  const tooLong = bytesOf([WINDOWED, windowByte(2 * ZSTD_OBJECT_WINDOW_MAX_BYTES)], rawBlock("x"));
  it.each<readonly [string, Uint8Array]>([
    ["no zstd", bytesOf("{}")],
    ["a wrong checksum", withByte(sum, -1, (byte) => byte ^ 1)],
    ["a missing checksum", sum.subarray(0, -4)],
    ["a reserved bit", bytesOf(MAGIC, [RESERVED, 0], rawBlock("x"))],
    ["a reserved block type", bytesOf(MAGIC, [WINDOWED, 0, 7, 0, 0])],
    ["a reserved block type after a block", bytesOf(MAGIC, [WINDOWED, 0], rawBlock("x", false), [7, 0, 0])],
    ["a block longer than its window", bytesOf(MAGIC, [WINDOWED, 0], rleBlock(2000))],
    ["a broken block", bytesOf(MAGIC, [WINDOWED, 0], [0x25, 0, 0], "abcd")],
    ["a dictionary", bytesOf(MAGIC, [1, 0, 9], rawBlock("x"))],
    ["a window above the limit", bytesOf(MAGIC, tooLong)],
    ["a content size that is too small", bytesOf(MAGIC, [SINGLE, 3], rawBlock("he", false), rawBlock("llo"))],
    ["a content size that is too large", bytesOf(MAGIC, [SINGLE, 9], rawBlock("hello"))],
    ["a single segment of 4 GiB", bytesOf(MAGIC, [0xa0], uint32(0xffffffff), rawBlock("hello"))],
    ["garbage after a frame", bytesOf(HELLO, "x")],
    ["zero padding", bytesOf(HELLO, [0])],
    ["a skippable frame beyond the end", skippable("table").subarray(0, -1)],
  ])("%s, in the first frame and after a large one", async (_name, wire) => {
    for (const size of [1000, 3]) {
      for (const object of [wire, bytesOf(HELLO, wire), bytesOf(LARGE, wire), bytesOf(LARGE, HELLO, wire)]) {
        expect(await probe(object, size)).toMatchObject({ kind: "corrupt_object" });
      }
    }
  });

  it("no bytes", async () => {
    expect(await probe(bytesOf())).toMatchObject({ kind: "corrupt_object" });
  });

  it("after giving out what was whole", async () => {
    const object = bytesOf(
      HELLO,
      WORLD,
      withByte(sum, -1, (byte) => byte ^ 1),
    );
    const read: Uint8Array[] = [];

    await expect(
      (async () => {
        for await (const piece of inflateStream(pieces(object, 1000), "zstd")) read.push(piece);
      })(),
    ).rejects.toMatchObject({ kind: "corrupt_object" });
    expect(text(bytesOf(...read))).toBe("hello world");
  });

  it("and nothing else on any bytes, whole or after a frame", async () => {
    await assert(
      asyncProperty(uint8Array({ maxLength: 60 }), integer({ min: 1, max: 70 }), async (tail, size) => {
        for (const head of [bytesOf(), HELLO, MAGIC, sum.subarray(0, 10), LARGE]) {
          const outcome = await probe(bytesOf(head, tail), size);

          expect(outcome instanceof Uint8Array || (outcome instanceof FirnError && outcome.kind)).toBeOneOf([
            true,
            "corrupt_object",
          ]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("on every truncation", async () => {
    const parts = [sum, skippable("table"), WORLD, compressMember(makeText(300), "zstd")];
    const wire = bytesOf(...parts);
    const ends = parts.map((_part, index) => bytesOf(...parts.slice(0, index + 1)).length);
    for (let length = 1; length < wire.length; length++) {
      for (const size of [4, 1000]) {
        const outcome = await probe(wire.subarray(0, length), size);
        const expected = ends.includes(length) ? { length: expect.any(Number) } : { kind: "corrupt_object" };

        expect(outcome, `${length} bytes`).toMatchObject(expected);
      }
    }
  });

  it("on every truncation of a large frame's end and of what follows it", async () => {
    const large = await zstd(makeText(5_000_000));
    const wire = bytesOf(large, sum);
    for (let length = large.length - 40; length < wire.length; length++) {
      const outcome = await probe(wire.subarray(0, length));
      if (length === large.length) expect(outcome).toBeInstanceOf(Uint8Array);
      else expect(outcome, `${length - large.length}`).toMatchObject({ kind: "corrupt_object" });
    }
  });

  it("on every flipped bit, unless the bytes stay the same", async () => {
    const small = compressMember(makeText(300), "zstd");
    for (const [head, wire] of [
      [bytesOf(), small],
      [LARGE, small],
    ] as const) {
      const raw = await inflate(bytesOf(head, wire));
      let refusedCount = 0;
      for (let bit = 0; bit < wire.length * 8; bit++) {
        const flipped = withByte(wire, bit >> 3, (byte) => byte ^ (1 << (bit & 7)));
        const outcome = await probe(bytesOf(head, flipped));
        if (outcome instanceof Uint8Array) expect(crc32(outcome), `bit ${bit}`).toBe(crc32(raw));
        else expect(outcome, `bit ${bit}`).toMatchObject({ kind: "corrupt_object" });
        if (outcome instanceof FirnError) refusedCount++;
      }

      expect(refusedCount).toBeGreaterThan(wire.length * 7);
    }
  }, 60_000);
});
