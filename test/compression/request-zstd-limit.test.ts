import { beforeAll, describe, expect, it } from "vitest";
import { inflateZstdBody } from "../../src/compression/request-zstd.ts";
import { bytesOf, text, withByte } from "./gzip-bytes.ts";
import {
  COLLECTOR,
  frame,
  MAGIC,
  makeText,
  rawBlock,
  rleBlock,
  rleBomb,
  SINGLE,
  single,
  skippable,
  windowed,
  zstd,
} from "./zstd-bytes.ts";

const LIMIT = 1 << 20;
const HELLO = frame("hello ");
const WORLD = frame("world");
const EMPTY = frame("");

describe("inflateZstdBody() never inflates beyond the limit", () => {
  let text64 = bytesOf();
  beforeAll(async () => {
    text64 = await zstd(bytesOf(...Array.from({ length: 64 }, () => makeText(1 << 20))), { level: 3 });
  }, 60_000);

  it.each<readonly [string, () => Uint8Array, number]>([
    ["a bomb of one byte, thirty-thousandfold", () => rleBomb(5000), LIMIT],
    ["a bomb that is cut off", () => rleBomb(5000).subarray(0, 10_000), LIMIT],
    ["a bomb of many frames", () => bytesOf(...Array.from({ length: 100 }, () => rleBomb(100))), LIMIT],
    ["a bomb that says its size", () => single(640 << 20, rleBomb(5120).subarray(6)), LIMIT],
    ["a bomb of compressed blocks", () => text64, LIMIT],
    ["too much and truncated", () => text64.subarray(0, text64.length - 10), LIMIT],
    ["too much and corrupt behind the limit", () => withByte(text64, -10, (byte) => byte ^ 1), LIMIT],
    ["too much and a reserved block behind the limit", () => bytesOf(rleBomb(20).subarray(0, -4), [7, 0, 0]), LIMIT],
    ["one byte too much", () => HELLO, 5],
    ["one byte too much that a content size admits", () => bytesOf(MAGIC, [SINGLE, 6], rawBlock("hello ")), 5],
    ["one byte too much in a compressed block", () => COLLECTOR.whole, COLLECTOR.phrase.length - 1],
    ["a limit of 0", () => WORLD, 0],
    ["one byte too much in the second frame", () => bytesOf(HELLO, WORLD), 10],
    ["a second frame when the first has used up the limit", () => bytesOf(HELLO, frame("x")), 6],
  ])("%s", (_name, wire, limit) => {
    expect(() => inflateZstdBody(wire(), limit)).toThrow(expect.objectContaining({ kind: "too_large", field: "body" }));
  });

  it("accepts exactly the limit", () => {
    expect(text(inflateZstdBody(bytesOf(HELLO, WORLD), 11).body)).toBe("hello world");
    expect(text(inflateZstdBody(bytesOf(HELLO, EMPTY, skippable("x")), 6).body)).toBe("hello ");
    expect(text(inflateZstdBody(COLLECTOR.whole, COLLECTOR.phrase.length).body)).toBe(COLLECTOR.phrase);
  });

  it.each([40_960, 81_920, 100_000, 163_840, 10_485_760, 20_971_520])("accepts exactly a limit of %i", (limit) => {
    const blocks = Math.ceil(limit / (1 << 17));
    const wire = windowed(
      1 << 23,
      ...Array.from({ length: blocks }, (_, index) =>
        rleBlock(Math.min(1 << 17, limit - index * (1 << 17)), index === blocks - 1),
      ),
    );

    expect(inflateZstdBody(wire, limit).body.length).toBe(limit);
    expect(() => inflateZstdBody(wire, limit - 1)).toThrow(expect.objectContaining({ kind: "too_large" }));
  });
});
