import { array, assert, asyncProperty, integer, uint8Array } from "fast-check";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compressGzip } from "../../src/compression/gzip-member.ts";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { FirnError } from "../../src/errors.ts";
import { STREAM_PIECE_BYTES } from "../../src/limits.ts";
import { bytesOf, FLAGS, member, randomBytes, streamOf, text, withByte, withHeader } from "./gzip-bytes.ts";

const HELLO = member("hello ");
const WORLD = member("world");

interface Pieces extends AsyncIterable<Uint8Array> {
  readonly state: { readCount: number; isClosed: boolean };
}

/** Yields bytes in pieces of a size, and counts what was read. */
function pieces(bytes: Uint8Array, size: number): Pieces {
  const state = { readCount: 0, isClosed: false };
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < bytes.length; at += size) {
        state.readCount++;
        yield bytes.subarray(at, at + size);
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, [Symbol.asyncIterator]: read };
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of source) all.push(piece);
  return bytesOf(...all);
}

const inflate = (bytes: Uint8Array, size = 65_536): Promise<Uint8Array> =>
  collect(inflateStream(pieces(bytes, size), "gzip"));

describe("inflateStream() reads members", () => {
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
          expect(await inflate(bytesOf(...parts.map(compressGzip)), size)).toEqual(bytesOf(...parts));
        },
      ),
    );
  });

  it("that are large, in small pieces", async () => {
    const raw = randomBytes(5_000_000);
    const large = bytesOf(compressGzip(raw), compressGzip(new Uint8Array(20_000_000)), compressGzip(raw));

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

describe("inflateStream() passes uncompressed bytes", () => {
  it("in pieces that are not larger than others", async () => {
    const raw = randomBytes(300_000);
    const sizes: number[] = [];

    for await (const piece of inflateStream(pieces(raw, 200_000), "none")) sizes.push(piece.length);

    expect(Math.max(...sizes)).toBeLessThanOrEqual(STREAM_PIECE_BYTES);
    expect(await collect(inflateStream(pieces(raw, 200_000), "none"))).toEqual(raw);
  });

  it("and nothing when there is nothing", async () => {
    expect(await collect(inflateStream(pieces(bytesOf(), 1), "none"))).toEqual(bytesOf());
  });
});

describe("inflateStream() reports corruption", () => {
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
});

describe("inflateStream() and its source", () => {
  const big = compressGzip(randomBytes(10_000_000));

  it("reads no further than the consumer asks", async () => {
    const source = pieces(big, 65_536);
    const iterator = inflateStream(source, "gzip")[Symbol.asyncIterator]();

    await iterator.next();
    await scheduler.wait(20);
    const readCount = source.state.readCount;
    await iterator.return(undefined);

    expect(readCount).toBeLessThanOrEqual(8);
    expect(source.state.isClosed).toBe(true);
  });

  it("holds little of a member that inflates a thousandfold", async () => {
    const source = pieces(compressGzip(new Uint8Array(100_000_000)), 16_384);
    let length = 0;

    for await (const piece of inflateStream(source, "gzip")) {
      length += piece.length;
      if (length > 1_000_000) break;
    }

    expect(source.state.readCount).toBeLessThanOrEqual(6);
  });

  it("closes it when the consumer stops in the middle or before the start", async () => {
    for (const compression of ["gzip", "none"] as const) {
      const source = pieces(big, 65_536);
      for await (const piece of inflateStream(source, compression)) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }

      expect(source.state.isClosed).toBe(true);
    }
  });

  it("cancels a stream that has stalled", async () => {
    let isCancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(big.subarray(0, 200_000)),
      cancel: () => {
        isCancelled = true;
      },
    });
    const iterator = inflateStream(stream, "gzip")[Symbol.asyncIterator]();

    await iterator.next();
    await iterator.return(undefined);

    expect(isCancelled).toBe(true);
  });

  it("throws what the source throws, in a header, in a member and between members", async () => {
    for (const at of [5, 15, HELLO.length]) {
      const failure = new Error("connection lost");
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield HELLO.subarray(0, at);
        throw failure;
      }

      await expect(collect(inflateStream(failing(), "gzip"))).rejects.toBe(failure);
      await expect(collect(inflateStream(streamOf(failing()), "gzip"))).rejects.toBe(failure);
    }
  });
});
