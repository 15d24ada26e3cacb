import { array, assert, asyncProperty, integer, uint8Array } from "fast-check";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { compressMember } from "../../src/compression/member.ts";
import { FirnError } from "../../src/errors.ts";
import { STREAM_PIECE_BYTES } from "../../src/limits.ts";
import { bytesOf, FLAGS, member, randomBytes, streamOf, text, withByte, withHeader } from "./gzip-bytes.ts";
import { collect, pieces } from "./pieces.ts";

const HELLO = member("hello ");
const WORLD = member("world");

const inflate = (bytes: Uint8Array, size = 65_536): Promise<Uint8Array> =>
  collect(inflateStream(pieces(bytes, size), "gzip"));

describe("inflateStream() reads gzip members", () => {
  const wire = bytesOf(HELLO, withHeader(WORLD, FLAGS.name | FLAGS.extra, [2, 0, 1, 2], "n\0"), member(""), HELLO);

  it.each([1, 2, 3, 7, 20, 1000])("in pieces of %i bytes", async (size) => {
    expect(text(await inflate(wire, size))).toBe("hello worldhello ");
  });

  it("from a ReadableStream", async () => {
    const stream = streamOf(pieces(wire, 5));

    expect(text(await collect(inflateStream(stream, "gzip")))).toBe("hello worldhello ");
  });

  it("whatever the members and the pieces", async () => {
    await assert(
      asyncProperty(
        array(uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 4 }),
        integer({ min: 1, max: 500 }),
        async (parts, size) => {
          const members = parts.map((part) => compressMember(part, "gzip"));

          expect(await inflate(bytesOf(...members), size)).toEqual(bytesOf(...parts));
        },
      ),
    );
  });

  it("that are large, in small pieces", async () => {
    const raw = randomBytes(5_000_000);
    const random = compressMember(raw, "gzip");
    const large = bytesOf(random, compressMember(new Uint8Array(20_000_000), "gzip"), random);

    let crc = 0;
    let length = 0;
    for await (const piece of inflateStream(pieces(large, 100_000), "gzip")) {
      expect(piece.length).toBeLessThanOrEqual(STREAM_PIECE_BYTES);
      crc = crc32(piece, crc);
      length += piece.length;
    }

    expect(length).toBe(30_000_000);
    expect(crc).toBe(crc32(raw, crc32(new Uint8Array(20_000_000), crc32(raw))));
  });
});

describe("inflateStream() reports corruption of gzip members", () => {
  it.each<readonly [string, Uint8Array]>([
    ["no bytes", bytesOf()],
    ["no gzip", bytesOf("{}")],
    ["a wrong CRC", withByte(HELLO, -8, (byte) => byte ^ 1)],
    ["a wrong length", withByte(HELLO, -1, (byte) => byte ^ 1)],
    ["a broken deflate stream", withByte(HELLO, 10, () => 0xff)],
    ["garbage after a member", bytesOf(HELLO, "x")],
    ["zero padding", bytesOf(HELLO, [0])],
    ["a member after zero padding", bytesOf(HELLO, [0], WORLD)],
    ["a header that never ends", withHeader(HELLO, FLAGS.name, "x".repeat(300_000))],
  ])("%s", async (_name, wire) => {
    for (const size of [1000, 3]) {
      await expect(inflate(wire, size)).rejects.toMatchObject({ kind: "corrupt_object" });
    }
  });

  it("and nothing else on any bytes, whole or after a member", async () => {
    await assert(
      asyncProperty(uint8Array({ maxLength: 60 }), integer({ min: 1, max: 70 }), async (tail, size) => {
        for (const wire of [tail, bytesOf(HELLO, tail), bytesOf(HELLO.subarray(0, 10), tail)]) {
          const outcome = await inflate(wire, size).catch((error: unknown) => error);

          expect(outcome instanceof Uint8Array || (outcome instanceof FirnError && outcome.kind)).toBeOneOf([
            true,
            "corrupt_object",
          ]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("on every truncation, after all that was whole", async () => {
    const wire = bytesOf(HELLO, WORLD);
    for (let length = 1; length < wire.length; length++) {
      if (length === HELLO.length) continue;
      for (const size of [4, 1000]) {
        await expect(inflate(wire.subarray(0, length), size), `${length}`).rejects.toMatchObject({
          kind: "corrupt_object",
        });
      }
    }
  });

  it("on every flipped bit, unless the bytes stay the same", async () => {
    const raw = bytesOf("hello hello hello hello world");
    const wire = member(text(raw));
    let refusedCount = 0;
    for (let bit = 0; bit < wire.length * 8; bit++) {
      const outcome = await inflate(withByte(wire, bit >> 3, (byte) => byte ^ (1 << (bit & 7)))).catch(
        (error: unknown) => error,
      );
      if (outcome instanceof Uint8Array) expect(outcome, `bit ${bit}`).toEqual(raw);
      else expect(outcome, `bit ${bit}`).toMatchObject({ kind: "corrupt_object" });
      if (outcome instanceof FirnError) refusedCount++;
    }

    expect(refusedCount).toBeGreaterThan(wire.length * 4);
  });
});
