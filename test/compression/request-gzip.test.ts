import { array, assert, property, uint8Array } from "fast-check";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FirnError } from "../../src/errors.ts";
import { compressMember } from "../../src/compression/member.ts";
import { inflateGzipBody } from "../../src/compression/request-gzip.ts";
import { MAX_GZIP_MEMBERS } from "../../src/limits.ts";
import { bytesOf, FLAGS, member, randomBytes, text, withByte, withHeader } from "./gzip-bytes.ts";

const LIMIT = 1 << 20;
const HELLO = member("hello ");
const WORLD = member("world");
const EMPTY = member("");

/** Two bytes of CRC over the header up to them. */
function headerCrc(header: Uint8Array): number[] {
  const crc = crc32(header);
  return [crc & 0xff, (crc >> 8) & 0xff];
}

describe("inflateGzipBody() keeps clean members", () => {
  const withName = withHeader(WORLD, FLAGS.name, "file.json\0");
  it.each<readonly [string, Uint8Array, string]>([
    ["one member", HELLO, "hello "],
    ["several members", bytesOf(HELLO, WORLD, HELLO), "hello worldhello "],
    ["a name", withName, "world"],
    ["a comment", withHeader(WORLD, FLAGS.comment, "made by\0"), "world"],
    ["a name and a comment", withHeader(WORLD, FLAGS.name | FLAGS.comment, "n\0", "c\0"), "world"],
    ["the text flag", withHeader(WORLD, 1), "world"],
    [
      "a header CRC",
      withHeader(WORLD, FLAGS.headerCrc, headerCrc(withHeader(WORLD, FLAGS.headerCrc).subarray(0, 10))),
      "world",
    ],
  ])("%s", (_name, wire, body) => {
    const inflated = inflateGzipBody(wire, LIMIT);

    expect(text(inflated.body)).toBe(body);
    expect(inflated.isClean).toBe(true);
  });
});

describe("inflateGzipBody() accepts, but does not keep", () => {
  it.each<readonly [string, Uint8Array, string]>([
    ["nothing at all", bytesOf(), ""],
    ["an empty member", EMPTY, ""],
    ["an empty member first", bytesOf(EMPTY, HELLO), "hello "],
    ["an empty member between", bytesOf(HELLO, EMPTY, WORLD), "hello world"],
    ["an empty member last", bytesOf(HELLO, EMPTY), "hello "],
    ["one byte of zero padding", bytesOf(HELLO, [0]), "hello "],
    ["much zero padding", bytesOf(HELLO, new Uint8Array(10_000)), "hello "],
    ["an extra field", withHeader(WORLD, FLAGS.extra, [4, 0, 1, 2, 3, 4]), "world"],
    ["a header that objects are not read with", withHeader(WORLD, FLAGS.name, "x".repeat(140_000), "\0"), "world"],
  ])("%s", (_name, wire, body) => {
    const inflated = inflateGzipBody(wire, LIMIT);

    expect(text(inflated.body)).toBe(body);
    expect(inflated.isClean).toBe(false);
  });
});

