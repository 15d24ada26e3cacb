import { describe, expect, it } from "vitest";
import { PASSING_PIECE_BYTES, STREAM_PIECE_BYTES } from "../src/limits.ts";
import { openPieceReader, type PieceKind } from "../src/piece-reader.ts";

const LENGTH = 3 * PASSING_PIECE_BYTES + 1;

/** A stream of bytes of the runtime, in the pieces that it likes. */
function openBytes(): ReadableStream<Uint8Array> {
  const body = new Response(Uint8Array.from({ length: LENGTH }, (_, at) => at % 251)).body;
  if (body === null) throw new Error("The response has no body");
  return body;
}

/** A stream of values, which serves no reader that brings its buffer. */
function openValues(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(Uint8Array.of(1, 2));
      controller.enqueue(Uint8Array.of(3));
      controller.close();
    },
  });
}

/** A stream of bytes that somebody writes in such pieces. */
function openWritten(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  void (async () => {
    for (const piece of pieces) await writer.write(piece);
    await writer.close();
  })();
  return readable;
}

async function readAll(stream: ReadableStream<Uint8Array>, kind: PieceKind): Promise<readonly Uint8Array[]> {
  const reader = openPieceReader(stream, { kind });
  const pieces: Uint8Array[] = [];
  for (let piece = await reader.read(); piece !== null; piece = await reader.read()) pieces.push(piece);
  return pieces;
}

describe("openPieceReader()", () => {
  it("gives kept pieces that stay as they are", async () => {
    const pieces = await readAll(openBytes(), "kept");

    const bytes = pieces.flatMap((piece) => [...piece]);
    expect(bytes.length).toBe(LENGTH);
    expect(bytes.every((byte, at) => byte === at % 251)).toBe(true);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(STREAM_PIECE_BYTES);
  });

  it("gives small kept pieces memory of their own, which later ones leave alone", async () => {
    const small = [Uint8Array.of(1, 2), Uint8Array.of(3), Uint8Array.of(4, 5, 6)];

    const pieces = await readAll(openWritten(small), "kept");

    expect(pieces).toEqual(small);
    expect(pieces.map(({ buffer }) => buffer.byteLength)).toEqual([2, 1, 3]);
  });

  it("gives passing pieces that are right until the next is asked for", async () => {
    const reader = openPieceReader(openBytes(), { kind: "passing" });
    let length = 0;
    let isRight = true;
    for (let piece = await reader.read(); piece !== null; piece = await reader.read()) {
      const start = length;
      isRight &&= piece.every((byte, at) => byte === (start + at) % 251);
      length += piece.length;
    }

    expect([length, isRight]).toEqual([LENGTH, true]);
  });

  it.each(["kept", "passing"] as const)("gives the values of a stream without bytes as they came, %s", async (kind) => {
    expect(await readAll(openValues(), kind)).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3)]);
  });

  it("cancels the stream", async () => {
    const stream = openBytes();
    const reader = openPieceReader(stream, { kind: "passing" });
    await reader.read();

    await reader.cancel();

    expect(await reader.read()).toBeNull();
  });
});
