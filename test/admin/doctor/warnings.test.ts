import { describe, expect, it } from "vitest";
import { clockUrlOf, measureSkew } from "../../../src/admin/doctor/clock.ts";
import { listGroupWarnings, type GroupFacts } from "../../../src/admin/doctor/warnings.ts";
import { millis } from "../../../src/units.ts";
import { AZURE, groupOf, R2, S3 } from "./groups.ts";

const NOW = Date.UTC(2026, 4, 1);

function warningsOf(facts: Partial<GroupFacts>): readonly string[] {
  return listGroupWarnings({
    group: groupOf(S3),
    dialect: "aws",
    createOnly: "atomic",
    skew: millis(0),
    now: NOW,
    ...facts,
  });
}

function signed(fields: Record<string, string>): GroupFacts["group"] {
  const token = new URLSearchParams({ sv: "2025-11-05", sp: "rcwdl", se: "2030-01-01T00:00:00Z", ...fields });
  return groupOf({ ...AZURE, credential: { kind: "sas", token: String(token) } });
}

describe("listGroupWarnings()", () => {
  it("has nothing to say about a store like S3", () => {
    expect(warningsOf({})).toEqual([]);
    expect(warningsOf({ group: signed({}), dialect: null })).toEqual([]);
  });

  it.each<[Partial<GroupFacts>, string]>([
    [{ dialect: "generic" }, "name its kind with ARCHIVE_DIALECT"],
    [{ createOnly: "checked" }, "no atomic create-only put"],
    [{ skew: millis(61_000) }, "the clock here is 61 s ahead of the store's"],
    [{ skew: millis(-120_000) }, "the clock here is 120 s behind the store's"],
    [{ group: signed({ se: "2026-05-10T00:00:00Z" }) }, "for write ends at 2026-05-10T00:00:00.000Z"],
    [{ group: signed({ sp: "rw" }) }, 'for compact lacks the permissions "cdl"'],
  ])("warns of %j", (facts, words) => {
    expect(warningsOf(facts).join("\n")).toContain(words);
  });

  it("takes a signature whose policy holds the rest for complete", () => {
    const group = groupOf({ ...AZURE, credential: { kind: "sas", token: "si=firn-policy&sig=abc" } });

    expect(warningsOf({ group })).toEqual([]);
  });
});

describe("measureSkew()", () => {
  it("compares with the middle of asking and answer", async () => {
    const times = [10_000, 12_000];

    expect(
      await measureSkew(
        async () => 5_000,
        "http://x",
        () => times.shift() ?? 0,
      ),
    ).toBe(6_000);
    expect(
      await measureSkew(
        async () => null,
        "http://x",
        () => 0,
      ),
    ).toBeNull();
  });
});

describe("clockUrlOf()", () => {
  it("asks who checks the signature", () => {
    expect([clockUrlOf(R2), clockUrlOf(AZURE), clockUrlOf(S3), clockUrlOf({ ...S3, endpoint: "http://h:1" })]).toEqual([
      null,
      "https://acct.blob.core.windows.net",
      "https://s3.eu-west-1.amazonaws.com",
      "http://h:1",
    ]);
  });
});
