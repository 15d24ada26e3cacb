import { assert, property, constantFrom, integer, string } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatHourPath,
  formatPartition,
  hourPrefixOf,
  isFirstSegment,
  parsePartition,
  parsePartitionFormat,
} from "../../src/archive/partition.ts";
import { HOUR, millis, MINUTE } from "../../src/units.ts";

const TIME = millis(Date.UTC(2026, 4, 1, 14, 9, 30, 123));
const MINUTE_FORMAT = "year=%Y/month=%m/day=%d/hour=%H/minute=%M";

describe("formatPartition() is pinned", () => {
  it.each([
    [MINUTE_FORMAT, "year=2026/month=05/day=01/hour=14/minute=09", "year=2026/month=05/day=01/hour=14/"],
    ["year=%Y/month=%m/day=%d/hour=%H", "year=2026/month=05/day=01/hour=14", "year=2026/month=05/day=01/hour=14/"],
    ["%Y/%m/%d/%H", "2026/05/01/14", "2026/05/01/14/"],
    ["%Y/%m/%d/%H%M", "2026/05/01/1409", "2026/05/01/14"],
    ["%Y/%m/%d/%H-%M", "2026/05/01/14-09", "2026/05/01/14"],
    ["%Y/%m/%d/%Hh/%Mm", "2026/05/01/14h/09m", "2026/05/01/14h/"],
    ["%Y/%m/%d/%Hh", "2026/05/01/14h", "2026/05/01/14h/"],
    ["%y-%j/%H/raw", "26-121/14/raw", "26-121/14/"],
    ["100%%/%Y%m%d/%H", "100%/20260501/14", "100%/20260501/14/"],
  ])("formats %s", (text, path, hourPrefix) => {
    const format = parsePartitionFormat(text);

    expect(formatPartition(format, TIME)).toBe(path);
    expect(hourPrefixOf(format, TIME)).toBe(hourPrefix);
  });

  it("pads and counts days in a leap year", () => {
    const format = parsePartitionFormat("%Y/%j/%H");

    expect(formatPartition(format, millis(Date.UTC(2024, 11, 31, 23)))).toBe("2024/366/23");
    expect(formatPartition(format, millis(0))).toBe("1970/001/00");
  });
});

describe("parsePartitionFormat() knows granularity and order", () => {
  it.each([
    [MINUTE_FORMAT, "minute", true],
    ["%Y/%m/%d/%H", "hour", true],
    ["%Y/%j/%H", "hour", true],
    ["%y%m%d%H%M", "minute", true],
    ["%Y/%Y%m%d/%H", "hour", true],
    ["%d/%m/%Y/%H", "hour", false],
    ["%m/%Y/%d/%H/%M", "minute", false],
    ["%Y/%d/%m/%H", "hour", false],
  ])("of %s", (text, granularity, isTimeOrdered) => {
    expect(parsePartitionFormat(text)).toMatchObject({ granularity, isTimeOrdered });
  });
});

describe("parsePartitionFormat() rejects", () => {
  it.each([
    ["%Y/%m/%d/%H/%Q", 'Cannot parse ARCHIVE_PARTITION_FORMAT: unknown directive "%Q"'],
    ["%Y/%m/%d/%H/%", 'Cannot parse ARCHIVE_PARTITION_FORMAT: unknown directive "%"'],
    ["%Y/%m/%d/%-H", 'Cannot parse ARCHIVE_PARTITION_FORMAT: unknown directive "%-"'],
    ["year=%Y/month=%m/day=%d", 'Cannot parse ARCHIVE_PARTITION_FORMAT: it has no "%H", expected at least the hour'],
    ["", "Cannot parse ARCHIVE_PARTITION_FORMAT: it has a leading, trailing or double slash"],
    ["/%Y/%m/%d/%H", "Cannot parse ARCHIVE_PARTITION_FORMAT: it has a leading, trailing or double slash"],
    ["%Y/%m/%d/%H/", "Cannot parse ARCHIVE_PARTITION_FORMAT: it has a leading, trailing or double slash"],
    ["%Y//%m/%d/%H", "Cannot parse ARCHIVE_PARTITION_FORMAT: it has a leading, trailing or double slash"],
    ["../%Y/%m/%d/%H", 'Cannot parse ARCHIVE_PARTITION_FORMAT: it has a segment ".."'],
    ["_firn/%Y/%m/%d/%H", 'Cannot parse ARCHIVE_PARTITION_FORMAT: its first segment is "_firn", which is reserved'],
    ["%Y/%m/%d/\n/%H", "Cannot parse ARCHIVE_PARTITION_FORMAT: it has a control character"],
    [
      "%H/%Y/%m/%d",
      'Cannot parse ARCHIVE_PARTITION_FORMAT: the date does not stand before "%H", ' +
        'expected "%Y" with "%m" and "%d", or "%Y" with "%j"',
    ],
    [
      "%Y/%d/%H",
      'Cannot parse ARCHIVE_PARTITION_FORMAT: the date does not stand before "%H", ' +
        'expected "%Y" with "%m" and "%d", or "%Y" with "%j"',
    ],
    ["%Y/%m/%d/%M/%H", 'Cannot parse ARCHIVE_PARTITION_FORMAT: "%M" stands before "%H", expected it after the hour'],
    [
      `%Y/%m/%d/%H/${"x".repeat(200)}`,
      "Cannot parse ARCHIVE_PARTITION_FORMAT: it has 212 characters, expected at most 200",
    ],
  ])("%j", (text, message) => {
    expect(() => parsePartitionFormat(text)).toThrow(
      expect.objectContaining({ kind: "misconfigured", field: "ARCHIVE_PARTITION_FORMAT", message }),
    );
  });
});

