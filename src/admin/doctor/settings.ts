/**
 * The settings in force, by their names, as the doctor tells them: defaults filled in, and of everything secret only
 * whether it is set. Pure.
 */
import type { ArchiveConfig, Config } from "../../config.ts";
import type { CompactionConfig } from "../../config/compact-settings.ts";
import type { Scope } from "../../config/token-settings.ts";
import type {
  AzureStorageConfig,
  S3Encryption,
  S3StorageConfig,
  StorageConfig,
  StorageGroup,
} from "../../config/storage-config.ts";
import { unreachable } from "../../errors.ts";
import type { SettingValue } from "./document.ts";
import { toShownUrl } from "./shown.ts";

type Settings = Readonly<Record<string, SettingValue>>;

/** The settings that belong to no storage group, and those that the archive alone has. */
export type DescribedConfig = Omit<Config, "archive" | "media" | "tableExport" | "warnings"> & {
  readonly archive: Omit<ArchiveConfig, "storage">;
};

/** Describes what belongs to no storage group. */
export function describeConfig(config: DescribedConfig): Settings {
  const { archive, corsOrigins } = config;
  return {
    INGEST_TOKEN_SHA256: describeTokens(config, "ingest"),
    READ_TOKEN_SHA256: describeTokens(config, "read"),
    ADMIN_TOKEN_SHA256: describeTokens(config, "admin"),
    TENANTS: new Set(config.tokens.map(({ tenant }) => tenant).filter((tenant) => tenant !== "")).size,
    ALLOW_ANONYMOUS: config.allowAnonymous,
    ARCHIVE_BASE_PREFIX: archive.basePrefix,
    ARCHIVE_PARTITION_FORMAT: archive.partition.text,
    ARCHIVE_FILE_PREFIX: archive.filePrefix,
    ARCHIVE_MARSHALER: archive.marshaler,
    ARCHIVE_COMPRESSION: archive.compression,
    SHARDS: config.shards,
    FLUSH_INTERVAL_SECONDS: config.flushInterval,
    FLUSH_MAX_BYTES: config.flushMaxBytes,
    BACKLOG_MAX_BYTES: config.backlogMaxBytes,
    MAX_REQUEST_BYTES: config.maxRequestBytes,
    DEDUPE_WINDOW_SECONDS: config.dedupeWindow,
    STORE_TIMEOUT_SECONDS: config.storeTimeout,
    EVENT_MAX_LATE_HOURS: config.eventMaxLate / 3_600_000,
    CORS_ORIGINS:
      corsOrigins.kind === "list" ? corsOrigins.origins.join(",") : corsOrigins.kind === "any" ? "*" : "none",
    JURISDICTION: config.jurisdiction ?? "none",
    ...describeCompaction(config.compaction),
  };
}

function describeCompaction({ rules, retentions }: CompactionConfig): Settings {
  const retention = [...retentions].map(([signal, time]) => [`RETENTION_DAYS_${signal.toUpperCase()}`, toDays(time)]);
  return {
    COMPACT_ENABLED: rules.isEnabled,
    COMPACT_DELAY_SECONDS: rules.delay / 1000,
    COMPACT_GRACE_SECONDS: rules.grace / 1000,
    COMPACT_TARGET_BYTES: rules.targetBytes,
    COMPACT_COMPRESSION: rules.compression,
    COMPACT_LEVEL: rules.level ?? "not set",
    COMPACT_FOREIGN: rules.foreign,
    COMPACT_SOLE_WRITER: rules.isSoleWriter,
    ...Object.fromEntries(retention),
    BUCKET_EXPIRATION_DAYS: toDays(rules.bucketExpiration),
  };
}

function toDays(time: number | null): SettingValue {
  return time === null ? "not set" : time / 86_400_000;
}

/** Even a digest helps who guesses at tokens. */
function describeTokens({ tokens }: Pick<Config, "tokens">, scope: Scope): SettingValue {
  const count = tokens.filter(({ tenant, scopes }) => tenant === "" && scopes.includes(scope)).length;
  return count === 0 ? "not set" : `set (${count})`;
}

