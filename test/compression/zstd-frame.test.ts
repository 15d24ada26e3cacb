import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isAtFrameEnd,
  openZstdWalk,
  parseZstdHeader,
  walkZstdBlocks,
  type ZstdFrameHeader,
} from "../../src/compression/zstd-frame.ts";
import { bytesOf, randomBytes } from "./gzip-bytes.ts";
import {
  blockHeader,
  CHECKSUM,
  frame,
  MAGIC,
  makeText,
  rawBlock,
  RESERVED,
  rleBlock,
  SINGLE,
  skippable,
  uint32,
  UNUSED,
  windowByte,
  WINDOWED,
  zstd,
} from "./zstd-bytes.ts";

function parseFrame(bytes: Uint8Array): ZstdFrameHeader {
  const header = parseZstdHeader(bytes, 0);
  if (header.kind !== "frame") throw new Error(`Cannot parse frame: found ${header.kind}`);
  return header;
}

describe("parseZstdHeader() reads", () => {
  const none = {
    windowBytes: 1024,
    isSingleSegment: false,
    contentBytes: null,
    hasChecksum: false,
    dictionaryId: null,
  };
  it.each<readonly [string, readonly number[], Partial<ZstdFrameHeader>]>([
    ["a window of 1 KiB", [WINDOWED, 0], { headerBytes: 6 }],
    ["a window of 8 MiB", [WINDOWED, windowByte(1 << 23)], { headerBytes: 6, windowBytes: 1 << 23 }],
    ["a window with a mantissa", [WINDOWED, 7], { headerBytes: 6, windowBytes: 1024 + 7 * 128 }],
    ["the longest window", [WINDOWED, 0xff], { headerBytes: 6, windowBytes: 2 ** 41 * 1.875 }],
    ["a checksum", [CHECKSUM, 0], { headerBytes: 6, hasChecksum: true }],
    ["the unused bit", [UNUSED, 0], { headerBytes: 6 }],
    [
      "a content size of 1 byte",
      [SINGLE, 255],
      { headerBytes: 6, isSingleSegment: true, windowBytes: 255, contentBytes: 255 },
    ],
    ["a content size of 2 bytes", [0x40, 0, 1, 2], { headerBytes: 8, contentBytes: 0x201 + 256 }],
    ["a content size of 4 bytes", [0x80, 0, 1, 2, 3, 4], { headerBytes: 10, contentBytes: 0x04030201 }],
    ["a content size of 8 bytes", [0xc0, 0, 1, 0, 0, 0, 0, 0, 1, 0], { headerBytes: 14, contentBytes: 2 ** 48 + 1 }],
    ["a dictionary id of 1 byte", [0x01, 0, 9], { headerBytes: 7, dictionaryId: 9 }],
    ["a dictionary id of 2 bytes", [0x02, 0, 1, 2], { headerBytes: 8, dictionaryId: 0x201 }],
    ["a dictionary id of 4 bytes", [0x03, 0, 1, 2, 3, 0xff], { headerBytes: 10, dictionaryId: 0xff030201 }],
  ])("%s", (_name, fields, expected) => {
    const bytes = bytesOf(MAGIC, fields);

    expect(parseZstdHeader(bytes, 0)).toEqual({ kind: "frame", ...none, ...expected });
    expect(parseZstdHeader(bytesOf("ab", bytes, "cd"), 2)).toEqual(parseZstdHeader(bytes, 0));
    for (let length = 0; length < bytes.length; length++) {
      expect(parseZstdHeader(bytes.subarray(0, length), 0), `${length} bytes`).toEqual({ kind: "short" });
    }
  });

  it("all sixteen skippable magics, and the length of what they skip", () => {
    for (let nibble = 0; nibble < 16; nibble++) {
      expect(parseZstdHeader(skippable("12345", nibble), 0)).toEqual({ kind: "skippable", frameBytes: 13 });
    }
    const long = bytesOf(skippable("").subarray(0, 4), uint32(0xffffffff));

    expect(parseZstdHeader(long, 0)).toEqual({ kind: "skippable", frameBytes: 2 ** 32 + 7 });
    expect(parseZstdHeader(long.subarray(0, 7), 0)).toEqual({ kind: "short" });
  });

  it.each<readonly [string, readonly number[], string]>([
    ["no magic", [0x1f, 0x8b, 8, 0], "no zstd magic"],
    ["a wrong last byte of the magic", [0x28, 0xb5, 0x2f, 0xfe], "no zstd magic"],
    ["the magic of version 0.7", [0x27, 0xb5, 0x2f, 0xfd], "no zstd magic"],
    ["a magic that breaks off wrong", [0x28, 0x00], "no zstd magic"],
    ["half a skippable magic", [0x50, 0x2a, 0x4e, 0x18], "no zstd magic"],
    ["the reserved bit", [...MAGIC, RESERVED, 0], "a reserved bit in a zstd frame header"],
  ])("nothing of %s", (_name, bytes, found) => {
    expect(parseZstdHeader(bytesOf(bytes), 0)).toEqual({ kind: "bad", found });
  });
});

