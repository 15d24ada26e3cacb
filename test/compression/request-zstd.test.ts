import { array, assert, asyncProperty, boolean, property, uint8Array } from "fast-check";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { compressMember } from "../../src/compression/member.ts";
import { inflateZstdBody } from "../../src/compression/request-zstd.ts";
import { FirnError } from "../../src/errors.ts";
import { MAX_ZSTD_FRAMES, ZSTD_BODY_WINDOW_MAX_BYTES } from "../../src/limits.ts";
import { bytesOf, randomBytes, text, withByte } from "./gzip-bytes.ts";
import { collect } from "./pieces.ts";
import {
  blockHeader,
  CHECKSUM,
  COLLECTOR,
  frame,
  MAGIC,
  makeText,
  rawBlock,
  RESERVED,
  rleBlock,
  rleBomb,
  SINGLE,
  single,
  skippable,
  uint32,
  UNUSED,
  windowByte,
  windowed,
  WINDOWED,
  zstd,
} from "./zstd-bytes.ts";

const LIMIT = 1 << 20;
const HELLO = frame("hello ");
const WORLD = frame("world");
const EMPTY = frame("");
describe("inflateZstdBody() keeps clean frames", () => {
  it.each<readonly [string, Uint8Array, string]>([
    ["one frame", HELLO, "hello "],
    ["several frames", bytesOf(HELLO, WORLD, HELLO), "hello worldhello "],
    ["several blocks", bytesOf(MAGIC, [WINDOWED, 0], rawBlock("hello ", false), rawBlock("world")), "hello world"],
    ["an empty last block", bytesOf(MAGIC, [WINDOWED, 0], rawBlock("hello ", false), rawBlock("")), "hello "],
    ["a single segment", bytesOf(MAGIC, [SINGLE, 5], rawBlock("world")), "world"],
    ["a content size beside a window", bytesOf(MAGIC, [0x80, 0], uint32(5), rawBlock("world")), "world"],
    ["the unused bit", bytesOf(MAGIC, [UNUSED, 0], rawBlock("world")), "world"],
    ["the longest window", windowed(ZSTD_BODY_WINDOW_MAX_BYTES, rawBlock("world")), "world"],
    ["a frame of the Collector", COLLECTOR.whole, COLLECTOR.phrase],
    ["a frame that the Collector flushed piece by piece", COLLECTOR.flushed, COLLECTOR.phrase],
  ])("%s", (_name, wire, body) => {
    const inflated = inflateZstdBody(wire, LIMIT);

    expect(text(inflated.body)).toBe(body);
    expect(inflated.isClean).toBe(true);
  });

  it("that are single segments as long as the limit, whatever the limit of windows", () => {
    const blocks = Array.from({ length: 160 }, (_, index) => rleBlock(1 << 17, index === 159));
    const inflated = inflateZstdBody(single(20 << 20, ...blocks), 20 << 20);

    expect([inflated.body.length, inflated.isClean]).toEqual([20 << 20, true]);
  });
});

describe("inflateZstdBody() accepts, but does not keep", () => {
  it.each<readonly [string, Uint8Array, string]>([
    ["nothing at all", bytesOf(), ""],
    ["an empty frame", EMPTY, ""],
    ["an empty frame first", bytesOf(EMPTY, HELLO), "hello "],
    ["an empty frame between", bytesOf(HELLO, EMPTY, WORLD), "hello world"],
    ["an empty frame last", bytesOf(HELLO, EMPTY), "hello "],
    ["a skippable frame alone", skippable("table"), ""],
    ["a skippable frame first", bytesOf(skippable("table", 15), HELLO), "hello "],
    ["a skippable frame between", bytesOf(HELLO, skippable("", 7), WORLD), "hello world"],
    ["a skippable frame last", bytesOf(HELLO, skippable("table")), "hello "],
    ["a dictionary id that means none", bytesOf(MAGIC, [1, 0, 0], rawBlock("world")), "world"],
  ])("%s", (_name, wire, body) => {
    const inflated = inflateZstdBody(wire, LIMIT);

    expect(text(inflated.body)).toBe(body);
    expect(inflated.isClean).toBe(false);
  });
});

