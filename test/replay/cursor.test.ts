import * as fc from "fast-check";
import { expect, test } from "vitest";
import { REPLAY_MARK_MAX_BYTES } from "../../src/limits.ts";
import { formatCursor, parseCursor, type Cursor, type Position } from "../../src/replay/cursor.ts";
import { SIGNALS } from "../../src/signal.ts";
import { millis, MINUTE } from "../../src/units.ts";
import { at } from "../reader/archive-sample.ts";

const WINDOW = { start: at("2026-05-01T14:00:00Z"), end: at("2026-05-01T15:00:00Z") };
const ALL = { start: millis(0), end: at("9999-12-31T00:00:00Z") };

const cursorOf = (position: Partial<Position>, rest: Partial<Cursor> = {}): Cursor => ({
  position: { signal: "traces", minute: at("2026-05-01T14:09:00Z"), place: null, items: 0, ...position },
  isOfAll: false,
  shortOf: null,
  hasSkipped: false,
  ...rest,
});
const PLACE = { generation: 3, part: "00c0ffee00c0ffee", runs: 1, fields: 20 };

test("formatCursor() writes these bytes", () => {
  expect(formatCursor(cursorOf({}))).toBe("v1.traces.29627409");
  expect(formatCursor(cursorOf({ signal: "logs" }, { shortOf: at("2026-05-01T14:02:00Z"), hasSkipped: true }))).toBe(
    "v1.logs.29627409.w29627402.u",
  );
  expect(formatCursor(cursorOf({ signal: "metrics" }, { shortOf: "unknown" }))).toBe("v1.metrics.29627409.wu");
  expect(formatCursor(cursorOf({}, { isOfAll: true }))).toBe("v2.all-traces.29627409");
  expect(formatCursor(cursorOf({ place: PLACE, items: 120 }, { hasSkipped: true }))).toBe(
    "v2.traces.29627409.g3-00c0ffee00c0ffee-1-20-120.u",
  );
});

test("formatCursor() stays below what an answer keeps free for its mark", () => {
  const most = 9_999_999_999;
  const minute = millis(most * MINUTE);
  const place = { generation: most, part: "f".repeat(16), runs: most, fields: most };
  const cursor = cursorOf({ signal: "profiles", minute, place, items: most }, { isOfAll: true, shortOf: minute });

  expect(formatCursor({ ...cursor, hasSkipped: true }).length).toBeLessThan(REPLAY_MARK_MAX_BYTES / 4);
});

test("parseCursor() is the inverse of formatCursor()", () => {
  const minute = fc.integer({ min: 0, max: ALL.end / MINUTE - 1 }).map((value) => millis(value * MINUTE));
  const count = fc.integer({ min: 0, max: 9_999_999_999 });
  const part = fc.integer({ min: 0 }).map((value) => value.toString(16).padStart(16, "0"));
  const inside = fc.record({
    place: fc.record({ generation: count, part, runs: count, fields: count }),
    items: count,
  });
  const cursor: fc.Arbitrary<Cursor> = fc.record({
    position: fc
      .tuple(fc.constantFrom(...SIGNALS), minute, fc.oneof(fc.constant({ place: null, items: 0 }), inside))
      .map(([signal, first, rest]) => ({ signal, minute: first, ...rest })),
    isOfAll: fc.boolean(),
    shortOf: fc.oneof(fc.constant(null), fc.constant("unknown" as const), minute),
    hasSkipped: fc.boolean(),
  });

  fc.assert(
    fc.property(cursor, (value) => {
      const signal = value.isOfAll ? "all" : value.position.signal;
      expect(parseCursor(formatCursor(value), { signal, signals: SIGNALS, window: ALL })).toEqual(value);
    }),
  );
});

test.each([
  ["", 'it is not a "next" of this version'],
  ["x", 'it is not a "next" of this version'],
  ["v3.traces.29627409", 'it is not a "next" of this version'],
  ["v1.all-traces.29627409", 'it is not a "next" of this version'],
  ["v1.traces.29627409.g0-00c0ffee00c0ffee-0-1-1", 'it is not a "next" of this version'],
  ["v2.traces.29627409.g0-00c0ffee-0-1-1", 'it is not a "next" of this version'],
  ["v2.all-traces.29627409", 'it is of the signal "all", but signal is "traces"'],
  ["v1.all.29627409", 'it is not a "next" of this version'],
  ["v1.profiles.29627409", 'it is of the signal "profiles", but signal is "traces"'],
  ["v1.traces.029627409", 'it is not a "next" of this version'],
  ["v1.traces.29627409.7", 'it is not a "next" of this version'],
  ["v1.traces.-1", 'it is not a "next" of this version'],
  ["v1.traces.29627409\n", 'it is not a "next" of this version'],
  ["v1.logs.29627409", 'it is of the signal "logs", but signal is "traces"'],
  ["v1.traces.29627399", "it lies outside of the window"],
  ["v1.traces.29627460", "it lies outside of the window"],
])("parseCursor() rejects %j: %s", (text, found) => {
  expect(() => parseCursor(text, { signal: "traces", signals: ["traces"], window: WINDOW })).toThrow(
    `Cannot parse "cursor": ${found}, expected the "next" of a mark with the same signal, start, end and filters`,
  );
});

test("parseCursor() throws nothing but its own errors on any text", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => parseCursor(text, { signal: "traces", signals: ["traces"], window: WINDOW })).toThrow(
        'Cannot parse "cursor"',
      );
    }),
  );
});
