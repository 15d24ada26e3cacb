/**
 * The settings of a storage group, `<GROUP>_STORE`, `<GROUP>_BUCKET` and so on, read alike for all three groups. What
 * the chosen store does not take is refused where ignoring it would surprise, and said where it would not.
 */
import { readAzureStorage } from "./azure-settings.ts";
import { readPrefix } from "./prefix.ts";
import { hasS3Credentials, readS3Credentials, readS3Storage } from "./s3-settings.ts";
import { formatChoices, type SettingReader } from "./setting-reader.ts";
import type { R2StorageConfig, StorageConfig, StorageGroup, StorageGroupName, StoreAccess } from "./storage-config.ts";

type StoreKind = StorageConfig["kind"];

const STORES: readonly [StoreKind, ...StoreKind[]] = ["r2", "s3", "azure"];
/** As the binding calls them; `STANDARD_IA` is R2's S3 name for the second. */
const R2_CLASSES: ReadonlyMap<string, R2StorageConfig["storageClass"]> = new Map([
  ["Standard", "Standard"],
  ["STANDARD", "Standard"],
  ["InfrequentAccess", "InfrequentAccess"],
  ["STANDARD_IA", "InfrequentAccess"],
]);
/** S3: at most 63 characters, of which Ceph and others take more, and capitals. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/** Suffixes of a group's settings, and the stores that take them. */
export const STORAGE_SUFFIXES: ReadonlyMap<string, readonly StoreKind[]> = new Map([
  ["STORE", STORES],
  ["BUCKET", STORES],
  ["PREFIX", STORES],
  ["VERIFY_BY_READING", STORES],
  ["STORAGE_CLASS", STORES],
  ["REGION", ["s3"]],
  ["ENDPOINT", ["s3", "azure"]],
  ["ACCESS_KEY_ID", ["s3", "azure"]],
  ["SECRET_ACCESS_KEY", ["s3", "azure"]],
  ["SESSION_TOKEN", ["s3"]],
  ["ROLE_ARN", ["s3"]],
  ["EXTERNAL_ID", ["s3"]],
  ["WEB_IDENTITY_TOKEN", ["s3"]],
  ["STS_ENDPOINT", ["s3"]],
  ["FORCE_PATH_STYLE", ["s3"]],
  ["DIALECT", ["s3"]],
  ["ACL", ["s3"]],
  ["SSE", ["s3"]],
  ["SSE_KMS_KEY_ID", ["s3"]],
  ["SSE_BUCKET_KEY_ENABLED", ["s3"]],
  ["SSE_C_KEY", ["s3"]],
  ["TAGS", ["s3", "azure"]],
  ["EXPECTED_BUCKET_OWNER", ["s3"]],
  ["REQUESTER_PAYS", ["s3"]],
  ["SAS_TOKEN", ["azure"]],
  ["CONNECTION_STRING", ["azure"]],
]);
/** Without effect on another store, and harmless there: said, not refused. */
const HARMLESS: ReadonlySet<string> = new Set(["REGION", "FORCE_PATH_STYLE", "DIALECT"]);

/** Reads the archive's group, which there always is. @throws FirnError `misconfigured` */
export function readArchiveStorage(read: SettingReader): StorageGroup {
  return readGroup(read, "ARCHIVE");
}

/** Reads a group that is there only when something of it is set. @throws FirnError `misconfigured` */
export function readStorageGroup(read: SettingReader, name: StorageGroupName): StorageGroup | null {
  const isThere = [...STORAGE_SUFFIXES.keys()].some((suffix) => read.isSet(`${name}_${suffix}`));
  return isThere ? readGroup(read, name) : null;
}

/** Says which settings of a group are set and mean nothing for its store. */
export function findUnusedSettings(read: SettingReader, { name, write }: StorageGroup): readonly string[] {
  return [...STORAGE_SUFFIXES]
    .filter(([suffix, stores]) => !stores.includes(write.kind) && read.isSet(`${name}_${suffix}`))
    .map(([suffix]) => `${name}_${suffix} is not used: ${name}_STORE is "${write.kind}"`);
}

