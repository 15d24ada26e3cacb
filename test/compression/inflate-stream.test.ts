import { beforeAll, describe, expect, it } from "vitest";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { compressMember } from "../../src/compression/member.ts";
import { STREAM_PIECE_BYTES } from "../../src/limits.ts";
import { bytesOf, member, randomBytes, streamOf } from "./gzip-bytes.ts";
import { collect, pieces } from "./pieces.ts";
import { frame, rleBomb, zstd } from "./zstd-bytes.ts";

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

describe.each(["gzip", "zstd"] as const)("inflateStream() of %s and its source", (compression) => {
  const hello = compression === "gzip" ? member("hello ") : frame("hello ");
  /** One large member, and many small ones. */
  let objects: readonly Uint8Array[] = [];
  beforeAll(async () => {
    const raw = randomBytes(10_000_000);
    const large = compression === "gzip" ? compressMember(raw, "gzip") : await zstd(raw);
    const small = Array.from({ length: 100 }, () => compressMember(raw.subarray(0, 30_000), compression));
    objects = [large, bytesOf(...small)];
  });

  it("reads no further than the consumer asks", async () => {
    for (const object of objects) {
      const source = pieces(object, 65_536);
      const iterator = inflateStream(source, compression)[Symbol.asyncIterator]();

      await iterator.next();
      await scheduler.wait(20);
      const readCount = source.state.readCount;
      await iterator.return(undefined);

      // A frame of unknown length is taken for a small one up to 1 MiB.
      expect(readCount).toBeLessThanOrEqual(compression === "gzip" ? 8 : 18);
      expect(source.state.isClosed).toBe(true);
    }
  });

  it("holds little of a member that inflates a thousandfold and more", async () => {
    const bomb = compression === "gzip" ? compressMember(new Uint8Array(100_000_000), "gzip") : rleBomb(100_000);
    const source = pieces(bomb, 16_384);
    let length = 0;

    for await (const piece of inflateStream(source, compression)) {
      expect(piece.length).toBeLessThanOrEqual(STREAM_PIECE_BYTES);
      length += piece.length;
      if (length > 1_000_000) break;
    }

    expect(source.state.readCount).toBeLessThanOrEqual(6);
  });

  it("closes it when the consumer stops in the middle or before the start", async () => {
    for (const object of objects) {
      for (const way of [compression, "none"] as const) {
        const source = pieces(object, 65_536);
        for await (const piece of inflateStream(source, way)) {
          expect(piece.length).toBeGreaterThan(0);
          break;
        }

        expect(source.state.isClosed).toBe(true);
      }
    }
  });

  it("cancels a stream that has stalled", async () => {
    let isCancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(objects[0]?.subarray(0, 2_000_000)),
      cancel: () => {
        isCancelled = true;
      },
    });
    const iterator = inflateStream(stream, compression)[Symbol.asyncIterator]();

    await iterator.next();
    await iterator.return(undefined);

    expect(isCancelled).toBe(true);
  });

  it("throws what the source throws, wherever it is", async () => {
    const places = [bytesOf(), hello.subarray(0, 5), hello.subarray(0, -2), hello, objects[0]?.subarray(0, 3_000_000)];
    for (const place of places) {
      const failure = new Error("connection lost");
      async function* failing(): AsyncGenerator<Uint8Array> {
        if (place !== undefined) yield place;
        throw failure;
      }

      await expect(collect(inflateStream(failing(), compression))).rejects.toBe(failure);
      await expect(collect(inflateStream(streamOf(failing()), compression))).rejects.toBe(failure);
    }
  });
});
