import { describe, expect, it } from "vitest";
import { compactionOf, readCompaction, type CompactionConfig } from "../../src/config/compact-settings.ts";
import { openSettingReader } from "../../src/config/setting-reader.ts";
import { MIB } from "../../src/units.ts";

const DAY = 86_400_000;

function read(values: Readonly<Record<string, string>>): CompactionConfig {
  return readCompaction(openSettingReader({ values: new Map(Object.entries(values)), aliases: new Map() }));
}

describe("readCompaction()", () => {
  it("has the defaults of the design", () => {
    expect(compactionOf(read({}), "", "traces")).toEqual({
      isEnabled: true,
      delay: 300_000,
      grace: 3_600_000,
      targetBytes: 128 * MIB,
      compression: "zstd",
      level: null,
      foreign: "keep",
      isSoleWriter: false,
      bucketExpiration: null,
      retention: null,
      legalHold: false,
    });
  });

  it.each([
    ["COMPACT_COMPRESSION", "none"],
    ["COMPACT_LEVEL", "20"],
    ["COMPACT_TARGET_BYTES", "1"],
    ["COMPACT_FOREIGN", "move"],
    ["COMPACT_GRACE_SECONDS", "-1"],
    ["RETENTION_DAYS", "0"],
    ["BUCKET_EXPIRATION_DAYS", "soon"],
    ["TENANTS", '{"acme":{"retention_days":0}}'],
    ["TENANTS", '{"acme":{"retention_days":{"spans":1}}}'],
    ["TENANTS", '{"acme":{"legal_hold":"yes"}}'],
  ])("refuses %s=%s by name", (name, value) => {
    expect(() => read({ [name]: value })).toThrow(`Cannot use the setting ${name}`);
  });

  it("takes the levels of its compression only", () => {
    expect(() => read({ COMPACT_COMPRESSION: "gzip", COMPACT_LEVEL: "10" })).toThrow("COMPACT_LEVEL");
    expect(compactionOf(read({ COMPACT_LEVEL: "10" }), "", "logs").level).toBe(10);
  });
});

describe("compactionOf()", () => {
  const config = read({
    RETENTION_DAYS: "30",
    RETENTION_DAYS_LOGS: "90",
    TENANTS: JSON.stringify({
      acme: { retention_days: 7 },
      umbrella: { retention_days: { traces: null }, legal_hold: true },
    }),
  });

  it("takes the rule of a signal before that of all signals", () => {
    expect(compactionOf(config, "", "traces").retention).toBe(30 * DAY);
    expect(compactionOf(config, "", "logs").retention).toBe(90 * DAY);
  });

  it("takes the rule of a tenant before that of all tenants", () => {
    expect(compactionOf(config, "acme", "logs").retention).toBe(7 * DAY);
    expect(compactionOf(config, "umbrella", "traces")).toMatchObject({ retention: null, legalHold: true });
    expect(compactionOf(config, "umbrella", "metrics").retention).toBe(30 * DAY);
  });
});
