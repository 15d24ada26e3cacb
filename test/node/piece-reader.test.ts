/** Streams of bytes as the standard has them: the last read may give bytes and say that it is done. */
import { describe, expect, it } from "vitest";
import { openPieceReader } from "../../src/piece-reader.ts";

const MIN_BYTES = 500_000;

/** @param roomBytes - of each room that is lent; none if absent */
async function read(
  stream: ReadableStream<Uint8Array>,
  expectedBytes: number,
  roomBytes: number | null = null,
): Promise<number> {
  const reader = openPieceReader(stream, { kind: "passing", expectedBytes, minBytes: MIN_BYTES });
  const next = (): Promise<Uint8Array | null> =>
    reader.read(roomBytes === null ? undefined : new Uint8Array(roomBytes));
  let length = 0;
  for (let piece = await next(); piece !== null; piece = await next()) length += piece.length;
  expect(await reader.read()).toBeNull();
  await reader.cancel();
  return length;
}

function openBytes(length: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    type: "bytes",
    pull: (controller) => {
      const taken = Math.min(16_384, length - at);
      if (taken > 0) controller.enqueue(new Uint8Array(taken));
      at += taken;
      if (at < length) return;
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

describe("openPieceReader()", () => {
  it.each([1, 16_384, MIN_BYTES - 1, MIN_BYTES, MIN_BYTES + 1, 1_500_000])(
    "gives the last of %i bytes, too, though it is less than what a read waits for",
    async (length) => {
      for (const expectedBytes of [length, length + 1000]) {
        expect(await read(openBytes(length), expectedBytes)).toBe(length);
        expect(await read(openBytes(length), expectedBytes, 700_000)).toBe(length);
        expect(await read(new Blob([new Uint8Array(length)]).stream(), expectedBytes)).toBe(length);
      }
    },
  );
});
