import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

const KEYS = { ARCHIVE_ACCESS_KEY_ID: "AKIA", ARCHIVE_SECRET_ACCESS_KEY: "canary-secret" };
const S3 = { ARCHIVE_STORE: "s3", ARCHIVE_BUCKET: "b", ...KEYS };
const WEB_IDENTITY = {
  ARCHIVE_STORE: "s3",
  ARCHIVE_BUCKET: "b",
  ARCHIVE_ROLE_ARN: "arn:aws:iam::123456789012:role/firn",
  ARCHIVE_WEB_IDENTITY_TOKEN: "canary.jwt",
};
const AZURE_KEY = btoa("canary-account-key");
const AZURE = { ARCHIVE_STORE: "azure", ARCHIVE_BUCKET: "logs", ARCHIVE_ACCESS_KEY_ID: "acct" };
const TOKEN = "sv=2024-11-04&sp=rwl&sig=canary-signature";

function readArchive(env: Readonly<Record<string, unknown>>) {
  return readConfig(env).archive.storage;
}

describe("readConfig() of a storage group", () => {
  it("is R2 behind the binding without any setting, and one store for all users", () => {
    const group = readArchive({});

    expect(group).toEqual({
      name: "ARCHIVE",
      prefix: "",
      write: { kind: "r2", bucket: "telemetry", storageClass: null },
      read: group.write,
      compact: group.write,
      isVerifiedByReading: false,
    });
  });

  it("reads a store that speaks S3, with the defaults of the SDKs", () => {
    expect(readArchive(S3).write).toEqual({
      kind: "s3",
      bucket: "b",
      endpoint: null,
      region: "us-east-1",
      isPathStyle: false,
      dialect: null,
      credentials: {
        kind: "keys",
        keys: { accessKeyId: "AKIA", secretAccessKey: "canary-secret", sessionToken: null },
        role: null,
      },
      storageClass: null,
      acl: null,
      encryption: { kind: "none" },
      tags: [],
      expectedBucketOwner: null,
      isRequesterPays: false,
    });
  });

  it("takes path style and the region auto where an endpoint is set, keeps its port and path, drops the slash", () => {
    const { write } = readArchive({ ...S3, ARCHIVE_ENDPOINT: "http://127.0.0.1:9000/s3/" });

    expect(write).toMatchObject({ endpoint: "http://127.0.0.1:9000/s3", isPathStyle: true, region: "auto" });
  });

  it("reads every setting of S3", () => {
    const { write } = readArchive({
      ...S3,
      ARCHIVE_REGION: "eu-central-1",
      ARCHIVE_FORCE_PATH_STYLE: "true",
      ARCHIVE_SESSION_TOKEN: "session",
      ARCHIVE_ROLE_ARN: "arn:aws:iam::123456789012:role/firn",
      ARCHIVE_EXTERNAL_ID: "external",
      ARCHIVE_STORAGE_CLASS: "GLACIER_IR",
      ARCHIVE_ACL: "bucket-owner-full-control",
      ARCHIVE_SSE: "aws:kms",
      ARCHIVE_SSE_KMS_KEY_ID: "alias/firn",
      ARCHIVE_TAGS: "team=obs&cost=a%20b",
      ARCHIVE_EXPECTED_BUCKET_OWNER: "123456789012",
      ARCHIVE_REQUESTER_PAYS: "true",
      ARCHIVE_DIALECT: "ceph",
    });

    expect(write).toMatchObject({
      region: "eu-central-1",
      isPathStyle: true,
      dialect: "ceph",
      credentials: {
        keys: { sessionToken: "session" },
        role: { arn: "arn:aws:iam::123456789012:role/firn", externalId: "external", stsEndpoint: null },
      },
      storageClass: "GLACIER_IR",
      acl: "bucket-owner-full-control",
      encryption: { kind: "sse-kms", algorithm: "aws:kms", keyId: "alias/firn", isBucketKeyEnabled: true },
      tags: [
        { name: "team", value: "obs" },
        { name: "cost", value: "a b" },
      ],
      expectedBucketOwner: "123456789012",
      isRequesterPays: true,
    });
  });

  it("reads a role with a web identity, without any key", () => {
    const env = {
      ARCHIVE_STORE: "s3",
      ARCHIVE_BUCKET: "b",
      ARCHIVE_ROLE_ARN: "arn:aws:iam::123456789012:role/firn",
      ARCHIVE_WEB_IDENTITY_TOKEN: "canary.jwt",
    };

    expect(readArchive(env).write).toMatchObject({ credentials: { kind: "web-identity", token: "canary.jwt" } });
  });

  it.each([
    ["AES256", { kind: "sse-s3" }],
    ["aws:kms:dsse", { kind: "sse-kms", algorithm: "aws:kms:dsse", keyId: null, isBucketKeyEnabled: false }],
  ])("reads %s as encryption", (mode, encryption) => {
    expect(readArchive({ ...S3, ARCHIVE_SSE: mode }).write).toMatchObject({ encryption });
  });

  it("reads a customer's key of 32 bytes", () => {
    const { write } = readArchive({ ...S3, ARCHIVE_SSE_C_KEY: new Uint8Array(32).fill(7).toBase64() });

    expect(write).toMatchObject({ encryption: { kind: "sse-c", key: new Uint8Array(32).fill(7) } });
  });

  it("gives readers and the compactor credentials of their own, and the same bucket", () => {
    const group = readArchive({
      ...S3,
      ARCHIVE_READ_ACCESS_KEY_ID: "READER",
      ARCHIVE_READ_SECRET_ACCESS_KEY: "canary-reader",
    });

    expect(group.read).toMatchObject({ bucket: "b", credentials: { keys: { accessKeyId: "READER" } } });
    expect(group.write).toMatchObject({ credentials: { keys: { accessKeyId: "AKIA" } } });
    expect(group.compact).toEqual(group.write);
  });

  it("reads a container of Azure by key, by signature and by connection string", () => {
    const byKey = readArchive({ ...AZURE, ARCHIVE_SECRET_ACCESS_KEY: AZURE_KEY }).write;
    const bySas = readArchive({ ...AZURE, ARCHIVE_SAS_TOKEN: `?${TOKEN}`, ARCHIVE_STORAGE_CLASS: "Cool" }).write;
    const text = `AccountName=acct;AccountKey=${AZURE_KEY};BlobEndpoint=http://127.0.0.1:10000/acct;`;
    const byText = readArchive({
      ARCHIVE_STORE: "azure",
      ARCHIVE_BUCKET: "logs",
      ARCHIVE_CONNECTION_STRING: text,
    }).write;

    const key = new TextEncoder().encode("canary-account-key");
    expect(byKey).toEqual({
      kind: "azure",
      container: "logs",
      account: "acct",
      endpoint: "https://acct.blob.core.windows.net",
      credential: { kind: "key", key },
      accessTier: null,
      tags: [],
      createsContainer: true,
    });
    expect(bySas).toMatchObject({ credential: { kind: "sas", token: TOKEN }, accessTier: "Cool" });
    expect(byText).toMatchObject({ endpoint: "http://127.0.0.1:10000/acct", credential: { kind: "key", key } });
  });

  it("reads the groups of media and exports only where something of them is set", () => {
    const config = readConfig({ MEDIA_BUCKET: "media", MEDIA_PREFIX: "m/" });

    expect(config.media).toMatchObject({ name: "MEDIA", prefix: "m", write: { kind: "r2", bucket: "media" } });
    expect(config.tableExport).toBeNull();
  });
});