/** Walks in pieces of a size, each from where the walk stopped. */
function walkInPieces(bytes: Uint8Array, size: number): { readonly end: number; readonly isWhole: boolean } {
  const walk = openZstdWalk(parseFrame(bytes));
  let at = 0;
  for (let available = size; ; available += size) {
    at = walkZstdBlocks(walk, bytes.subarray(0, Math.min(available, bytes.length)), at);
    if (isAtFrameEnd(walk) || walk.fault !== null || available >= bytes.length) break;
  }
  return { end: at, isWhole: isAtFrameEnd(walk) };
}

describe("walkZstdBlocks()", () => {
  it("ends where frames of the runtime's encoder end, whatever follows and however they come", async () => {
    for (const raw of [bytesOf(), bytesOf("a"), makeText(300_000), randomBytes(200_000), new Uint8Array(1_000_000)]) {
      for (const [hasChecksum, isSized] of [
        [true, true],
        [true, false],
        [false, true],
        [false, false],
      ] as const) {
        const bytes = await zstd(raw, { hasChecksum, isSized });

        expect(walkInPieces(bytesOf(bytes, "tail"), 1_000_000)).toEqual({ end: bytes.length, isWhole: true });
        expect(walkInPieces(bytesOf(bytes, bytes), 7)).toEqual({ end: bytes.length, isWhole: true });
        expect(walkInPieces(bytes.subarray(0, -1), 1000).isWhole).toBe(false);
      }
    }
  });

  it("bounds what the blocks inflate to", () => {
    assert(
      property(
        array(record({ type: constantFrom(0, 1, 2), size: integer({ min: 0, max: 2000 }) }), { minLength: 1 }),
        integer({ min: 1, max: 50 }),
        (blocks, pieceBytes) => {
          const parts = blocks.map(({ type, size }, index) =>
            bytesOf(
              blockHeader({ type, size, isLast: index === blocks.length - 1 }),
              new Uint8Array(type === 1 ? 1 : size),
            ),
          );
          const bytes = bytesOf(MAGIC, [WINDOWED, windowByte(1 << 20)], ...parts, "tail");
          const walk = openZstdWalk(parseFrame(bytes));
          let at = 0;
          for (let end = pieceBytes; !isAtFrameEnd(walk); end += pieceBytes)
            at = walkZstdBlocks(walk, bytes.subarray(0, end), at);
          const known = blocks.reduce((sum, { type, size }) => sum + (type === 2 ? 0 : size), 0);
          const unknown = blocks.filter(({ type }) => type === 2).length;

          expect([at, walk.minBytes, walk.maxBytes]).toEqual([bytes.length - 4, known, known + unknown * (1 << 17)]);
        },
      ),
    );
  });

  it.each<readonly [string, Uint8Array, string]>([
    ["a reserved block type", bytesOf(frame("").subarray(0, 6), [7, 0, 0]), "a reserved block type in a zstd frame"],
    [
      "a raw block longer than the window",
      bytesOf(frame("").subarray(0, 6), rawBlock("x".repeat(1025))),
      "a block above the maximum of its zstd frame",
    ],
    [
      "a repeated byte beyond 128 KiB",
      bytesOf(MAGIC, [WINDOWED, windowByte(1 << 23)], rleBlock((1 << 17) + 1)),
      "a block above the maximum of its zstd frame",
    ],
    [
      "a second block that is wrong",
      bytesOf(frame("").subarray(0, 6), rawBlock("good", false), [6, 0, 0]),
      "a reserved block type in a zstd frame",
    ],
  ])("stops at %s", (_name, bytes, fault) => {
    const walk = openZstdWalk(parseFrame(bytes));
    walkZstdBlocks(walk, bytes, 0);

    expect([walk.fault, isAtFrameEnd(walk)]).toEqual([fault, false]);
  });
});
