import { array, asyncProperty, assert, constantFrom, integer, oneof, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { inflateGzipBody } from "../../src/compression/request-gzip.ts";
import { inflateZstdBody } from "../../src/compression/request-zstd.ts";
import { openStreamCoder, type StreamCoder, type StreamCoding } from "../../src/compression/stream-coder.ts";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { openZstdWalk, parseZstdHeader, walkZstdBlocks } from "../../src/compression/zstd-frame.ts";
import { STREAM_PIECE_BYTES } from "../../src/limits.ts";
import { bytesOf, randomBytes } from "./gzip-bytes.ts";
import { collect, pieces } from "./pieces.ts";
import { makeText } from "./zstd-bytes.ts";

const CODINGS = ["gzip", "zstd"] as const;

function open(coding: StreamCoding): StreamCoder {
  const coder = openStreamCoder(coding);
  if (coder === null) throw new Error(`this runtime has no engine for ${coding}`);
  return coder;
}

function code(coding: StreamCoding, parts: readonly Uint8Array[]): Uint8Array {
  const coder = open(coding);
  const coded = [...parts.map((part) => coder.write(part)), coder.end()];
  coder.close();
  return bytesOf(...coded);
}

const isSame = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index]);
/** Refuses more than one member of gzip, and whatever stands behind it; frames of zstd it takes any number of. */
const undo = (coding: StreamCoding, coded: Uint8Array): Uint8Array =>
  (coding === "gzip" ? inflateGzipBody : inflateZstdBody)(coded, 2 ** 24).body;

const part = record({
  kind: constantFrom("text", "random"),
  length: oneof(integer({ min: 0, max: 300 }), constantFrom(STREAM_PIECE_BYTES, 40_960, 100_000, 200_001)),
}).map(({ kind, length }) =>
  length === 0 ? new Uint8Array(0) : kind === "text" ? makeText(length) : randomBytes(length),
);

describe.each(CODINGS)("openStreamCoder() of %s", (coding) => {
  it("gives back what was written in whatever pieces", async () => {
    await assert(
      asyncProperty(array(part, { maxLength: 5 }), async (parts) => {
        const whole = bytesOf(...parts);

        const coded = code(coding, parts);

        expect(isSame(await collect(inflateStream(pieces(coded, 5000), coding)), whole)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("is one member or frame, of which nothing is whole before its end", () => {
    const parts = [makeText(10_000), randomBytes(70_000), makeText(5)];

    const coded = code(coding, parts);

    expect(isSame(undo(coding, coded), bytesOf(...parts))).toBe(true);
    for (const cut of [1, 4, 8, 9, 100, coded.length - 20]) {
      expect(() => undo(coding, coded.subarray(0, coded.length - cut)).length).toThrow();
    }
  });

  it("gives at once all that was written", async () => {
    const coder = open(coding);
    const written: Uint8Array[] = [];
    const coded: Uint8Array[] = [];
    for (const next of [makeText(100), randomBytes(STREAM_PIECE_BYTES), makeText(3)]) {
      written.push(next);
      coded.push(coder.write(next));

      const found: Uint8Array[] = [];
      const reading = inflateStream(pieces(bytesOf(...coded), 1000), coding);
      await expect(
        (async () => {
          for await (const piece of reading) found.push(piece.slice());
        })(),
      ).rejects.toThrow();

      if (coding === "gzip") expect(isSame(bytesOf(...found), bytesOf(...written))).toBe(true);
    }
    coder.close();
  });

  it("begins anew after a stream that was given up in its middle", () => {
    const text = makeText(50_000);
    for (let round = 0; round < 4; round++) {
      const left = open(coding);
      left.write(randomBytes(30_000));
      left.close();
      left.close();

      expect(isSame(undo(coding, code(coding, [text])), text)).toBe(true);
    }
  });

  it("keeps streams that are written at the same time apart", () => {
    const texts = [makeText(3000), randomBytes(3000), makeText(9)];
    const coders = texts.map(() => open(coding));
    const coded = coders.map((coder, index) => [coder.write(texts[index] ?? new Uint8Array(0))]);
    for (const [index, coder] of coders.entries()) coded[index]?.push(coder.end());
    for (const coder of coders) coder.close();

    for (const [index, each] of coded.entries()) {
      expect(isSame(undo(coding, bytesOf(...each)), texts[index] ?? new Uint8Array(0))).toBe(true);
    }
  });
});

it("openStreamCoder() of zstd makes one frame, however much it is given", () => {
  const coded = code("zstd", [makeText(500_000), randomBytes(500_000)]);

  const header = parseZstdHeader(coded, 0);
  if (header.kind !== "frame") throw new Error(header.kind);
  expect(walkZstdBlocks(openZstdWalk(header), coded, 0)).toBe(coded.length);
});
