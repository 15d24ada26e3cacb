import { describe, expect, it } from "vitest";
import { discard, readText } from "../../../src/object-store/http/answer-body.ts";
import { readRetryAfter, readServerTime } from "../../../src/object-store/http/answer-headers.ts";
import { bytes, millis } from "../../../src/units.ts";

const FAILURE = "Cannot list";
const NOW = Date.parse("2026-11-30T12:00:00Z");

function streamOf(steps: readonly (Uint8Array | Error)[]): {
  stream: ReadableStream<Uint8Array>;
  isCancelled: boolean;
} {
  const left = [...steps];
  const state = {
    isCancelled: false,
    stream: new ReadableStream<Uint8Array>({
      pull(controller) {
        const step = left.shift();
        if (step === undefined) controller.close();
        else if (step instanceof Error) controller.error(step);
        else controller.enqueue(step);
      },
      cancel() {
        state.isCancelled = true;
      },
    }),
  };
  return state;
}

describe("readText()", () => {
  it("joins pieces that cut a character", async () => {
    const [first, second] = [Uint8Array.of(0x61, 0xc3), Uint8Array.of(0xa9)];

    expect(await readText(new Response(streamOf([first, second]).stream), bytes(3), FAILURE)).toBe("aé");
  });

  it("reads no body as nothing", async () => {
    expect(await readText(new Response(null), bytes(3), FAILURE)).toBe("");
  });

  it("gives up a body that is longer than the bound", async () => {
    const body = streamOf([new Uint8Array(3), new Uint8Array(1), new Uint8Array(1)]);

    expect(await readText(new Response(body.stream), bytes(3), FAILURE)).toBeNull();
    expect(body.isCancelled).toBe(true);
  });

  it("makes a broken connection store_unavailable", async () => {
    const body = streamOf([new Uint8Array(1), new Error("reset")]);

    await expect(readText(new Response(body.stream), bytes(3), FAILURE)).rejects.toMatchObject({
      kind: "store_unavailable",
      message: "Cannot list: the connection broke in the middle of the answer",
    });
  });

  it("gives up a body that does not end, however it trickles", async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await scheduler.wait(5);
        controller.enqueue(new Uint8Array(1));
      },
      cancel() {
        isCancelled = true;
      },
    });

    await expect(readText(new Response(body), bytes(1_000), FAILURE, millis(40))).rejects.toMatchObject({
      kind: "store_unavailable",
      message: "Cannot list: the answer did not end within 40 ms",
    });
    expect(isCancelled).toBe(true);
  });
});

describe("discard()", () => {
  it("cancels the body", async () => {
    const body = streamOf([new Uint8Array(1), new Uint8Array(1)]);

    await discard(new Response(body.stream));

    expect(body.isCancelled).toBe(true);
  });
});

describe("readRetryAfter()", () => {
  it.each([
    ["3", 3],
    [" 0 ", 0],
    ["Mon, 30 Nov 2026 12:00:10 GMT", 10],
    ["Mon, 30 Nov 2026 11:00:00 GMT", 0],
    ["soon", undefined],
    ["-1", undefined],
    ["1.5", undefined],
  ])("reads %j as %s", (value, expected) => {
    expect(readRetryAfter(new Headers({ "retry-after": value }), NOW)).toBe(expected);
  });

  it("finds nothing where there is nothing", () => {
    expect(readRetryAfter(new Headers(), NOW)).toBeUndefined();
  });
});

describe("readServerTime()", () => {
  it("reads the date of an answer and nothing else", () => {
    expect(readServerTime(new Headers({ date: "Mon, 30 Nov 2026 12:00:00 GMT" }))).toBe(NOW);
    expect(readServerTime(new Headers({ date: "2026" }))).toBeNull();
    expect(readServerTime(new Headers())).toBeNull();
  });
});