describe("readConfig() refuses of a storage group", () => {
  it.each<readonly [Record<string, string>, string, string]>([
    [{ ARCHIVE_STORE: "gcs" }, "ARCHIVE_STORE", 'found "gcs", expected "r2" or "s3" or "azure"'],
    [{ ARCHIVE_STORE: "s3", ...KEYS }, "ARCHIVE_BUCKET", "it is not set, expected the name of the bucket"],
    [{ ...S3, ARCHIVE_BUCKET: "s3://b" }, "ARCHIVE_BUCKET", "without a scheme or a path"],
    [{ ARCHIVE_STORE: "s3", ARCHIVE_BUCKET: "b" }, "ARCHIVE_ACCESS_KEY_ID", "or ARCHIVE_ROLE_ARN with"],
    [{ ...S3, ARCHIVE_ACCESS_KEY_ID: "" }, "ARCHIVE_ACCESS_KEY_ID", "beside ARCHIVE_SECRET_ACCESS_KEY"],
    [{ ...S3, ARCHIVE_SECRET_ACCESS_KEY: "" }, "ARCHIVE_SECRET_ACCESS_KEY", "beside ARCHIVE_ACCESS_KEY_ID"],
    [{ ...S3, ARCHIVE_SECRET_ACCESS_KEY: "canary\nline" }, "ARCHIVE_SECRET_ACCESS_KEY", "it holds a space, a line end"],
    [{ ...S3, ARCHIVE_EXTERNAL_ID: "external" }, "ARCHIVE_EXTERNAL_ID", "ARCHIVE_ROLE_ARN is not set"],
    [{ ...S3, ARCHIVE_ROLE_ARN: "firn" }, "ARCHIVE_ROLE_ARN", "expected the ARN of a role"],
    [{ ...S3, ARCHIVE_WEB_IDENTITY_TOKEN: "canary" }, "ARCHIVE_WEB_IDENTITY_TOKEN", "ARCHIVE_ROLE_ARN is not set"],
    [{ ...WEB_IDENTITY, ...KEYS }, "ARCHIVE_ACCESS_KEY_ID", "ARCHIVE_WEB_IDENTITY_TOKEN is set"],
    [{ ...WEB_IDENTITY, ARCHIVE_SESSION_TOKEN: "canary" }, "ARCHIVE_SESSION_TOKEN", "it would not be used"],
    [{ ...WEB_IDENTITY, ARCHIVE_EXTERNAL_ID: "external" }, "ARCHIVE_EXTERNAL_ID", "it would not be used"],
    [{ ...S3, ARCHIVE_STS_ENDPOINT: "https://sts.example" }, "ARCHIVE_STS_ENDPOINT", "ARCHIVE_ROLE_ARN is not set"],
    [{ ...S3, ARCHIVE_SSE_C_KEY: "AAAA", ARCHIVE_SSE_KMS_KEY_ID: "k" }, "ARCHIVE_SSE_C_KEY", "KMS_KEY_ID is set too"],
    [{ ...S3, ARCHIVE_ENDPOINT: "minio:9000" }, "ARCHIVE_ENDPOINT", "expected a URL such as"],
    [{ ...S3, ARCHIVE_ENDPOINT: "https://canary:canary@h" }, "ARCHIVE_ENDPOINT", "without credentials"],
    [{ ...S3, ARCHIVE_FORCE_PATH_STYLE: "yes" }, "ARCHIVE_FORCE_PATH_STYLE", 'expected "true" or "false"'],
    [{ ...S3, ARCHIVE_REGION: "eu central" }, "ARCHIVE_REGION", "expected letters, digits"],
    [{ ...S3, ARCHIVE_STORAGE_CLASS: "COLD" }, "ARCHIVE_STORAGE_CLASS", '"GLACIER_IR"'],
    [{ ...S3, ARCHIVE_ACL: "everyone" }, "ARCHIVE_ACL", '"bucket-owner-full-control"'],
    [{ ...S3, ARCHIVE_SSE: "AES128" }, "ARCHIVE_SSE", 'expected "AES256" or "aws:kms"'],
    [{ ...S3, ARCHIVE_SSE_KMS_KEY_ID: "k" }, "ARCHIVE_SSE_KMS_KEY_ID", 'expected "aws:kms" as ARCHIVE_SSE'],
    [{ ...S3, ARCHIVE_SSE_C_KEY: "AAAA" }, "ARCHIVE_SSE_C_KEY", "found 3 bytes, expected 32 bytes in base64"],
    [{ ...S3, ARCHIVE_SSE_C_KEY: "canary!" }, "ARCHIVE_SSE_C_KEY", "it is not base64"],
    [{ ...S3, ARCHIVE_SSE: "AES256", ARCHIVE_SSE_C_KEY: "AAAA" }, "ARCHIVE_SSE_C_KEY", "ARCHIVE_SSE is set too"],
    [{ ...S3, ARCHIVE_TAGS: "=v" }, "ARCHIVE_TAGS", 'up to 10 different tags such as "team=a&cost=b"'],
    [{ ...S3, ARCHIVE_EXPECTED_BUCKET_OWNER: "me" }, "ARCHIVE_EXPECTED_BUCKET_OWNER", "12 digits"],
    [{ ...S3, ARCHIVE_SAS_TOKEN: TOKEN }, "ARCHIVE_SAS_TOKEN", 'ARCHIVE_STORE is "s3", expected "azure" beside it'],
    [{ ...KEYS }, "ARCHIVE_ACCESS_KEY_ID", 'ARCHIVE_STORE is "r2", expected "s3" or "azure" beside it'],
    [{ ARCHIVE_ACL: "private" }, "ARCHIVE_ACL", 'ARCHIVE_STORE is "r2", expected "s3" beside it'],
    [{ ARCHIVE_STORAGE_CLASS: "GLACIER" }, "ARCHIVE_STORAGE_CLASS", "the classes of R2"],
    [{ ...AZURE }, "ARCHIVE_SECRET_ACCESS_KEY", "expected the account key, or ARCHIVE_SAS_TOKEN"],
    [{ ...AZURE, ARCHIVE_SECRET_ACCESS_KEY: "canary!" }, "ARCHIVE_SECRET_ACCESS_KEY", "it is not base64"],
    [{ ...AZURE, ARCHIVE_SAS_TOKEN: "canary" }, "ARCHIVE_SAS_TOKEN", 'it has no "sig"'],
    [{ ...AZURE, ARCHIVE_BUCKET: "Logs" }, "ARCHIVE_BUCKET", "expected the name of a container"],
    [{ ...AZURE, ARCHIVE_ACCESS_KEY_ID: AZURE_KEY }, "ARCHIVE_ACCESS_KEY_ID", "expected the name of a storage account"],
    [{ ...AZURE, ARCHIVE_ACCESS_KEY_ID: "" }, "ARCHIVE_ACCESS_KEY_ID", "or ARCHIVE_CONNECTION_STRING"],
    [{ ...AZURE, ARCHIVE_CONNECTION_STRING: "x" }, "ARCHIVE_CONNECTION_STRING", "ARCHIVE_ACCESS_KEY_ID is set too"],
    [{ ARCHIVE_READ_ACCESS_KEY_ID: "canary" }, "ARCHIVE_READ_ACCESS_KEY_ID", 'ARCHIVE_STORE is "r2"'],
    [{ MEDIA_STORE: "s3" }, "MEDIA_BUCKET", "it is not set"],
    [{ ARCHIVE_PARTITION_TIMEZONE: "Europe/Zurich" }, "ARCHIVE_PARTITION_TIMEZONE", "partitions are always in UTC"],
    [{ ARCHIVE_RESOURCE_ATTRS_TO_S3_PREFIX: "x" }, "ARCHIVE_RESOURCE_ATTRS_TO_S3_PREFIX", '"TENANTS"'],
    [{ TENANT_PREFIX_ATTRIBUTE: "x" }, "TENANT_PREFIX_ATTRIBUTE", '"TENANTS"'],
    [{ ARCHIVE_DISABLE_SSL: "true" }, "ARCHIVE_DISABLE_SSL", "the scheme of ARCHIVE_ENDPOINT decides"],
    [{ STORE_TIMEOUT_SECONDS: "0" }, "STORE_TIMEOUT_SECONDS", "whole number from 1 to 300"],
  ])("%j, naming %s in one sentence that holds no secret", (env, name, sentence) => {
    expect(() => readConfig(env)).toThrow(
      expect.objectContaining({ kind: "misconfigured", field: name, message: expect.stringContaining(sentence) }),
    );
    expect(() => readConfig(env)).toThrow(new RegExp(`^Cannot use the setting ${name}: `));
    expect(() => readConfig(env)).not.toThrow(/canary|Y2FuYXJ5/);
  });
});

