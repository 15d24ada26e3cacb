import { describe, expect, it } from "vitest";
import { S3_DIALECTS } from "../../../src/config/storage-config.ts";
import { DIALECTS, findDialect, listNotTaken } from "../../../src/object-store/s3/dialect.ts";
import { openS3Store } from "../../../src/object-store/s3/s3-store.ts";
import { PLAIN } from "./s3-kit.ts";

describe("findDialect()", () => {
  it.each([
    [null, "aws"],
    ["https://s3.dualstack.eu-west-1.amazonaws.com", "aws"],
    ["https://s3.cn-north-1.amazonaws.com.cn", "aws"],
    ["https://0123456789abcdef.r2.cloudflarestorage.com", "r2"],
    ["https://0123456789abcdef.eu.r2.cloudflarestorage.com", "r2"],
    ["https://storage.googleapis.com", "gcs"],
    ["https://s3.us-west-004.backblazeb2.com", "b2"],
    ["https://s3.eu-central-1.wasabisys.com", "wasabi"],
    ["http://127.0.0.1:9000/amazonaws.com", "generic"],
    ["https://amazonaws.com.example", "generic"],
    ["https://notamazonaws.com", "generic"],
  ] as const)("knows %s as %s", (endpoint, name) => {
    expect(findDialect({ endpoint, dialect: null })).toBe(DIALECTS[name]);
  });

  it("follows the settings before the host", () => {
    expect(findDialect({ endpoint: "https://storage.googleapis.com", dialect: "ceph" })).toBe(DIALECTS.ceph);
  });

  it("has a row for every dialect of the settings", () => {
    expect(Object.keys(DIALECTS)).toEqual([...S3_DIALECTS]);
  });
});

describe("listNotTaken()", () => {
  const wanted = {
    ...PLAIN,
    acl: "private",
    tags: [{ name: "team", value: "a" }],
    storageClass: "STANDARD_IA",
    expectedBucketOwner: "123456789012",
    isRequesterPays: true,
    encryption: { kind: "sse-s3" },
  } as const;

  it("finds nothing where S3 is as it is specified, nor in plain settings anywhere", () => {
    expect(listNotTaken(wanted, DIALECTS.generic)).toEqual([]);
    for (const name of S3_DIALECTS) expect(listNotTaken(PLAIN, DIALECTS[name])).toEqual([]);
  });

  it("names what R2 does not take, and the store is not opened", () => {
    const found = ["an ACL", "tags", "an expected bucket owner", "requester pays", 'encryption "sse-s3"'];

    expect(listNotTaken(wanted, DIALECTS.r2)).toEqual(found);
    expect(() => openS3Store({ ...wanted, dialect: "r2" }, { now: () => 0 })).toThrow(
      expect.objectContaining({
        kind: "misconfigured",
        message: expect.stringContaining(`the store does not take ${found.join(", ")}, expected settings without`),
      }),
    );
  });
});
