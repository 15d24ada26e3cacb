import { constants, createInflateRaw } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openEnginePool, type EngineKind } from "../../src/compression/sync-engine.ts";
import { bytesOf, text } from "./gzip-bytes.ts";

/** "firn" in one stored block. */
const STREAM = Uint8Array.of(1, 4, 0, 0xfb, 0xff, 0x66, 0x69, 0x72, 0x6e);
const KIND: EngineKind = {
  open: (chunkSize) => createInflateRaw({ chunkSize }),
  outputBytes: 1024,
  maxIdle: 1,
  isSound: () => true,
};

describe("openEnginePool()", () => {
  it("gives an engine again when it was given back, and another one otherwise", () => {
    const pool = openEnginePool(KIND);
    const first = pool.take();
    const second = pool.take();
    if (first === null || second === null) throw new Error("Cannot test: there is no engine");

    pool.give(first);
    pool.give(second);

    expect(first).not.toBe(second);
    expect(pool.take()).toBe(first);
    expect(pool.take()).not.toBe(second);
  });

  it.each([
    ["what is no engine", { open: () => ({}) }],
    ["nothing", { open: () => null }],
    [
      "an engine without memory of its own",
      { open: () => ({ _handle: {}, _processChunk: () => null, _outOffset: 0 }) },
    ],
    ["an engine that does not do what it should", { isSound: () => false }],
    [
      "a runtime that fails",
      {
        open: () => {
          throw new Error("no such call");
        },
      },
    ],
  ])("has no engine of %s", (_what, change) => {
    expect(openEnginePool({ ...KIND, ...change }).take()).toBeNull();
  });

  it("drops an engine that failed", () => {
    const pool = openEnginePool(KIND);
    const engine = pool.take();
    if (engine === null) throw new Error("Cannot test: there is no engine");

    expect(() => engine.run(bytesOf("no deflate"), constants.Z_SYNC_FLUSH)).toThrow();
    pool.give(engine);

    expect(engine.isBroken).toBe(true);
    expect(pool.take()).not.toBe(engine);
  });
});

describe("SyncEngine.run()", () => {
  it("writes into its own memory, behind what is there, and says where the stream ended", () => {
    const engine = openEnginePool(KIND).take();
    if (engine === null) throw new Error("Cannot test: there is no engine");

    const first = engine.run(bytesOf(STREAM, "rest"), constants.Z_SYNC_FLUSH);
    expect(engine.consumedBytes).toBe(STREAM.length);
    engine.reset();
    const second = engine.run(STREAM, constants.Z_SYNC_FLUSH, first.length);

    expect(second.buffer).toBe(engine.memory.buffer);
    expect(text(engine.memory.subarray(0, 8))).toBe("firnfirn");
  });

  it("runs ten thousand times without a warning about listeners", () => {
    const engine = openEnginePool(KIND).take();
    if (engine === null) throw new Error("Cannot test: there is no engine");

    let length = 0;
    for (let count = 0; count < 10_000; count += 1) {
      engine.reset();
      length += engine.run(STREAM, constants.Z_SYNC_FLUSH).length;
    }

    expect(length).toBe(40_000);
  });
});