describe("inflateZstdBody() rejects", () => {
  const sum = compressMember(bytesOf("hello hello hello hello "), "zstd");
  it.each<readonly [string, Uint8Array, string]>([
    ["plain text", bytesOf("{}"), "no zstd magic at its start"],
    ["gzip", bytesOf([0x1f, 0x8b, 8]), "no zstd magic at its start"],
    [
      "the reserved bit",
      bytesOf(MAGIC, [RESERVED, 0], rawBlock("x")),
      "a reserved bit in a zstd frame header at its start",
    ],
    ["a reserved block type", bytesOf(MAGIC, [WINDOWED, 0, 7, 0, 0]), "a reserved block type in a zstd frame"],
    ["a dictionary", bytesOf(MAGIC, [1, 0, 9], rawBlock("x")), "a zstd frame that needs a dictionary"],
    ["a wrong checksum", withByte(sum, -1, (byte) => byte ^ 1), "a broken zstd frame"],
    [
      "a wrong checksum in the second frame",
      bytesOf(
        HELLO,
        withByte(sum, -4, (byte) => byte ^ 1),
      ),
      "a broken zstd frame",
    ],
    [
      "a broken block",
      windowed(1024, bytesOf(blockHeader({ type: 2, size: 4, isLast: true }), "abcd")),
      "a broken zstd frame",
    ],
    ["garbage after a frame", bytesOf(HELLO, "x"), "no zstd magic after a zstd frame"],
    ["zero padding", bytesOf(HELLO, [0]), "no zstd magic after a zstd frame"],
    ["garbage after a skippable frame", bytesOf(skippable("x"), "x"), "no zstd magic after a zstd frame"],
    ["a repeated checksum", bytesOf(sum, sum.subarray(-4)), "no zstd magic after a zstd frame"],
    ["half a magic", bytesOf(HELLO, MAGIC.slice(0, 2)), "a truncated zstd frame header"],
    ["a skippable frame beyond the end", skippable("table").subarray(0, -1), "a truncated skippable frame"],
    [
      "a window that is too long",
      windowed(2 * ZSTD_BODY_WINDOW_MAX_BYTES, rawBlock("x")),
      `a zstd window above ${8 << 20} bytes`,
    ],
    [
      "a window a little too long",
      bytesOf(MAGIC, [WINDOWED, windowByte(1 << 23) + 1], rawBlock("x")),
      `a zstd window above ${8 << 20} bytes`,
    ],
    ["the longest of windows", bytesOf(MAGIC, [WINDOWED, 0xff], rawBlock("x")), `a zstd window above ${8 << 20} bytes`],
    [
      "a content size that is too small",
      single(4, rawBlock("he", false), rawBlock("llo")),
      "a zstd content size that is not true",
    ],
    ["a content size that is too large", single(6, rawBlock("hello")), "a zstd content size that is not true"],
    [
      "a content size that promises 4 GiB",
      single(0xffffffff, rawBlock("hello")),
      "a zstd content size that is not true",
    ],
    [
      "a content size that promises 2⁶⁴ bytes",
      bytesOf(MAGIC, [0xe0], new Uint8Array(8).fill(255), rawBlock("hello")),
      "a zstd content size that is not true",
    ],
    [
      "a content size that only the decoder can refute",
      bytesOf(MAGIC, [0x80, windowByte(1024)], uint32(500), COLLECTOR.whole.subarray(6, -4)),
      "a broken zstd frame",
    ],
  ])("%s", (_name, wire, found) => {
    expect(() => inflateZstdBody(wire, LIMIT)).toThrow(
      expect.objectContaining({
        kind: "invalid_request",
        field: "body",
        message: `Cannot inflate body: found ${found}, expected zstd frames`,
      }),
    );
  });

  it("every truncation", async () => {
    const first = await zstd(makeText(3000), { isSized: true });
    const wire = bytesOf(first, skippable("table"), COLLECTOR.flushed);
    const boundaries = [first.length, first.length + 13];
    for (let length = 1; length < wire.length; length++) {
      if (boundaries.includes(length)) continue;

      expect(() => inflateZstdBody(wire.subarray(0, length), LIMIT), `${length} bytes`).toThrow(
        expect.objectContaining({ kind: "invalid_request", field: "body" }),
      );
    }
  });

  it("every flipped bit, unless the bytes stay the same", async () => {
    const raw = makeText(500);
    const wire = await zstd(raw, { isSized: true });
    let refusedCount = 0;
    for (let bit = 0; bit < wire.length * 8; bit++) {
      const flipped = withByte(wire, bit >> 3, (byte) => byte ^ (1 << (bit & 7)));
      try {
        expect(inflateZstdBody(flipped, LIMIT).body, `bit ${bit}`).toEqual(raw);
      } catch (error) {
        expect(error).toBeInstanceOf(FirnError);
        refusedCount++;
      }
    }

    expect(refusedCount).toBeGreaterThan(wire.length * 7);
  });

  it("more frames than any client sends, in bounded time", () => {
    const wire = new Uint8Array(EMPTY.length * (MAX_ZSTD_FRAMES + 1));
    for (let at = 0; at < wire.length; at += EMPTY.length) wire.set(EMPTY, at);

    expect(() => inflateZstdBody(wire, LIMIT)).toThrow(`more than ${MAX_ZSTD_FRAMES} zstd frames`);
    expect(inflateZstdBody(wire.subarray(EMPTY.length), LIMIT).body.length).toBe(0);
  }, 30_000);
});

