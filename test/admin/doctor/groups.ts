/** Settings of storage groups for the tests of the doctor, with values that are easy to find again. */
import { parsePartitionFormat } from "../../../src/archive/partition.ts";
import { readCompaction } from "../../../src/config/compact-settings.ts";
import { openSettingReader } from "../../../src/config/setting-reader.ts";
import type { DescribedConfig } from "../../../src/admin/doctor/settings.ts";
import type { StoreKind } from "../../../src/admin/doctor/permissions.ts";
import type {
  AzureStorageConfig,
  R2StorageConfig,
  S3DialectName,
  S3StorageConfig,
  StorageConfig,
  StorageGroup,
} from "../../../src/config/storage-config.ts";
import { bytes, millis, seconds } from "../../../src/units.ts";

export const R2: R2StorageConfig = { kind: "r2", bucket: "telemetry", storageClass: null };

export const S3: S3StorageConfig = {
  kind: "s3",
  bucket: "b",
  region: "eu-west-1",
  endpoint: null,
  isPathStyle: false,
  dialect: null,
  credentials: {
    kind: "keys",
    keys: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret-example", sessionToken: null },
    role: null,
  },
  storageClass: null,
  acl: null,
  encryption: { kind: "none" },
  tags: [],
  expectedBucketOwner: null,
  isRequesterPays: false,
};

export const AZURE: AzureStorageConfig = {
  kind: "azure",
  container: "c",
  account: "acct",
  endpoint: "https://acct.blob.core.windows.net",
  credential: { kind: "key", key: new Uint8Array(32).fill(7) },
  accessTier: null,
  tags: [],
  createsContainer: true,
};

/** A group whose three users share their credentials, unless told otherwise. */
export function groupOf(write: StorageConfig, rest: Partial<StorageGroup> = {}): StorageGroup {
  return { name: "ARCHIVE", prefix: "firn", write, read: write, compact: write, isVerifiedByReading: false, ...rest };
}

export function kindOf(
  config: StorageConfig,
  dialect: S3DialectName | null = null,
  createOnly: StoreKind["createOnly"] = "atomic",
): StoreKind {
  return { config, dialect, createOnly };
}

export const CONFIG: DescribedConfig = {
  tokens: [],
  allowAnonymous: false,
  archive: {
    basePrefix: "",
    prefix: "firn",
    filePrefix: "",
    partition: parsePartitionFormat("year=%Y/month=%m/day=%d/hour=%H/minute=%M"),
    marshaler: "otlp_proto",
    compression: "gzip",
  },
  shards: 1,
  flushInterval: seconds(60),
  flushMaxBytes: bytes(1),
  backlogMaxBytes: bytes(2),
  maxRequestBytes: bytes(3),
  corsOrigins: { kind: "any" },
  dedupeWindow: seconds(3600),
  compaction: readCompaction(openSettingReader({ values: new Map(), aliases: new Map() })),
  storeTimeout: seconds(30),
  eventMaxLate: millis(0),
  jurisdiction: null,
};
