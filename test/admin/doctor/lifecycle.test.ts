import { describe, expect, it } from "vitest";
import {
  formatLifecycle,
  partitionBeginnings,
  planArchiveRules,
  planGroupRules,
  type LifecycleRule,
} from "../../../src/admin/doctor/lifecycle.ts";
import { formatPartition, parsePartitionFormat } from "../../../src/archive/partition.ts";
import { millis } from "../../../src/units.ts";
import { AZURE, kindOf, R2, S3 } from "./groups.ts";

const FORMATS = [
  "year=%Y/month=%m/day=%d/hour=%H/minute=%M",
  "%Y/%m/%d/%H/%M",
  "%Y%m%dT%H%M",
  "%y/%j/%H",
  "%d.%m.%Y/%H",
  "_%Y/%m/%d/%H",
  "_firn%Y/%m/%d/%H",
  "data/%Y/%m/%d/%H",
];
const RULE: LifecycleRule = { id: "firn-data", prefix: "firn/year=", expirationDays: null };
const AGED: LifecycleRule = { ...RULE, expirationDays: 365 };

describe("partitionBeginnings()", () => {
  it.each([
    ["year=%Y/month=%m/day=%d/hour=%H", ["year="]],
    ["%Y/%m/%d/%H", ["2"]],
    ["%d.%m.%Y/%H", ["0", "1", "2", "3"]],
    ["_%Y/%m/%d/%H", ["_2"]],
    ["_firn%Y/%m/%d/%H", ["_firn2"]],
    ["_firn-%Y/%m/%d/%H", ["_firn-"]],
  ])("finds how paths of %s begin", (format, expected) => {
    expect(partitionBeginnings(parsePartitionFormat(format))).toEqual(expected);
  });

  it.each(FORMATS)("covers every hour of %s, and nothing under _firn/", (text) => {
    const format = parsePartitionFormat(text);
    const beginnings = partitionBeginnings(format);

    expect(beginnings.filter((beginning) => "_firn/manifests".startsWith(beginning))).toEqual([]);
    for (let at = Date.UTC(2000, 0, 1); at < Date.UTC(2100, 0, 1); at += 7.3 * 86_400_000) {
      const path = formatPartition(format, millis(at));
      expect(beginnings.filter((beginning) => path.startsWith(beginning))).toHaveLength(1);
    }
  });
});

describe("planArchiveRules()", () => {
  it("makes one rule a tenant, with names of their own", () => {
    const place = { basePrefix: "base", prefix: "firn", tenants: ["", "acme"] };
    const partition = parsePartitionFormat("year=%Y/month=%m/day=%d/hour=%H");

    expect(planArchiveRules({ ...place, partition }, 30)).toEqual([
      { id: "firn-data", prefix: "base/firn/year=", expirationDays: 30 },
      { id: "firn-data-acme", prefix: "base/firn/acme/year=", expirationDays: 30 },
    ]);
  });

  it("numbers the rules of a format that begins in several ways", () => {
    const partition = parsePartitionFormat("%m/%d/%Y/%H");

    const rules = planArchiveRules({ basePrefix: "", prefix: "", partition, tenants: [""] }, null);

    expect(rules.map(({ id, prefix }) => `${id} ${prefix}`)).toEqual(["firn-data 0", "firn-data-2 1"]);
  });
});

describe("formatLifecycle()", () => {
  it("pins the rules of S3", () => {
    expect(
      formatLifecycle(kindOf(S3, "aws"), [AGED, { ...RULE, id: "firn-data-acme", prefix: "firn/acme/year=" }]),
    ).toEqual({
      Rules: [
        {
          ID: "firn-data",
          Status: "Enabled",
          Filter: { Prefix: "firn/year=" },
          Expiration: { Days: 365 },
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 },
        },
        {
          ID: "firn-data-acme",
          Status: "Enabled",
          Filter: { Prefix: "firn/acme/year=" },
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 },
        },
      ],
    });
    expect(formatLifecycle(kindOf(R2), [RULE])).toEqual(formatLifecycle(kindOf(S3, "aws"), [RULE]));
  });

  it("gives MinIO no ending of uploads, which it would drop", () => {
    expect(formatLifecycle(kindOf(S3, "minio"), [RULE])).toBeNull();
    expect(formatLifecycle(kindOf(S3, "minio"), [AGED])).toEqual({
      Rules: [{ ID: "firn-data", Status: "Enabled", Filter: { Prefix: "firn/year=" }, Expiration: { Days: 365 } }],
    });
  });

  it("pins the rules of GCS, B2 and Azure", () => {
    expect(formatLifecycle(kindOf(S3, "gcs"), [AGED])).toEqual({
      rule: [
        {
          action: { type: "AbortIncompleteMultipartUpload" },
          condition: { age: 3, matchesPrefix: ["firn/year="] },
        },
        { action: { type: "Delete" }, condition: { age: 365, matchesPrefix: ["firn/year="] } },
      ],
    });
    expect(formatLifecycle(kindOf(S3, "b2"), [AGED])).toEqual([
      {
        fileNamePrefix: "firn/year=",
        daysFromStartingToCancelingUnfinishedLargeFiles: 3,
        daysFromUploadingToHiding: 365,
        daysFromHidingToDeleting: 1,
      },
    ]);
    expect(formatLifecycle(kindOf(AZURE), [AGED])).toEqual({
      rules: [
        {
          enabled: true,
          name: "firn-data",
          type: "Lifecycle",
          definition: {
            filters: { blobTypes: ["blockBlob"], prefixMatch: ["c/firn/year="] },
            actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: 365 } } },
          },
        },
      ],
    });
    expect([formatLifecycle(kindOf(AZURE), [RULE]), formatLifecycle(kindOf(S3, "swift"), [AGED])]).toEqual([
      null,
      null,
    ]);
  });

  it("ends uploads anywhere in a group without an archive", () => {
    expect(formatLifecycle(kindOf(S3, "gcs"), planGroupRules("MEDIA", ""))).toEqual({
      rule: [{ action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: 3 } }],
    });
  });
});
