import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hourListPrefix } from "../../src/archive/key.ts";
import { commonPrefix, hourAtOrAfterKey, hoursOf } from "../../src/reader/hours.ts";
import { compareKeys } from "../../src/reader/key-order.ts";
import { HOUR, millis, type Millis } from "../../src/units.ts";
import { at, layoutOf } from "./archive-sample.ts";

const FORMATS = [
  "year=%Y/month=%m/day=%d/hour=%H/minute=%M",
  "%Y/%m/%d/%H",
  "%Y%m%d%H%M",
  "%y/%j/%H",
  "y%Y-%m-%d/h%H-x/%M",
];

test("hoursOf() rounds the window outwards to whole hours", () => {
  const hours = hoursOf(layoutOf(), at("2026-05-01T14:50:00Z"), at("2026-05-01T15:10:00Z"));

  expect(hours).toEqual({ first: at("2026-05-01T14:00:00Z"), end: at("2026-05-01T16:00:00Z") });
});

test("hoursOf() leaves an aligned end alone", () => {
  const hours = hoursOf(layoutOf(), at("2026-05-01T14:00:00Z"), at("2026-05-01T15:00:00Z"));

  expect(hours.end).toBe(at("2026-05-01T15:00:00Z"));
});

test("hoursOf() stays within the hundred years that %y can name", () => {
  const hours = hoursOf(layoutOf({ format: "%y/%m/%d/%H" }), at("1970-01-01T00:00:00Z"), at("2150-01-01T00:00:00Z"));

  expect(hours).toEqual({ first: at("2000-01-01T00:00:00Z"), end: at("2100-01-01T00:00:00Z") });
});

test("commonPrefix() is a prefix of every hour's prefix", () => {
  const layout = layoutOf();
  const hours = { first: at("2025-12-31T20:00:00Z"), end: at("2026-01-01T04:00:00Z") };

  expect(commonPrefix((hour) => hourListPrefix(layout, hour), hours)).toBe("p/year=202");
});

test("hourAtOrAfterKey() finds the hour of a key in it, for every time-ordered format", () => {
  const first = at("2019-01-01T00:00:00Z");
  for (const format of FORMATS) {
    const layout = layoutOf({ format });
    expect(layout.partition.isTimeOrdered).toBe(true);
    const hours = { first, end: millis(first + 80_000 * HOUR) };
    const prefixOf = (hour: Millis): string => hourListPrefix(layout, hour);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 79_999 }), (index) => {
        const hour = millis(first + index * HOUR);
        return hourAtOrAfterKey(prefixOf, hours, `${hourListPrefix(layout, hour)}traces_1.json`) === hour;
      }),
    );
  }
});

test("hourAtOrAfterKey() never steps over an hour that may have keys behind the found one", () => {
  const layout = layoutOf({ format: "%Y/%m/%d/%H" });
  const first = at("2024-02-27T00:00:00Z");
  const hours = { first, end: millis(first + 200 * HOUR) };
  const prefixOf = (hour: Millis): string => hourListPrefix(layout, hour);
  const key = fc.string({ unit: fc.constantFrom("0", "1", "2", "4", "-", "/", "x"), maxLength: 14 });

  fc.assert(
    fc.property(key, (rest) => {
      const found = `p/${rest}`;
      const hour = hourAtOrAfterKey(prefixOf, hours, found);
      for (let earlier = first; earlier < hour; earlier = millis(earlier + HOUR)) {
        const lastKeyOfHour = `${hourListPrefix(layout, earlier)}\u{10ffff}`;
        expect(compareKeys(lastKeyOfHour, found)).toBeLessThan(0);
      }
    }),
  );
});
