import { assert, constantFrom, integer, property, record, stringMatching } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatClaimKey,
  formatFirnRoot,
  formatForeignPartKey,
  formatManifestKey,
  formatMembersKey,
  formatOwnerKey,
  formatTraceIndexKey,
  indexesFolder,
  manifestFolder,
  manifestRoot,
  membersFolder,
  membersRoot,
  parseFileHour,
  parseManifestKey,
} from "../../src/archive/firn-keys.ts";
import { classifyKey, isTenantKey, isTenantReserved, type CompactedKey, type Layout } from "../../src/archive/key.ts";
import { parsePartitionFormat } from "../../src/archive/partition.ts";
import { ITEM_SIGNALS } from "../../src/signal.ts";
import { HOUR, millis } from "../../src/units.ts";

const PARTITION = parsePartitionFormat("year=%Y/month=%m/day=%d/hour=%H/minute=%M");
const UNNAMED: Layout = { basePrefix: "", prefix: "a", tenant: "", partition: PARTITION, filePrefix: "" };
const NAMED: Layout = { basePrefix: "b", prefix: "a/c", tenant: "acme", partition: PARTITION, filePrefix: "app-" };
const ADJOINING: Layout = { ...UNNAMED, prefix: "", partition: parsePartitionFormat("%Y%m%d/%H%M") };
const AT = millis(Date.UTC(2026, 4, 1, 14));
const SHA = "0123456789abcdef".repeat(4);
const OUTPUT: CompactedKey = {
  kind: "compacted",
  signal: "traces",
  form: { marshaler: "otlp_proto", compression: "zstd" },
  hour: AT,
  attempt: 1,
  incarnation: "7be0c1d2",
  output: 1,
};
const MANIFEST = "a/_firn/manifests/-/traces/year=2026/month=05/day=01/hour=14/00000002-0123456789abcdef.json";

describe("names below _firn/ are pinned", () => {
  it("of the unnamed tenant", () => {
    const folder = "a/_firn/members/-/traces/year=2026/month=05/day=01/hour=14/";

    expect(formatFirnRoot(UNNAMED)).toBe("a/_firn/");
    expect(formatOwnerKey(UNNAMED)).toBe("a/_firn/owner");
    expect(formatClaimKey(2, UNNAMED, "traces", AT)).toBe(
      "a/_firn/manifests/-/traces/year=2026/month=05/day=01/hour=14/00000002.claim",
    );
    expect(parseManifestKey(formatClaimKey(2, UNNAMED, "traces", AT), UNNAMED, "traces", AT)).toBeNull();
    expect(formatManifestKey({ generation: 2, sha256Hex: SHA }, UNNAMED, "traces", AT)).toBe(MANIFEST);
    expect(manifestRoot(UNNAMED, "logs")).toBe("a/_firn/manifests/-/logs/");
    expect(membersRoot(UNNAMED, "logs")).toBe("a/_firn/members/-/logs/");
    expect(membersFolder(UNNAMED, "traces", AT)).toBe(folder);
    expect(formatMembersKey(OUTPUT, UNNAMED)).toBe(`${folder}20260501T140000000Z-c01-7be0c1d2-00000001.json`);
    expect(indexesFolder(UNNAMED, "traces", AT)).toBe(folder.replace("members", "indexes"));
    expect(formatTraceIndexKey(OUTPUT, UNNAMED)).toBe(
      "a/_firn/indexes/-/traces/year=2026/month=05/day=01/hour=14/20260501T140000000Z-c01-7be0c1d2-00000001.trace",
    );
    expect(formatForeignPartKey(OUTPUT, 3, UNNAMED)).toBe(
      `${folder}20260501T140000000Z-c01-7be0c1d2-00000001-foreign-3.json`,
    );
  });

  it("of a named tenant, whose owner is the unnamed one's", () => {
    expect(formatOwnerKey(NAMED)).toBe("b/a/c/_firn/owner");
    expect(manifestFolder(NAMED, "logs", AT)).toBe(
      "b/a/c/_firn/manifests/acme/logs/year=2026/month=05/day=01/hour=14/",
    );
  });

  it("at the root of a bucket, with a minute that adjoins the hour", () => {
    expect(formatOwnerKey(ADJOINING)).toBe("_firn/owner");
    expect(manifestFolder(ADJOINING, "metrics", AT)).toBe("_firn/manifests/-/metrics/20260501/14/");
  });

  it.each([
    [0, SHA],
    [1.5, SHA],
    [100_000_000, SHA],
    [1, SHA.slice(1)],
    [1, SHA.toUpperCase()],
  ])("formatManifestKey() refuses generation %d with %s", (generation, sha256Hex) => {
    expect(() => formatManifestKey({ generation, sha256Hex }, UNNAMED, "traces", AT)).toThrow(RangeError);
  });

  it("formatForeignPartKey() refuses a negative number", () => {
    expect(() => formatForeignPartKey(OUTPUT, -1, UNNAMED)).toThrow(RangeError);
  });
});