describe("readConfig().warnings", () => {
  it.each<readonly [Record<string, string>, string]>([
    [{ ...S3, ARCHIVE_ENDPOINT: "http://h" }, "ARCHIVE_ENDPOINT is plain http"],
    [{ ...S3, ARCHIVE_STORAGE_CLASS: "DEEP_ARCHIVE" }, "must be restored before they can be replayed"],
    [{ ...S3, ARCHIVE_ACL: "public-read" }, "everybody can read the archive"],
    [{ ARCHIVE_REGION: "auto" }, 'ARCHIVE_REGION is not used: ARCHIVE_STORE is "r2"'],
    [{ ARCHIVE_BUCKT: "b" }, "ARCHIVE_BUCKT is not used: it is no setting of Firn"],
    [{ ARCHIVE_RETRY_MODE: "standard" }, "tried again without end"],
    [{ LANGFUSE_USE_GOOGLE_CLOUD_STORAGE: "true" }, "work through the S3 settings, with HMAC"],
  ])("says of %j: %s", (env, sentence) => {
    expect(readConfig(env).warnings).toEqual([expect.stringContaining(sentence)]);
  });

  it("has nothing to say of settings that are meant", () => {
    const env = {
      ...S3,
      ARCHIVE_PREFIX: "firn",
      ARCHIVE_READ_ROLE_ARN: "",
      ARCHIVE: {},
      ARCHIVE_MARSHALER: "otlp_json",
    };

    expect(readConfig(env).warnings).toEqual([]);
  });
});
