import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openBoundedReader } from "../src/bounded-reader.ts";
import { millis } from "../src/units.ts";

const TIMEOUT = millis(1000);
const PIECE = new Uint8Array([1, 2, 3]);

/** A stream that gives what the test pushes. */
function openPushed(): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly cancels: () => number;
} {
  let pushed: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancels = 0;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      pushed = controller;
    },
    cancel: () => {
      cancels++;
    },
  });
  if (pushed === undefined) throw new Error("The stream did not start");
  return { stream, controller: pushed, cancels: () => cancels };
}

describe("openBoundedReader()", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("reads piece by piece to the end, and leaves no timer", async () => {
    const { stream, controller } = openPushed();
    const reader = openBoundedReader(stream, TIMEOUT);

    controller.enqueue(PIECE);
    expect(await reader.read()).toEqual(PIECE);
    expect(vi.getTimerCount()).toBe(1);
    controller.close();
    expect(await reader.read()).toBeNull();
    expect(await reader.read()).toBeNull();

    expect(vi.getTimerCount()).toBe(0);
  });

  it("fails a read that gives nothing, cancels the stream, and goes on failing", async () => {
    const { stream, cancels } = openPushed();
    const reader = openBoundedReader(stream, TIMEOUT);
    const failure = { kind: "store_unavailable", message: expect.stringContaining("1000 ms") };
    const outcome = expect(reader.read()).rejects.toMatchObject(failure);

    await vi.advanceTimersByTimeAsync(1250);

    await outcome;
    await expect(reader.read()).rejects.toMatchObject(failure);
    expect(cancels()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets a stream take any time while pieces come", async () => {
    const { stream, controller } = openPushed();
    const reader = openBoundedReader(stream, TIMEOUT);

    for (let pieces = 0; pieces < 20; pieces++) {
      const asked = reader.read();
      await vi.advanceTimersByTimeAsync(900);
      controller.enqueue(PIECE);
      expect(await asked).toEqual(PIECE);
    }
    await reader.cancel();

    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not count the time in which nobody reads", async () => {
    const { stream, controller } = openPushed();
    const reader = openBoundedReader(stream, TIMEOUT);
    controller.enqueue(PIECE);
    controller.enqueue(PIECE);
    await reader.read();

    await vi.advanceTimersByTimeAsync(60_000);

    expect(await reader.read()).toEqual(PIECE);
    await reader.cancel();
  });

  it("passes on what a stream fails with, and leaves no timer", async () => {
    const { stream, controller } = openPushed();
    const reader = openBoundedReader(stream, TIMEOUT);
    const error = new Error("connection lost");
    const outcome = expect(reader.read()).rejects.toBe(error);

    controller.error(error);

    await outcome;
    await reader.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends a read that waits when it is cancelled", async () => {
    const { stream, cancels } = openPushed();
    const reader = openBoundedReader(stream, TIMEOUT);
    const asked = reader.read();

    await reader.cancel();
    await reader.cancel();

    expect(await asked).toBeNull();
    expect(cancels()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
