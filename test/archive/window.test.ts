import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseEventWindow, parseWindow } from "../../src/archive/window.ts";

const END = "9999-12-31";
const startOf = (text: string): number => parseWindow(text, END).start;

test.each([
  ["2026-05-01T14:00:00Z", "2026-05-01T14:00:00.000Z"],
  ["2026-05-01t14:00:00z", "2026-05-01T14:00:00.000Z"],
  ["2026-05-01T14:00:00+02:00", "2026-05-01T12:00:00.000Z"],
  ["2026-05-01T23:30:00-03:30", "2026-05-02T03:00:00.000Z"],
  ["2026-05-01T14:00:00.25Z", "2026-05-01T14:00:00.250Z"],
  ["2026-05-01T14:00:00.000000001Z", "2026-05-01T14:00:00.001Z"],
  ["2026-05-01T14:00:00.999999999Z", "2026-05-01T14:00:01.000Z"],
  ["2026-05-01 14:00", "2026-05-01T14:00:00.000Z"],
  ["2026-05-01T14:00", "2026-05-01T14:00:00.000Z"],
  ["2026-05-01 14:00:30", "2026-05-01T14:00:30.000Z"],
  ["2026-05-01", "2026-05-01T00:00:00.000Z"],
  ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ["1970-01-01", "1970-01-01T00:00:00.000Z"],
])("parseWindow() reads %s", (text, expected) => {
  expect(new Date(startOf(text)).toISOString()).toBe(expected);
});

test.each([
  "",
  "now",
  "1746108000",
  "2026",
  "2026-02-30",
  "2025-02-29",
  "2026-13-01",
  "2026-00-10",
  "2026-04-31T10:00:00Z",
  "2026-05-01T24:00:00Z",
  "2026-05-01T14:60:00Z",
  "2026-05-01T14:00:60Z",
  "2026-05-01T14",
  "2026-05-01T14:00:00 02:00",
  "2026-05-01T14:00:00+24:00",
  "2026-05-01T14:00:00+0200",
  "2026-05-01T14:00:00.Z",
  "2026-05-01Z",
  " 2026-05-01",
  "2026-5-1",
  "1969-12-31",
  "0000-01-01",
  "1970-01-01T00:00:00+01:00",
  "10000-01-01",
  "9999-12-31T23:59:59-01:00",
  "２０２６-05-01",
])("parseWindow() rejects %j and says what it takes", (text) => {
  expect(() => startOf(text)).toThrow(
    `Cannot parse "start": found "${text}", expected RFC 3339 such as "2026-05-01T14:00:00Z" (in a URL write "+" as ` +
      '"%2B"), "2026-05-01 14:00" or "2026-05-01", both in UTC, in the years 1970 to 9999',
  );
});

test("parseWindow() names a parameter that is missing", () => {
  expect(() => parseWindow(null, "2026-05-01")).toThrow('Cannot read a window without "start": expected RFC 3339');
  expect(() => parseWindow("2026-05-01", null)).toThrow('Cannot read a window without "end": expected RFC 3339');
  expect(() => parseWindow("2026-05-01", "x")).toThrow('Cannot parse "end": found "x"');
});

test.each([["2026-05-01"], ["2026-04-30"]])("parseWindow() rejects an end that is not after the start", (end) => {
  expect(() => parseWindow("2026-05-01", end)).toThrow(
    `Cannot read the window: end "${end}" is not after start "2026-05-01", expected a later end`,
  );
});

test("parseWindow() reads back any instant that toISOString() writes", () => {
  const instant = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true });

  fc.assert(
    fc.property(
      instant,
      (date) => parseWindow(date.toISOString(), "9999-12-31T23:59:59.9999Z").start === date.getTime(),
    ),
  );
});

test("parseWindow() throws nothing but its own errors on any text", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (start, end) => {
      try {
        parseWindow(start, end);
      } catch (error) {
        expect(error).toMatchObject({ kind: "invalid_request" });
      }
    }),
  );
});

test("parseEventWindow() keeps nanoseconds and rounds up what is finer", () => {
  const start = "2026-05-01T14:00:00.123456789Z";
  const end = "2026-05-01T14:00:00.1234567891Z";
  const nanos = BigInt(Date.UTC(2026, 4, 1, 14)) * 1_000_000n + 123_456_789n;

  expect(parseEventWindow(start, end)).toEqual({
    startUnixNano: nanos,
    endUnixNano: nanos + 1n,
    window: { start: Date.UTC(2026, 4, 1, 14, 0, 0, 123), end: Date.UTC(2026, 4, 1, 14, 0, 0, 124) },
  });
});

test.each([
  ["2026-05-01", "2026-05-01", 'Cannot read the window: end "2026-05-01" is not after start "2026-05-01"'],
  ["2026-05-01T00:00:00.0000000001Z", "2026-05-01T00:00:00.000000001Z", "is not after start"],
  ["x", "2026-05-01", 'Cannot parse "start": found "x"'],
  ["2026-05-01", null, 'Cannot read a window without "end"'],
])("parseEventWindow() refuses %s to %s", (start, end, message) => {
  expect(() => parseEventWindow(start, end)).toThrow(message);
});