function readGroup(read: SettingReader, name: StorageGroupName): StorageGroup {
  const kind = read.oneOf(`${name}_STORE`, STORES);
  for (const [suffix, stores] of STORAGE_SUFFIXES) {
    const setting = `${name}_${suffix}`;
    if (stores.includes(kind) || HARMLESS.has(suffix) || !read.isSet(setting)) continue;
    throw read.wrong(setting, `${name}_STORE is "${kind}", expected ${formatChoices(stores)} beside it`);
  }
  const write = readStorage(read, name, kind);
  const stores = {
    write,
    read: readAccess(read, write, { name, access: "read" }),
    compact: readAccess(read, write, { name, access: "compact" }),
  };
  if (read.isSet(`${name}_STS_ENDPOINT`) && !Object.values(stores).some(hasRole)) {
    throw read.wrong(`${name}_STS_ENDPOINT`, `it would not be used: ${name}_ROLE_ARN is not set`);
  }
  return {
    name,
    prefix: readPrefix(read, `${name}_PREFIX`),
    ...stores,
    isVerifiedByReading: read.flag(`${name}_VERIFY_BY_READING`, false),
  };
}

function hasRole(storage: StorageConfig): boolean {
  return storage.kind === "s3" && storage.credentials.role !== null;
}

function readStorage(read: SettingReader, name: StorageGroupName, kind: StoreKind): StorageConfig {
  switch (kind) {
    case "r2":
      return { kind, bucket: readBucket(read, name, "telemetry"), storageClass: readR2Class(read, name) };
    case "s3":
      return readS3Storage(read, name, readBucket(read, name, null));
    case "azure":
      return readAzureStorage(read, name, readBucket(read, name, null));
    default:
      return kind satisfies never;
  }
}

/** The same store with the credentials of one user, `ARCHIVE_READ_ACCESS_KEY_ID` and so on (collector-s3 7.1). */
function readAccess(
  read: SettingReader,
  write: StorageConfig,
  { name, access }: { readonly name: StorageGroupName; readonly access: Exclude<StoreAccess, "write"> },
): StorageConfig {
  const prefix = `${name}_${access.toUpperCase()}`;
  if (!hasS3Credentials(read, prefix)) return write;
  if (write.kind === "s3") return { ...write, credentials: readS3Credentials(read, prefix) };
  throw read.wrong(`${prefix}_ACCESS_KEY_ID`, `${name}_STORE is "${write.kind}", expected "s3" beside it`);
}

/** @param fallback - `null` where the name must be set: nothing else says which bucket is meant. */
function readBucket(read: SettingReader, name: StorageGroupName, fallback: string | null): string {
  const setting = `${name}_BUCKET`;
  const value = read.optional(setting) ?? fallback;
  if (value === null) throw read.wrong(setting, `it is not set, expected the name of the bucket${aliasOf(name)}`);
  if (BUCKET.test(value) && !value.includes("..")) return value;
  throw read.wrong(setting, `found "${value}", expected the name of a bucket, without a scheme or a path`);
}

function aliasOf(name: StorageGroupName): string {
  return name === "ARCHIVE" ? ' ("LANGFUSE_S3_EVENT_UPLOAD_BUCKET" is the same setting)' : "";
}

function readR2Class(read: SettingReader, name: StorageGroupName): R2StorageConfig["storageClass"] {
  const setting = `${name}_STORAGE_CLASS`;
  const value = read.optional(setting);
  if (value === null) return null;
  const found = R2_CLASSES.get(value);
  if (found !== undefined) return found;
  throw read.wrong(setting, `found "${value}", expected "Standard" or "InfrequentAccess", the classes of R2`);
}