const formats = constantFrom(
  ...[MINUTE_FORMAT, "%Y/%m/%d/%H", "%Y/%j/%H%M", "x%y%m%d-%H/%M", "%d.%m.%Y/%Hh/%j", "a%%b/%Y/%Y%m%d/%H/%M/z"].map(
    parsePartitionFormat,
  ),
);
const times = integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) - 1 }).map(millis);

describe("parsePartition()", () => {
  it("is the inverse of formatPartition() and formatHourPath()", () => {
    assert(
      property(formats, times, (format, time) => {
        const hour = time - (time % HOUR);
        const unit = format.granularity === "minute" ? MINUTE : HOUR;

        expect(parsePartition(format, formatPartition(format, time))).toBe(time - (time % unit));
        expect(parsePartition(format, formatHourPath(format, time))).toBe(hour);
      }),
    );
  });

  it.each([
    "year=2026/month=05/day=01/hour=14/minute=60",
    "year=2026/month=02/day=30/hour=14/minute=00",
    "year=2026/month=13/day=01/hour=14/minute=00",
    "year=2026/month=05/day=01/hour=24",
    "year=2026/month=5/day=01/hour=14/minute=00",
    "year=2026/month=05/day=01/hour=14/minute=00/",
    "year=2026/month=05/day=01",
    "",
  ])("rejects %s", (path) => {
    expect(parsePartition(parsePartitionFormat(MINUTE_FORMAT), path)).toBeNull();
  });

  it("never throws and returns only what formats to the same text", () => {
    assert(
      property(formats, string({ unit: constantFrom("0", "1", "2", "6", "/", "x", "%", "=", "é") }), (format, text) => {
        const time = parsePartition(format, text);

        expect(time === null || [formatPartition(format, time), formatHourPath(format, time)].includes(text)).toBe(
          true,
        );
      }),
    );
  });
});

describe("hourPrefixOf()", () => {
  it("is a prefix of every partition of its hour and of no other hour", () => {
    assert(
      property(formats, times, times, (format, time, other) => {
        const prefix = hourPrefixOf(format, time);
        const isSameHour = Math.floor(time / HOUR) === Math.floor(other / HOUR);

        expect(`${formatPartition(format, other)}/`.startsWith(prefix)).toBe(isSameHour);
        expect(`${formatHourPath(format, other)}/`.startsWith(prefix)).toBe(isSameHour);
      }),
    );
  });

  it("sorts by time where the format says so", () => {
    assert(
      property(formats, times, times, (format, one, two) => {
        const isBefore = formatPartition(format, one) < formatPartition(format, two);

        expect(!format.isTimeOrdered || !isBefore || one < two).toBe(true);
      }),
    );
  });
});

describe("isFirstSegment()", () => {
  it.each([
    [MINUTE_FORMAT, "year=2026", true],
    [MINUTE_FORMAT, "acme", false],
    ["%Y/%m/%d/%H", "2026", true],
    ["%Y/%m/%d/%H", "20261", false],
    ["%Y%m%d%H%M", "202605011409", true],
    ["%Y%m%d%H%M", "2026050114", true],
    ["data/%Y/%m/%d/%H", "data", true],
  ])("of %s: %s", (text, segment, expected) => {
    expect(isFirstSegment(parsePartitionFormat(text), segment)).toBe(expected);
  });
});
