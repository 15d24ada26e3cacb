import { describe, expect, it } from "vitest";
import type { ArchiveKey, FreshKey } from "../../src/archive/key.ts";
import { liveOutputs, openHourSources } from "../../src/archive/visibility.ts";
import { bytes, HOUR, millis } from "../../src/units.ts";
import { SAMPLE_HOUR, SAMPLE_MANIFEST, SAMPLE_OUTPUTS } from "./sample-manifest.ts";

const FRESH: FreshKey = {
  kind: "fresh",
  signal: "traces",
  form: { marshaler: "otlp_proto", compression: "gzip" },
  sealTime: SAMPLE_HOUR,
  shard: 1,
  incarnation: "9f2c4e7a",
  sequence: 42,
};
const FOREIGN: ArchiveKey = { kind: "foreign", signal: "traces", form: FRESH.form, minute: SAMPLE_HOUR };
const INFO = { key: "k", length: 5, etag: '"abc"' };
const [WITH_ETAG, WITHOUT_ETAG] = SAMPLE_MANIFEST.foreign.map(({ key }) => key);
const SOURCES = openHourSources(SAMPLE_MANIFEST, [[{ key: "part", etag: '"p"', sizeBytes: bytes(7) }]]);

describe("isNamed() of a fresh object", () => {
  it.each<readonly [boolean, string, Partial<FreshKey>]>([
    [true, "the last of a range", {}],
    [true, "the last instant of the hour", { sealTime: millis(SAMPLE_HOUR + HOUR - 1) }],
    [false, "in a gap", { sequence: 43 }],
    [false, "after all ranges", { sequence: 61 }],
    [false, "of another shard", { shard: 2 }],
    [false, "of another incarnation", { incarnation: "9f2c4e7b" }],
    [false, "of another signal", { signal: "logs" }],
    [false, "of the next hour", { sealTime: millis(SAMPLE_HOUR + HOUR) }],
    [false, "of the hour before", { sealTime: millis(SAMPLE_HOUR - 1) }],
  ])("is %s for one %s", (expected, _, values) => {
    expect(SOURCES.isNamed({ ...FRESH, ...values }, INFO)).toBe(expected);
  });
});

describe("isNamed() of a foreign object", () => {
  it.each([
    [true, "that is the same", { key: WITH_ETAG ?? "", length: 5, etag: '"abc"' }],
    [true, "whose ETag the store does not list", { key: WITH_ETAG ?? "", length: 5, etag: null }],
    [true, "whose ETag was not known", { key: WITHOUT_ETAG ?? "", length: 6, etag: '"new"' }],
    [true, "in a part", { key: "part", length: 7, etag: '"p"' }],
    [false, "that was put again", { key: WITH_ETAG ?? "", length: 5, etag: '"new"' }],
    [false, "of another length", { key: WITH_ETAG ?? "", length: 6, etag: '"abc"' }],
    [false, "of another key", { key: "other", length: 5, etag: '"abc"' }],
  ])("is %s for one %s", (expected, _, info) => {
    expect(SOURCES.isNamed(FOREIGN, info)).toBe(expected);
  });

  it("is false for one of another signal", () => {
    expect(SOURCES.isNamed({ ...FOREIGN, signal: "logs" }, { key: WITH_ETAG ?? "", length: 5, etag: null })).toBe(
      false,
    );
  });

  it("finds every version that outputs hold", () => {
    const twice = openHourSources({ ...SAMPLE_MANIFEST, foreign: [] }, [
      [{ key: "k", etag: '"1"', sizeBytes: bytes(1) }],
      [{ key: "k", etag: '"2"', sizeBytes: bytes(2) }],
    ]);

    expect(twice.isNamed(FOREIGN, { key: "k", length: 1, etag: '"1"' })).toBe(true);
    expect(twice.isNamed(FOREIGN, { key: "k", length: 2, etag: '"2"' })).toBe(true);
    expect(twice.isNamed(FOREIGN, { key: "k", length: 2, etag: '"3"' })).toBe(false);
  });
});

describe("isNamed() of a compacted object", () => {
  it("is false: whether it is seen is for the outputs to say", () => {
    const key: ArchiveKey = {
      kind: "compacted",
      signal: "traces",
      form: FRESH.form,
      hour: SAMPLE_HOUR,
      attempt: 1,
      incarnation: "9f2c4e7a",
      output: 42,
    };

    expect(SOURCES.isNamed(key, INFO)).toBe(false);
  });
});

describe("liveOutputs()", () => {
  it("leaves out what is retired and keeps the order", () => {
    expect(liveOutputs(SAMPLE_MANIFEST)).toEqual(SAMPLE_OUTPUTS.slice(0, 2));
  });
});
