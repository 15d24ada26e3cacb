import { describe, expect, it } from "vitest";
import { openPieceReader } from "../src/bytes.ts";

const PIECE_BYTES = 8;

/** A stream of bytes as the platform makes them, filled by somebody who writes such pieces. */
function openWritten(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  void (async () => {
    for (const piece of pieces) await writer.write(piece);
    await writer.close();
  })();
  return readable;
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<readonly Uint8Array[]> {
  const reader = openPieceReader(stream, PIECE_BYTES);
  const pieces: Uint8Array[] = [];
  for (let piece = await reader.read(); piece !== null; piece = await reader.read()) pieces.push(piece);
  return pieces;
}

describe("openPieceReader()", () => {
  it("cuts a byte stream into pieces of at most so many bytes", async () => {
    const bytes = Uint8Array.from({ length: 20 }, (_, index) => index);

    const pieces = await readAll(openWritten([bytes]));

    expect(pieces.map(({ length }) => length)).toEqual([8, 8, 4]);
    expect(pieces.flatMap((piece) => [...piece])).toEqual([...bytes]);
  });

  it("gives small pieces memory of their own, which later ones leave alone", async () => {
    const small = [new Uint8Array([1, 2]), new Uint8Array([3]), new Uint8Array([4, 5, 6])];

    const pieces = await readAll(openWritten(small));

    expect(pieces).toEqual(small);
    expect(pieces.map(({ buffer }) => buffer.byteLength)).toEqual([2, 1, 3]);
  });

  it("passes the pieces of a stream that is none of bytes", async () => {
    const pieces = [new Uint8Array(20), new Uint8Array(1)];
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });

    expect(await readAll(stream)).toEqual(pieces);
  });

  it("fails as the stream fails", async () => {
    const stream = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("gone")) });

    await expect(openPieceReader(stream, PIECE_BYTES).read()).rejects.toThrow("gone");
  });
});