describe("parseManifestKey()", () => {
  it("is the inverse of formatManifestKey()", () => {
    const names = record({
      generation: integer({ min: 1, max: 99_999_999 }),
      sha256Hex: stringMatching(/^[0-9a-f]{64}$/),
      layout: constantFrom(UNNAMED, NAMED, ADJOINING),
      signal: constantFrom(...ITEM_SIGNALS),
      hour: integer({ min: 0, max: 2_000_000 }),
    });
    assert(
      property(names, ({ generation, sha256Hex, layout, signal, hour }) => {
        const at = millis(hour * HOUR);
        const key = formatManifestKey({ generation, sha256Hex }, layout, signal, at);

        expect(parseManifestKey(key, layout, signal, at)).toEqual({ generation, sha16: sha256Hex.slice(0, 16) });
        expect(parseManifestKey(key, layout, signal, millis(at + HOUR))).toBeNull();
        expect(isTenantKey(key, layout)).toBe(false);
        expect(classifyKey(key, layout)).toBeNull();
      }),
    );
  });

  it.each([
    ["", "empty"],
    [MANIFEST.slice(2), "another prefix"],
    [MANIFEST.replace("/-/", "/acme/"), "another tenant"],
    [MANIFEST.replace("traces", "logs"), "another signal"],
    [MANIFEST.replace("hour=14", "hour=15"), "another hour"],
    [MANIFEST.replace("manifests", "members"), "another folder"],
    [MANIFEST.replace("hour=14/", "hour=14/minute=00/"), "a folder deeper"],
    [MANIFEST.replace("00000002", "00000000"), "generation 0"],
    [MANIFEST.replace("00000002", "2"), "a short generation"],
    [MANIFEST.replace("00000002", "000000002"), "a long generation"],
    [MANIFEST.replace("cdef.json", "CDEF.json"), "upper case"],
    [MANIFEST.replace("cdef.json", "cde.json"), "a short digest"],
    [MANIFEST.replace(".json", ""), "no extension"],
    [`${MANIFEST}\n`, "a line end"],
  ])("rejects %s (%s)", (key) => {
    expect(parseManifestKey(key, UNNAMED, "traces", AT)).toBeNull();
  });
});

describe("parseFileHour()", () => {
  it.each([
    ["a member table", formatMembersKey(OUTPUT, UNNAMED)],
    ["a part", formatForeignPartKey(OUTPUT, 3, UNNAMED)],
    ["a trace index", formatTraceIndexKey(OUTPUT, UNNAMED)],
  ])("gives the hour of %s in its own folder alone", (_what, key) => {
    expect(parseFileHour(key, UNNAMED, "traces")).toBe(AT);
    expect(parseFileHour(key, NAMED, "traces")).toBeNull();
    expect(parseFileHour(key, UNNAMED, "logs")).toBeNull();
    expect(parseFileHour(key.replace("hour=14", "hour=15"), UNNAMED, "traces")).toBeNull();
    expect(parseFileHour(key.replace(/members|indexes/, "manifests"), UNNAMED, "traces")).toBeNull();
    expect(parseFileHour(`${key}x`, UNNAMED, "traces")).toBeNull();
  });
});

describe("isTenantReserved()", () => {
  it('says yes to "-", which stands for the unnamed tenant below _firn/', () => {
    expect(isTenantReserved("-", PARTITION)).toBe(true);
    expect(isTenantReserved("--", PARTITION)).toBe(false);
  });
});