describe("inflateGzipBody() rejects", () => {
  it.each<readonly [string, Uint8Array, string]>([
    ["plain text", bytesOf("{}"), "no gzip magic at its start"],
    ["zero bytes only", bytesOf([0, 0, 0]), "no gzip magic at its start"],
    ["zlib", bytesOf([0x78, 0x9c, 3, 0, 0, 0, 0, 1]), "no gzip magic at its start"],
    ["an unknown method", withByte(HELLO, 2, () => 7), "unknown compression method at its start"],
    ["reserved flags", withByte(HELLO, 3, () => 0x20), "reserved header flags at its start"],
    ["a wrong header CRC", withHeader(WORLD, FLAGS.headerCrc, [1, 2]), "a header CRC that does not match at its start"],
    ["a wrong CRC", withByte(HELLO, -8, (byte) => byte ^ 1), "a CRC-32 that does not match"],
    ["a wrong length", withByte(HELLO, -4, (byte) => byte ^ 1), "a length that does not match"],
    [
      "a wrong CRC in the second member",
      bytesOf(
        WORLD,
        withByte(HELLO, -8, (b) => b ^ 1),
      ),
      "a CRC-32 that does not match",
    ],
    ["a broken deflate stream", withByte(HELLO, 10, () => 0xff), "a broken deflate stream"],
    ["garbage after a member", bytesOf(HELLO, "x"), "no gzip magic after a gzip member"],
    ["garbage after zero padding", bytesOf(HELLO, [0], "x"), "no gzip magic after a gzip member"],
    ["a member after zero padding", bytesOf(HELLO, [0], WORLD), "no gzip magic after a gzip member"],
    ["a repeated trailer", bytesOf(HELLO, [0], HELLO.subarray(-8)), "no gzip magic after a gzip member"],
    ["half a magic", bytesOf(HELLO, [0x1f]), "a truncated gzip header"],
    ["a name without end", withHeader(WORLD, FLAGS.name).subarray(0, 12), "a truncated gzip header"],
    ["an extra field beyond the end", withHeader(WORLD, FLAGS.extra, [255, 255]), "a truncated gzip header"],
  ])("%s", (_name, wire, found) => {
    expect(() => inflateGzipBody(wire, LIMIT)).toThrow(
      expect.objectContaining({
        kind: "invalid_request",
        field: "body",
        message: `Cannot inflate body: found ${found}, expected gzip members`,
      }),
    );
  });

  it("every truncation", () => {
    const wire = bytesOf(withHeader(HELLO, FLAGS.name | FLAGS.extra, [1, 0, 9], "name\0"), WORLD);
    const boundary = wire.length - WORLD.length;
    for (let length = 1; length < wire.length; length++) {
      if (length === boundary) continue;

      expect(() => inflateGzipBody(wire.subarray(0, length), LIMIT), `${length} bytes`).toThrow(
        expect.objectContaining({ kind: "invalid_request" }),
      );
    }
  });

  it("more members than any client sends, in bounded time", () => {
    const wire = new Uint8Array(EMPTY.length * (MAX_GZIP_MEMBERS + 1));
    for (let at = 0; at < wire.length; at += EMPTY.length) wire.set(EMPTY, at);

    expect(() => inflateGzipBody(wire, LIMIT)).toThrow(`more than ${MAX_GZIP_MEMBERS} gzip members`);
    expect(inflateGzipBody(wire.subarray(EMPTY.length), LIMIT).body.length).toBe(0);
  }, 30_000);
});

describe("inflateGzipBody() never inflates beyond the limit", () => {
  const bomb = compressMember(new Uint8Array(64 << 20), "gzip");

  it.each<readonly [string, Uint8Array, number]>([
    ["a bomb", bomb, LIMIT],
    ["one byte too much", HELLO, 5],
    ["a limit of 0", WORLD, 0],
    ["one byte too much in the second member", bytesOf(HELLO, WORLD), 10],
    ["a second member when the first has used up the limit", bytesOf(HELLO, member("x")), 6],
    ["too much and truncated", bomb.subarray(0, 30_000), LIMIT],
  ])("%s", (_name, wire, limit) => {
    expect(() => inflateGzipBody(wire, limit)).toThrow(expect.objectContaining({ kind: "too_large", field: "body" }));
  });

  it("accepts exactly the limit", () => {
    expect(text(inflateGzipBody(bytesOf(HELLO, WORLD), 11).body)).toBe("hello world");
    expect(text(inflateGzipBody(bytesOf(HELLO, EMPTY), 6).body)).toBe("hello ");
  });
});

describe("inflateGzipBody()", () => {
  it("is the inverse of compressMember(), over any members", () => {
    assert(
      property(array(uint8Array({ minLength: 1, maxLength: 5000 }), { minLength: 1, maxLength: 5 }), (parts) => {
        const inflated = inflateGzipBody(bytesOf(...parts.map((part) => compressMember(part, "gzip"))), LIMIT);

        expect(inflated).toEqual({ body: bytesOf(...parts), isClean: true });
      }),
    );
  });

  it.each([1000, 100_000, 20_000_000])("inflates %i bytes that do not compress", (length) => {
    const raw = randomBytes(length);

    const inflated = inflateGzipBody(compressMember(raw, "gzip"), length);

    expect(crc32(inflated.body)).toBe(crc32(raw));
    expect(inflated.isClean).toBe(true);
  });

  it("throws nothing but FirnError on any bytes", () => {
    assert(
      property(uint8Array({ maxLength: 60 }), uint8Array({ maxLength: 20 }), (tail, insides) => {
        const wires = [
          tail,
          bytesOf(HELLO, tail),
          bytesOf(HELLO.subarray(0, 10), tail),
          withHeader(HELLO, 30, [...insides]),
        ];
        for (const wire of wires) {
          try {
            inflateGzipBody(wire, LIMIT);
          } catch (error) {
            expect(error).toBeInstanceOf(FirnError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
