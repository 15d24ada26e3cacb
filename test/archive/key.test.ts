import {
  assert,
  constantFrom,
  integer,
  oneof,
  property,
  record,
  string,
  stringMatching,
  type Arbitrary,
} from "fast-check";
import { describe, expect, it } from "vitest";
import {
  classifyKey,
  formatKey,
  hourListPrefix,
  isTenantKey,
  isTenantReserved,
  minuteOf,
  parseKey,
  rootPrefix,
  type CompactedKey,
  type FreshKey,
  type Layout,
  type OwnKey,
} from "../../src/archive/key.ts";
import type { ObjectForm } from "../../src/archive/object-form.ts";
import { parsePartitionFormat } from "../../src/archive/partition.ts";
import { SIGNALS } from "../../src/signal.ts";
import { HOUR, millis } from "../../src/units.ts";

const MINUTE_FORMAT = parsePartitionFormat("year=%Y/month=%m/day=%d/hour=%H/minute=%M");
const HOUR_FORMAT = parsePartitionFormat("year=%Y/month=%m/day=%d/hour=%H");
const DEFAULT: Layout = { basePrefix: "", prefix: "a", tenant: "", partition: MINUTE_FORMAT, filePrefix: "" };

const FRESH: FreshKey = {
  kind: "fresh",
  signal: "traces",
  form: { marshaler: "otlp_proto", compression: "gzip" },
  sealTime: millis(Date.UTC(2026, 4, 1, 14, 9, 30, 123)),
  shard: 1,
  incarnation: "9f2c4e7a",
  sequence: 0x2a,
};
const COMPACTED: CompactedKey = {
  kind: "compacted",
  signal: "traces",
  form: { marshaler: "otlp_proto", compression: "zstd" },
  hour: millis(Date.UTC(2026, 4, 1, 14)),
  attempt: 1,
  incarnation: "7be0c1d2",
  output: 1,
};

const FRESH_TEXT =
  "a/year=2026/month=05/day=01/hour=14/minute=09/traces_20260501T140930123Z-f01-9f2c4e7a-0000002a.binpb.gz";
const COMPACTED_TEXT = "a/year=2026/month=05/day=01/hour=14/traces_20260501T140000000Z-c01-7be0c1d2-00000001.binpb.zst";

describe("formatKey() is pinned", () => {
  it.each<readonly [string, OwnKey, Partial<Layout>]>([
    [FRESH_TEXT, FRESH, {}],
    [COMPACTED_TEXT, COMPACTED, {}],
    [
      "b/a/acme/2026/05/01/14/app-logs_20260501T140930123Z-fff-9f2c4e7a-ffffffff.json",
      {
        ...FRESH,
        signal: "logs",
        form: { marshaler: "otlp_json", compression: "none" },
        shard: 255,
        sequence: 2 ** 32 - 1,
      },
      { basePrefix: "b", tenant: "acme", partition: parsePartitionFormat("%Y/%m/%d/%H"), filePrefix: "app-" },
    ],
    [
      "year=2026/month=05/day=01/hour=14/metrics_20260501T140930123Z-f01-9f2c4e7a-0000002a.binpb.zst",
      { ...FRESH, signal: "metrics", form: { marshaler: "otlp_proto", compression: "zstd" } },
      { prefix: "", partition: HOUR_FORMAT },
    ],
  ])("%s", (text, key, overrides) => {
    const layout = { ...DEFAULT, ...overrides };

    expect(formatKey(key, layout)).toBe(text);
    expect(parseKey(text, layout)).toEqual(key);
    expect(classifyKey(text, layout)).toEqual(key);
  });

  it("takes the minute from the seal time", () => {
    expect(minuteOf(FRESH)).toBe(Date.UTC(2026, 4, 1, 14, 9));
  });

  it.each<readonly [string, OwnKey]>([
    ["shard is 256", { ...FRESH, shard: 256 }],
    ["shard is -1", { ...FRESH, shard: -1 }],
    ["sequence is 0", { ...FRESH, sequence: 0 }],
    ["sequence is 4294967296", { ...FRESH, sequence: 2 ** 32 }],
    ["time is NaN", { ...FRESH, sealTime: millis(Number.NaN) }],
    ["time is 253402300800000", { ...FRESH, sealTime: millis(Date.UTC(10_000, 0, 1)) }],
    ["incarnation is not 8 hex digits", { ...FRESH, incarnation: "9F2C4E7A" }],
    ["hour is not a whole hour", { ...COMPACTED, hour: FRESH.sealTime }],
  ])("refuses: %s", (message, key) => {
    expect(() => formatKey(key, DEFAULT)).toThrow(message);
  });
});