describe("inflateZstdBody()", () => {
  // The pinned runtime's own call fails on frames of exactly these lengths.
  it.each([40_959, 40_960, 40_961, 81_920, 163_840, 327_680, 655_360])(
    "inflates frames of %i bytes",
    async (length) => {
      const raw = makeText(length);
      const wire = await zstd(raw);
      const inflated = inflateZstdBody(bytesOf(wire, HELLO, wire), 2 * LIMIT);

      expect(crc32(inflated.body)).toBe(crc32(raw, crc32(bytesOf("hello "), crc32(raw))));
      expect(inflated.isClean).toBe(true);
    },
  );

  it("is the inverse of the runtime's encoder, whatever its choices", async () => {
    await assert(
      asyncProperty(
        array(uint8Array({ minLength: 1, maxLength: 5000 }), { minLength: 1, maxLength: 4 }),
        boolean(),
        boolean(),
        async (parts, hasChecksum, isSized) => {
          const frames = await Promise.all(parts.map((part) => zstd(part, { hasChecksum, isSized, level: 3 })));

          expect(inflateZstdBody(bytesOf(...frames), LIMIT)).toEqual({ body: bytesOf(...parts), isClean: true });
        },
      ),
    );
  });

  it.each([1000, 100_000, 20_000_000])("inflates %i bytes that do not compress", async (length) => {
    const raw = randomBytes(length);

    const inflated = inflateZstdBody(await zstd(raw), length);

    expect(crc32(inflated.body)).toBe(crc32(raw));
    expect(inflated.isClean).toBe(true);
  });

  it("keeps nothing that could not be read from an object", async () => {
    const largest = single(24 << 20, ...Array.from({ length: 192 }, (_, index) => rleBlock(1 << 17, index === 191)));
    const wires = [largest, rleBomb(150), bytesOf(COLLECTOR.whole, COLLECTOR.flushed)];
    for (const wire of wires) {
      const { body, isClean } = inflateZstdBody(wire, 24 << 20);
      const read = await collect(inflateStream(new Blob([wire]).stream(), "zstd"));

      expect([isClean, read.length, crc32(read)]).toEqual([true, body.length, crc32(body)]);
    }
  });

  it("throws nothing but FirnError on any bytes", () => {
    const phrase = COLLECTOR.flushed;
    assert(
      property(uint8Array({ maxLength: 60 }), uint8Array({ maxLength: 20 }), (tail, insides) => {
        const wires = [
          tail,
          bytesOf(HELLO, tail),
          bytesOf(MAGIC, tail),
          bytesOf(MAGIC, [CHECKSUM, 0], insides, tail),
          bytesOf(phrase.subarray(0, 10 + insides.length), tail),
        ];
        for (const wire of wires) {
          try {
            inflateZstdBody(wire, LIMIT);
          } catch (error) {
            expect(error).toBeInstanceOf(FirnError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
