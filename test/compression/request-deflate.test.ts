import { assert, property, uint8Array } from "fast-check";
import { crc32, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inflateDeflateBody } from "../../src/compression/request-deflate.ts";
import { FirnError } from "../../src/errors.ts";
import { bytesOf, randomBytes, text, withByte } from "./gzip-bytes.ts";

const LIMIT = 1 << 20;

/** RFC 1950 section 8.2, as slow as it is plain. */
function adler32(bytes: Uint8Array): number[] {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return [b >> 8, b & 0xff, a >> 8, a & 0xff];
}

/** The deflate data of a member: what stands between its header and its trailer. */
function deflate(raw: Uint8Array): Uint8Array {
  return Uint8Array.from(gzipSync(raw)).subarray(10, -8);
}

/** @param header two bytes: method and window, flags and check */
function zlib(raw: Uint8Array, header: readonly number[] = [0x78, 0x9c]): Uint8Array {
  return bytesOf(header, deflate(raw), adler32(raw));
}

const HELLO = zlib(bytesOf("hello "));

describe("inflateDeflateBody() accepts", () => {
  it.each<readonly [string, Uint8Array, string]>([
    ["nothing at all", bytesOf(), ""],
    ["an empty stream", zlib(bytesOf()), ""],
    ["the usual header", HELLO, "hello "],
    ["level 1", zlib(bytesOf("hello "), [0x78, 0x01]), "hello "],
    ["level 9", zlib(bytesOf("hello "), [0x78, 0xda]), "hello "],
    ["the shortest window", zlib(bytesOf("hello "), [0x08, 0x1d]), "hello "],
  ])("%s and never keeps it", (_name, wire, body) => {
    const inflated = inflateDeflateBody(wire, LIMIT);

    expect([text(inflated.body), inflated.isClean]).toEqual([body, false]);
  });

  it.each([1000, 100_000, 20_000_000])("%i bytes that do not compress", (length) => {
    const raw = randomBytes(length);

    expect(crc32(inflateDeflateBody(zlib(raw), length).body)).toBe(crc32(raw));
  });
});

describe("inflateDeflateBody() rejects", () => {
  const broken = "a broken deflate stream or an Adler-32 that does not match";
  it.each<readonly [string, Uint8Array, string]>([
    ["raw deflate data", deflate(bytesOf("hello ")), "no zlib header"],
    ["gzip", Uint8Array.from(gzipSync(bytesOf("hello "))), "no zlib header"],
    ["plain text", bytesOf("{}"), "no zlib header"],
    ["one byte", bytesOf([0x78]), "a truncated zlib header"],
    ["a header check that does not match", withByte(HELLO, 1, () => 0x9d), "no zlib header"],
    [
      "a window above 32 KiB",
      withByte(
        withByte(HELLO, 0, () => 0x88),
        1,
        () => 0x1c,
      ),
      "no zlib header",
    ],
    [
      "an unknown method",
      withByte(
        withByte(HELLO, 0, () => 0x77),
        1,
        () => 0x85,
      ),
      "no zlib header",
    ],
    [
      "a preset dictionary",
      bytesOf([0x78, 0xbb, 0, 0, 0, 1], HELLO.subarray(2)),
      "a zlib stream that needs a dictionary",
    ],
    ["a wrong Adler-32", withByte(HELLO, -1, (byte) => byte ^ 1), broken],
    ["a broken deflate stream", withByte(HELLO, 2, () => 0xff), broken],
    ["a byte after the stream", bytesOf(HELLO, [0]), "bytes after the zlib stream"],
    ["a second stream", bytesOf(HELLO, HELLO), "bytes after the zlib stream"],
  ])("%s", (_name, wire, found) => {
    expect(() => inflateDeflateBody(wire, LIMIT)).toThrow(
      expect.objectContaining({
        kind: "invalid_request",
        field: "body",
        message: `Cannot inflate body: found ${found}, expected deflate data in a zlib wrapper (RFC 1950)`,
      }),
    );
  });

  it("every truncation", () => {
    for (let length = 1; length < HELLO.length; length++) {
      expect(() => inflateDeflateBody(HELLO.subarray(0, length), LIMIT), `${length} bytes`).toThrow(
        expect.objectContaining({ kind: "invalid_request" }),
      );
    }
  });
});

describe("inflateDeflateBody() never inflates beyond the limit", () => {
  const bomb = zlib(new Uint8Array(8 << 20));

  it.each<readonly [string, Uint8Array, number]>([
    ["a bomb", bomb, LIMIT],
    ["one byte too much", HELLO, 5],
    ["a limit of 0", HELLO, 0],
    ["too much and truncated", bomb.subarray(0, -100), LIMIT],
    ["too much and corrupt behind the limit", withByte(bomb, -100, (byte) => byte ^ 0xff), LIMIT],
  ])("%s", (_name, wire, limit) => {
    expect(() => inflateDeflateBody(wire, limit)).toThrow(
      expect.objectContaining({ kind: "too_large", field: "body" }),
    );
  });

  it("accepts exactly the limit", () => {
    expect(text(inflateDeflateBody(HELLO, 6).body)).toBe("hello ");
  });
});

describe("inflateDeflateBody()", () => {
  it("is the inverse of a zlib encoder", () => {
    assert(
      property(uint8Array({ maxLength: 5000 }), (raw) => {
        expect(inflateDeflateBody(zlib(raw), LIMIT).body).toEqual(raw);
      }),
    );
  });

  it("throws nothing but FirnError on any bytes", () => {
    assert(
      property(uint8Array({ maxLength: 60 }), (tail) => {
        for (const wire of [tail, bytesOf([0x78, 0x9c], tail), bytesOf(HELLO, tail)]) {
          try {
            inflateDeflateBody(wire, LIMIT);
          } catch (error) {
            expect(error).toBeInstanceOf(FirnError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