describe("parseKey() rejects", () => {
  it.each([
    ["", "empty"],
    [FRESH_TEXT.slice(2), "another prefix"],
    [`x/${FRESH_TEXT}`, "something before the prefix"],
    [FRESH_TEXT.replace("minute=09", "minute=10"), "a minute that is not the seal time's"],
    [FRESH_TEXT.replace("minute=09", "minute=60"), "minute 60"],
    [FRESH_TEXT.replace("/minute=09", ""), "a fresh object in the hour path of a minute format"],
    [FRESH_TEXT.replace("9f2c4e7a", "9F2C4E7A"), "upper case"],
    [FRESH_TEXT.replace("0000002a", "2a"), "a short sequence"],
    [FRESH_TEXT.replace("0000002a", "00000000"), "sequence 0"],
    [FRESH_TEXT.replace("-f01", "-g01"), "an unknown kind"],
    [FRESH_TEXT.replace(".binpb.gz", ".binpb.gz.gz"), "an extension twice"],
    [FRESH_TEXT.replace(".binpb.gz", ""), "no extension"],
    [FRESH_TEXT.replace("traces_", "trace_"), "an unknown signal"],
    [FRESH_TEXT.replace("traces_", "app-traces_"), "another file prefix"],
    [FRESH_TEXT.replace("20260501T140930123Z", "20260431T140930123Z"), "a day that is not"],
    [`${FRESH_TEXT}\n`, "a line end"],
    [COMPACTED_TEXT.replace("hour=14/", "hour=14/minute=00/"), "a compacted object in a minute"],
    [COMPACTED_TEXT.replace("T140000000Z", "T140100000Z"), "a compacted object with a minute in its id"],
  ])("%s (%s)", (text) => {
    expect(parseKey(text, DEFAULT)).toBeNull();
  });
});

describe("classifyKey()", () => {
  const proto: ObjectForm = { marshaler: "otlp_proto", compression: "gzip" };
  const json: ObjectForm = { marshaler: "otlp_json", compression: "none" };
  const minute = Date.UTC(2026, 4, 1, 14, 9);
  const hour = Date.UTC(2026, 4, 1, 14);

  it.each([
    ["a/year=2026/month=05/day=01/hour=14/minute=09/traces_312302042.binpb.gz", "traces", proto, minute],
    [
      "a/year=2026/month=05/day=01/hour=14/minute=09/logs_0196a0b2-7c11-7d3e-8f00-aabbccddeeff.json",
      "logs",
      json,
      minute,
    ],
    ["a/year=2026/month=05/day=01/hour=14/metrics_312302042.json", "metrics", json, hour],
    ["a/year=2026/month=05/day=01/hour=14/minute=60/traces_312302042.json", "traces", json, null],
    ["a/year=2026/extra/traces_312302042.json", "traces", json, null],
  ])("takes %s for foreign", (key, signal, form, time) => {
    expect(classifyKey(key, DEFAULT)).toEqual({ kind: "foreign", signal, form, minute: time });
  });

  it("keeps a fresh object after the partition format changed between minute and hour", () => {
    const hourLayout = { ...DEFAULT, partition: HOUR_FORMAT };

    expect(classifyKey(FRESH_TEXT, hourLayout)).toEqual(FRESH);
    expect(classifyKey(formatKey(FRESH, hourLayout), DEFAULT)).toEqual(FRESH);
  });

  it.each([
    ["a/_firn/manifests/traces_312302042.json", "Firn's own files"],
    ["a/acme/year=2026/month=05/day=01/hour=14/minute=09/traces_312302042.json", "another tenant's"],
    ["a/year=2026/month=05/day=01/hour=14/minute=09/traces_312302042.txt", "an unknown form"],
    ["a/year=2026/month=05/day=01/hour=14/minute=09/events_312302042.json", "an unknown signal"],
    ["a/year=2026/month=05/day=01/hour=14/minute=09/traces_.json", "no id"],
    ["a/traces_312302042.json", "no partition"],
    [COMPACTED_TEXT.replace("hour=14/", "hour=15/"), "a compacted object in another hour, never foreign"],
    [FRESH_TEXT.replace("hour=14/", "hour=15/"), "a fresh object in another hour, never foreign"],
  ])("leaves out %s (%s)", (key) => {
    expect(classifyKey(key, DEFAULT)).toBeNull();
  });
});

