import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { parseRetryAfter, toWaitMillis } from "../../../cli/back-off.ts";
import { formatCount, formatSize } from "../../../cli/figures.ts";
import { openProgress } from "../../../cli/progress.ts";
import { isMinuteCursor, readCursorPlace } from "../../../cli/replay/minute-cursor.ts";

function openScreen(isTerminal: boolean): {
  readonly world: Parameters<typeof openProgress>[0];
  readonly pass: (millis: number) => void;
  readonly text: () => string;
} {
  let [now, text] = [1_000_000, ""];
  const stderr = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      text += piece.toString();
      done();
    },
  });
  return { world: { stderr, isTerminal, now: () => now }, pass: (millis) => (now += millis), text: () => text };
}

describe("openProgress()", () => {
  test("paints a bar over itself on a terminal, and takes it away", () => {
    const { world, pass, text } = openScreen(true);
    const line = openProgress(world, false);

    line.update(0.5, "1,000 items");
    pass(99);
    line.update(0.6, "too soon");
    line.note("A word");
    line.end();

    expect(text()).toBe("\r\u001b[K[############............]  50 %  1,000 items\r\u001b[KA word\n");
  });

  test("writes a line now and then on a pipe, none when it is quiet", () => {
    const { world, pass, text } = openScreen(false);
    const [line, quiet] = [openProgress(world, false), openProgress(world, true)];

    for (let step = 0; step < 30; step += 1) {
      pass(1_000);
      line.update(null, `${step} items`);
      quiet.update(null, "never");
    }
    quiet.note("but this");

    expect(text()).toBe("9 items\n19 items\n29 items\nbut this\n");
  });
});

describe("toWaitMillis()", () => {
  test("doubles to a minute, half of it chance, and keeps to Retry-After", () => {
    expect([1, 2, 3, 7, 50].map((failures) => toWaitMillis(failures, 0, null, 0))).toEqual([
      500, 1_000, 2_000, 30_000, 30_000,
    ]);
    expect(toWaitMillis(1, 0.5, "9", 0)).toBe(9_000);
    expect(toWaitMillis(5, 0, "1", 0)).toBe(8_000);
  });

  test("reads Retry-After as seconds or a date, up to ten minutes", () => {
    const now = Date.parse("2026-05-01T00:00:00Z");
    const texts = ["2", "Fri, 01 May 2026 00:00:05 GMT", "Fri, 01 May 2020 00:00:05 GMT", "soon", "99999", null];

    expect(texts.map((text) => parseRetryAfter(text, now))).toEqual([2_000, 5_000, 0, 0, 600_000, 0]);
  });
});

describe("isMinuteCursor()", () => {
  test.each([
    ["v1.traces.29627401", true],
    ["v1.logs.29627401.wu.u", true],
    ["v2.all-logs.29627401.w29627500", true],
    ["v2.traces.29627401.g3-0123456789abcdef-1-2-3", false],
    ["v2.traces.29627401.g3-0123456789abcdef-1-2-3.wu.u", false],
    ["v3.traces.29627401", false],
  ])("says of %s: %s", (cursor, isBoundary) => {
    expect(isMinuteCursor(cursor)).toBe(isBoundary);
  });

  test("readCursorPlace() counts the signals of all", () => {
    expect(readCursorPlace("v2.all-logs.2.g1-0-0-0-0")).toEqual({
      minute: 120_000,
      signalShare: 0.5,
      signalWeight: 0.25,
    });
    expect(readCursorPlace("v1.logs.2")).toEqual({ minute: 120_000, signalShare: 0, signalWeight: 1 });
    expect(readCursorPlace("other")).toBe(null);
  });
});

describe("formatSize()", () => {
  test("formats sizes and counts for people", () => {
    expect([0, 1_023, 1_024, 5 * 1024 ** 3].map(formatSize)).toEqual(["0 B", "1023 B", "1.0 KiB", "5.0 GiB"]);
    expect([0, 999, 1_000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
  });
});
