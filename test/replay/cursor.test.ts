import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatCursor, parseCursor, type Cursor } from "../../src/replay/cursor.ts";
import { SIGNALS } from "../../src/signal.ts";
import { millis, MINUTE } from "../../src/units.ts";
import { at } from "../reader/archive-sample.ts";

const WINDOW = { start: at("2026-05-01T14:00:00Z"), end: at("2026-05-01T15:00:00Z") };
const ALL = { start: millis(0), end: at("9999-12-31T00:00:00Z") };

test("formatCursor() writes these bytes", () => {
  const position = at("2026-05-01T14:09:00Z");

  expect(formatCursor({ signal: "traces", position, shortOf: null, hasSkipped: false })).toBe("v1.traces.29627409");
  expect(formatCursor({ signal: "logs", position, shortOf: at("2026-05-01T14:02:00Z"), hasSkipped: true })).toBe(
    "v1.logs.29627409.w29627402.u",
  );
  expect(formatCursor({ signal: "metrics", position, shortOf: "unknown", hasSkipped: false })).toBe(
    "v1.metrics.29627409.wu",
  );
});

test("parseCursor() is the inverse of formatCursor()", () => {
  const minute = fc.integer({ min: 0, max: ALL.end / MINUTE - 1 }).map((value) => millis(value * MINUTE));
  const cursor: fc.Arbitrary<Cursor> = fc.record({
    signal: fc.constantFrom(...SIGNALS),
    position: minute,
    shortOf: fc.oneof(fc.constant(null), fc.constant("unknown" as const), minute),
    hasSkipped: fc.boolean(),
  });

  fc.assert(
    fc.property(cursor, (value) => {
      expect(parseCursor(formatCursor(value), { signal: value.signal, window: ALL })).toEqual(value);
    }),
  );
});

test.each([
  ["", 'it is not a "next" of this version'],
  ["x", 'it is not a "next" of this version'],
  ["v2.traces.29627409", 'it is not a "next" of this version'],
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
  expect(() => parseCursor(text, { signal: "traces", window: WINDOW })).toThrow(
    `Cannot parse "cursor": ${found}, expected the "next" of a mark with the same signal, start and end`,
  );
});

test("parseCursor() throws nothing but its own errors on any text", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => parseCursor(text, { signal: "traces", window: WINDOW })).toThrow('Cannot parse "cursor"');
    }),
  );
});