const partitions = constantFrom(
  MINUTE_FORMAT,
  HOUR_FORMAT,
  ...["%Y/%m/%d/%H%M", "%Y%m%d%H%M", "data/%Y/%j/%H", "%y/%m/%d/%H/%M"].map(parsePartitionFormat),
);
const tenants = oneof(
  constantFrom("", "2026", "data", "acme", "acme-2", "26", "202605011409", "2026050114"),
  stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/),
);
const layouts: Arbitrary<Layout> = record({
  basePrefix: constantFrom("", "base"),
  prefix: constantFrom("", "p", "p/q"),
  tenant: tenants,
  partition: partitions,
  filePrefix: constantFrom("", "app-", "traces_", "logs"),
}).filter((layout) => layout.tenant === "" || !isTenantReserved(layout.tenant, layout.partition));
const forms: Arbitrary<ObjectForm> = record({
  marshaler: constantFrom("otlp_proto", "otlp_json"),
  compression: constantFrom("gzip", "zstd", "none"),
});
const uint32 = integer({ min: 0, max: 2 ** 32 - 1 });
const incarnations = uint32.map((value) => value.toString(16).padStart(8, "0"));
const bytes = integer({ min: 0, max: 255 });
const keys: Arbitrary<OwnKey> = oneof(
  record({
    kind: constantFrom("fresh" as const),
    signal: constantFrom(...SIGNALS),
    form: forms,
    sealTime: integer({ min: 0, max: Date.UTC(10_000, 0, 1) - 1 }).map(millis),
    shard: bytes,
    incarnation: incarnations,
    sequence: integer({ min: 1, max: 2 ** 32 - 1 }),
  }),
  record({
    kind: constantFrom("compacted" as const),
    signal: constantFrom(...SIGNALS),
    form: forms,
    hour: integer({ min: 0, max: Date.UTC(9999, 11, 31) / HOUR }).map((hours) => millis(hours * HOUR)),
    attempt: bytes,
    incarnation: incarnations,
    output: uint32,
  }),
);

describe("parseKey()", () => {
  it("is the inverse of formatKey()", () => {
    assert(
      property(layouts, keys, (layout, key) => {
        const text = formatKey(key, layout);

        expect(parseKey(text, layout)).toEqual(key);
        expect(classifyKey(text, layout)).toEqual(key);
        expect(text.startsWith(hourListPrefix(layout, key.kind === "fresh" ? key.sealTime : key.hour))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("never throws on any text, nor on a key with one character changed", () => {
    const texts = oneof(
      string({ unit: "binary" }).map((text) => `a/year=2026/${text}`),
      record({ at: integer({ min: 0, max: FRESH_TEXT.length - 1 }), char: string({ maxLength: 2 }) }).map(
        ({ at, char }) => FRESH_TEXT.slice(0, at) + char + FRESH_TEXT.slice(at + 1),
      ),
    );
    assert(
      property(texts, (text) => {
        const key = parseKey(text, DEFAULT);
        classifyKey(text, DEFAULT);

        expect(key === null || formatKey(key, DEFAULT) === text).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("isTenantKey()", () => {
  it("gives no key to two tenants", () => {
    assert(
      property(layouts, tenants, keys, (layout, other, key) => {
        const second = { ...layout, tenant: other };
        const isLegal = other === "" || !isTenantReserved(other, layout.partition);

        const text = formatKey(key, layout);

        expect(isTenantKey(text, layout)).toBe(true);
        expect(isLegal && other !== layout.tenant && isTenantKey(text, second)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("gives named tenants roots that are never inside each other", () => {
    assert(
      property(layouts, tenants, (layout, other) => {
        const one = rootPrefix(layout);
        const two = rootPrefix({ ...layout, tenant: other });

        expect(layout.tenant !== "" && other !== "" && layout.tenant !== other && one.startsWith(two)).toBe(false);
      }),
    );
  });

  it.each([
    ["2026", "%Y/%m/%d/%H", true],
    ["acme", "%Y/%m/%d/%H", false],
    ["data", "data/%Y/%m/%d/%H", true],
    ["_firn", "year=%Y/month=%m/day=%d/hour=%H", true],
    ["2026", "year=%Y/month=%m/day=%d/hour=%H", false],
  ])("isTenantReserved() of %s under %s", (name, partition, expected) => {
    expect(isTenantReserved(name, parsePartitionFormat(partition))).toBe(expected);
  });
});