/** Describes a storage group; what reader and compactor have of their own has names of its own. */
export function describeGroup(group: StorageGroup): Settings {
  const { name } = group;
  return {
    ...describeStorage(`${name}_`, group.write),
    [`${name}_PREFIX`]: group.prefix,
    [`${name}_VERIFY_BY_READING`]: group.isVerifiedByReading,
    ...describeAccess(`${name}_READ_`, group.read, group.write),
    ...describeAccess(`${name}_COMPACT_`, group.compact, group.write),
  };
}

/** Describes what differs from the writer's settings. */
function describeAccess(name: string, config: StorageConfig, writer: StorageConfig): Settings {
  if (config === writer) return {};
  const own = Object.entries(describeStorage(name, config));
  const theirs = describeStorage(name, writer);
  // Two secrets that are both "set" look alike, and are the very thing that differs.
  return Object.fromEntries(own.filter(([key, value]) => theirs[key] !== value || value === "set"));
}

function describeStorage(name: string, config: StorageConfig): Settings {
  const entries = Object.entries(storageEntries(config));
  return Object.fromEntries(entries.map(([suffix, value]) => [`${name}${suffix}`, value]));
}

function storageEntries(config: StorageConfig): Settings {
  switch (config.kind) {
    case "r2":
      return { STORE: "r2", BUCKET: config.bucket, STORAGE_CLASS: config.storageClass ?? "not set" };
    case "s3":
      return s3Entries(config);
    case "azure":
      return azureEntries(config);
    default:
      return unreachable(config, "store");
  }
}

function s3Entries(config: S3StorageConfig): Settings {
  const { credentials } = config;
  const keys = credentials.kind === "keys" ? credentials.keys : null;
  return {
    STORE: "s3",
    BUCKET: config.bucket,
    REGION: config.region,
    ENDPOINT: config.endpoint === null ? "not set" : toShownUrl(config.endpoint),
    FORCE_PATH_STYLE: config.isPathStyle,
    DIALECT: config.dialect ?? "not set",
    ACCESS_KEY_ID: toPresence(keys?.accessKeyId),
    SECRET_ACCESS_KEY: toPresence(keys?.secretAccessKey),
    SESSION_TOKEN: toPresence(keys?.sessionToken),
    ROLE_ARN: credentials.role?.arn ?? "not set",
    EXTERNAL_ID: toPresence(credentials.role?.externalId),
    STS_ENDPOINT: toShownUrl(credentials.role?.stsEndpoint ?? "not set"),
    WEB_IDENTITY_TOKEN: toPresence(credentials.kind === "web-identity" ? credentials.token : null),
    STORAGE_CLASS: config.storageClass ?? "not set",
    ACL: config.acl ?? "not set",
    ...encryptionEntries(config.encryption),
    TAGS: config.tags.map((tag) => `${tag.name}=${tag.value}`).join("&"),
    EXPECTED_BUCKET_OWNER: config.expectedBucketOwner ?? "not set",
    REQUESTER_PAYS: config.isRequesterPays,
  };
}

function encryptionEntries(encryption: S3Encryption): Settings {
  switch (encryption.kind) {
    case "none":
      return { SSE: "not set" };
    case "sse-s3":
      return { SSE: "AES256" };
    case "sse-kms":
      return {
        SSE: encryption.algorithm,
        SSE_KMS_KEY_ID: encryption.keyId ?? "not set",
        SSE_BUCKET_KEY_ENABLED: encryption.isBucketKeyEnabled,
      };
    case "sse-c":
      return { SSE: "not set", SSE_C_KEY: "set" };
    default:
      return unreachable(encryption, "encryption");
  }
}

function azureEntries(config: AzureStorageConfig): Settings {
  return {
    STORE: "azure",
    BUCKET: config.container,
    ACCESS_KEY_ID: config.account,
    ENDPOINT: toShownUrl(config.endpoint),
    SECRET_ACCESS_KEY: toPresence(config.credential.kind === "key" ? "key" : null),
    SAS_TOKEN: toPresence(config.credential.kind === "sas" ? "token" : null),
    STORAGE_CLASS: config.accessTier ?? "not set",
    TAGS: config.tags.map((tag) => `${tag.name}=${tag.value}`).join("&"),
  };
}

function toPresence(secret: string | null | undefined): SettingValue {
  return secret === null || secret === undefined || secret === "" ? "not set" : "set";
}
