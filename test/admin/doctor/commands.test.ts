import { describe, expect, it } from "vitest";
import { planCommands } from "../../../src/admin/doctor/commands.ts";
import type { LifecycleRule } from "../../../src/admin/doctor/lifecycle.ts";
import type { StoreKind } from "../../../src/admin/doctor/permissions.ts";
import { planPolicies } from "../../../src/admin/doctor/policies.ts";
import { AZURE, kindOf, R2, S3 } from "./groups.ts";

function commandsOf(kind: StoreKind, expirationDays: number | null = null): readonly string[] {
  const rules: readonly LifecycleRule[] = [{ id: "firn-data", prefix: "firn/year=", expirationDays }];
  const policies = planPolicies(kind, "firn/");
  return planCommands(kind, { group: "archive", rules, policies, prefix: "firn/" });
}

function startsOf(kind: StoreKind): readonly string[] {
  return commandsOf(kind).map((line) => (line.startsWith("#") ? "#" : line.split(" ").slice(0, 4).join(" ")));
}

describe("planCommands()", () => {
  it("makes an R2 bucket with its rule", () => {
    expect(commandsOf(kindOf(R2), 365).slice(0, 2)).toEqual([
      "npx wrangler r2 bucket create telemetry",
      "npx wrangler r2 bucket lifecycle add telemetry firn-data firn/year= " +
        "--abort-multipart-days 3 --expire-days 365 --force",
    ]);
  });

  it("finds the jurisdiction of an R2 endpoint", () => {
    const config = { ...S3, endpoint: "https://0123.eu.r2.cloudflarestorage.com" };

    const commands = commandsOf(kindOf(config, "r2"));

    expect(commands[0]).toBe("npx wrangler r2 bucket create b --jurisdiction eu");
    expect(commands.join("\n")).toContain("R2 tokens are limited to buckets, never to a prefix");
  });

  it("makes an AWS bucket, its rules and its policies", () => {
    const commands = commandsOf(kindOf(S3, "aws"));

    expect(commands[0]).toBe(
      "aws s3api create-bucket --bucket b --region eu-west-1 " +
        "--create-bucket-configuration LocationConstraint=eu-west-1",
    );
    const rules =
      '{"Rules":[{"ID":"firn-data","Status":"Enabled","Filter":{"Prefix":"firn/year="},' +
      '"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":3}}]}';
    expect(commands).toContain(
      `aws s3api put-bucket-lifecycle-configuration --bucket b --lifecycle-configuration '${rules}'`,
    );
    expect(
      commands.filter((line) => line.startsWith("aws iam create-policy --policy-name firn-archive-")),
    ).toHaveLength(3);
  });

  it("gives us-east-1 no constraint, and an ACL an owner who takes it", () => {
    const config = { ...S3, region: "us-east-1", acl: "private" };

    expect(commandsOf(kindOf(config, "aws"))[0]).toBe(
      "aws s3api create-bucket --bucket b --region us-east-1 --object-ownership BucketOwnerPreferred",
    );
  });

  it("says whose the rights are where a role is assumed", () => {
    const role = { arn: "arn:aws:iam::1:role/firn", externalId: "external-canary", stsEndpoint: null };
    const keys = { accessKeyId: "A", secretAccessKey: "B", sessionToken: null };
    const config = { ...S3, credentials: { kind: "keys" as const, keys, role } };

    const text = commandsOf(kindOf(config, "aws")).join("\n");

    expect(text).toContain("need sts:AssumeRole on arn:aws:iam::1:role/firn and nothing else");
    expect(text).not.toContain("external-canary");
  });

  it.each([
    [
      "ceph",
      [
        "aws --endpoint-url http://rgw:7480 s3api",
        "#",
        "aws --endpoint-url http://rgw:7480 s3api",
        "radosgw-admin user create --uid",
      ],
    ],
    ["generic", ["aws --endpoint-url http://rgw:7480 s3api", "#", "aws --endpoint-url http://rgw:7480 s3api"]],
    ["swift", ["aws --endpoint-url http://rgw:7480 s3api", "#"]],
    ["minio", ["mc alias set ALIAS", "mc mb --ignore-existing ALIAS/b", "#"]],
    ["gcs", ["gcloud storage buckets create", "#"]],
    ["b2", ["b2 bucket create b", "#", "b2 bucket update b", "b2 key create --bucket"]],
  ] as const)("speaks the tools of %s", (dialect, starts) => {
    const config = { ...S3, endpoint: "http://rgw:7480" };

    expect(startsOf(kindOf(config, dialect)).slice(0, starts.length)).toEqual(starts);
  });

  it("makes an Azure container and its signatures", () => {
    const commands = commandsOf(kindOf(AZURE), 30);

    expect(commands[0]).toBe("az storage container create --account-name acct --name c --auth-mode login");
    expect(commands).toContain(
      "az storage container generate-sas --account-name acct --name c --permissions rcwdl " +
        "--expiry DATE --https-only --account-key KEY",
    );
    expect(commands.join("\n")).toContain("az storage account management-policy create");
    expect(commandsOf(kindOf(AZURE)).join("\n")).not.toContain("management-policy");
  });

  it("quotes for a shell what needs it", () => {
    const config = { ...R2, bucket: "it's; rm" };

    expect(commandsOf(kindOf(config))[0]).toBe(String.raw`npx wrangler r2 bucket create 'it'\''s; rm'`);
  });
});
