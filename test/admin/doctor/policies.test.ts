import { describe, expect, it } from "vitest";
import { permissionsOf } from "../../../src/admin/doctor/permissions.ts";
import { arnPartitionOf, planPolicies } from "../../../src/admin/doctor/policies.ts";
import type { S3Encryption } from "../../../src/config/storage-config.ts";
import { AZURE, kindOf, R2, S3 } from "./groups.ts";

const OBJECTS = "arn:aws:s3:::b/firn/*";
const LISTING = {
  Sid: "FirnListing",
  Effect: "Allow",
  Action: ["s3:ListBucket"],
  Resource: "arn:aws:s3:::b",
  Condition: { StringLike: { "s3:prefix": ["firn/*"] } },
};

function kms(keyId: string | null): S3Encryption {
  return { kind: "sse-kms", algorithm: "aws:kms", keyId, isBucketKeyEnabled: true };
}

describe("planPolicies()", () => {
  it("pins the least rights on AWS", () => {
    expect(planPolicies(kindOf(S3, "aws"), "firn/")).toEqual({
      writer: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "FirnObjects",
            Effect: "Allow",
            Action: ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"],
            Resource: OBJECTS,
          },
        ],
      },
      reader: {
        Version: "2012-10-17",
        Statement: [LISTING, { Sid: "FirnObjects", Effect: "Allow", Action: ["s3:GetObject"], Resource: OBJECTS }],
      },
      compactor: {
        Version: "2012-10-17",
        Statement: [
          LISTING,
          {
            Sid: "FirnObjects",
            Effect: "Allow",
            Action: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"],
            Resource: OBJECTS,
          },
        ],
      },
    });
  });

  it("pins the least rights with ACL, tags, a KMS key and the bucket's root, in China", () => {
    const config = {
      ...S3,
      region: "cn-north-1",
      acl: "bucket-owner-full-control",
      tags: [{ name: "team", value: "obs" }],
      encryption: kms("1234-abcd"),
    };
    const key = "arn:aws-cn:kms:cn-north-1:*:key/1234-abcd";
    const listing = { Sid: "FirnListing", Effect: "Allow", Action: ["s3:ListBucket"], Resource: "arn:aws-cn:s3:::b" };

    expect(planPolicies(kindOf(config, "aws"), "")).toEqual({
      writer: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "FirnObjects",
            Effect: "Allow",
            Action: [
              "s3:PutObject",
              "s3:GetObject",
              "s3:AbortMultipartUpload",
              "s3:PutObjectAcl",
              "s3:PutObjectTagging",
            ],
            Resource: "arn:aws-cn:s3:::b/*",
          },
          { Sid: "FirnKey", Effect: "Allow", Action: ["kms:GenerateDataKey", "kms:Decrypt"], Resource: key },
        ],
      },
      reader: {
        Version: "2012-10-17",
        Statement: [
          listing,
          { Sid: "FirnObjects", Effect: "Allow", Action: ["s3:GetObject"], Resource: "arn:aws-cn:s3:::b/*" },
          { Sid: "FirnKey", Effect: "Allow", Action: ["kms:Decrypt"], Resource: key },
        ],
      },
      compactor: {
        Version: "2012-10-17",
        Statement: [
          listing,
          {
            Sid: "FirnObjects",
            Effect: "Allow",
            Action: [
              "s3:GetObject",
              "s3:PutObject",
              "s3:AbortMultipartUpload",
              "s3:DeleteObject",
              "s3:PutObjectAcl",
              "s3:PutObjectTagging",
            ],
            Resource: "arn:aws-cn:s3:::b/*",
          },
          { Sid: "FirnKey", Effect: "Allow", Action: ["kms:GenerateDataKey", "kms:Decrypt"], Resource: key },
        ],
      },
    });
  });

  it.each([
    ["arn:aws:kms:eu-west-1:1:key/k", { Resource: "arn:aws:kms:eu-west-1:1:key/k" }],
    [
      "alias/firn",
      {
        Resource: "arn:aws:kms:eu-west-1:*:key/*",
        Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/firn" } },
      },
    ],
    [
      "arn:aws:kms:eu-west-1:1:alias/firn",
      {
        Resource: "arn:aws:kms:eu-west-1:*:key/*",
        Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/firn" } },
      },
    ],
  ])("names the KMS key %s as a policy can", (keyId, expected) => {
    const { reader } = planPolicies(kindOf({ ...S3, encryption: kms(keyId) }, "aws"), "firn/");

    const key = { Sid: "FirnKey", Effect: "Allow", Action: ["kms:Decrypt"], ...expected };
    expect(reader).toMatchObject({ Statement: [{}, {}, key] });
  });

  it("asks nothing of KMS with AWS's own key", () => {
    const { writer } = planPolicies(kindOf({ ...S3, encryption: kms(null) }, "aws"), "firn/");

    expect(JSON.stringify(writer)).not.toContain("kms");
  });

  it("lets a writer list where a put looks first, and for that alone", () => {
    expect(permissionsOf(kindOf(S3, "wasabi", "checked"), ["get"])).toEqual(["s3:GetObject"]);
    const { writer } = planPolicies(kindOf(S3, "wasabi", "checked"), "firn/");

    expect(writer).toMatchObject({ Statement: [LISTING, {}] });
  });

  it.each([
    [kindOf(R2), "writer", "every right to its bucket"],
    [kindOf(S3, "r2"), "writer", 'Object Read & Write, bucket "b"; R2 has neither write-only nor prefix scopes'],
    [kindOf(S3, "r2"), "reader", "Object Read only"],
    [kindOf(S3, "gcs", "checked"), "reader", 'On gs://b, names that begin with "firn/": roles/storage.objectViewer'],
    [kindOf(S3, "b2", "checked"), "writer", "writeFiles, readFiles, listFiles"],
    [kindOf(S3, "b2"), "compactor", "deleteFiles"],
    [kindOf(S3, "swift"), "reader", 'ACL of container "b": read;'],
    [kindOf(AZURE), "writer", 'SAS for container "c" with sp=rcw'],
    [kindOf(AZURE), "reader", "sp=rl"],
    [kindOf(AZURE), "compactor", "sp=rcwdl"],
    [kindOf({ ...AZURE, tags: [{ name: "a", value: "b" }] }), "writer", "sp=rcwt"],
  ] as const)("says in words what has no document: %#", (kind, role, words) => {
    expect(planPolicies(kind, "firn/")[role]).toContain(words);
  });
});

describe("arnPartitionOf()", () => {
  it.each([
    ["eu-west-1", "aws"],
    ["auto", "aws"],
    ["cn-northwest-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
  ])("knows that %s is in %s", (region, partition) => {
    expect(arnPartitionOf(region)).toBe(partition);
  });
});
