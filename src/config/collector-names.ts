/**
 * Settings that users of the Collector's awss3exporter look for and that Firn does not have under that name: those that
 * would change what is stored are refused with what to do instead, the others are said to be without effect. Also finds
 * names that look like a storage setting and are none.
 */
import type { SettingReader } from "./setting-reader.ts";
import { STORAGE_SUFFIXES } from "./storage-settings.ts";

const TENANTS_INSTEAD =
  'give each tenant a token of its own ("TENANTS"), and its data lies under a prefix of its own in the bucket';
/** Suffix of `ARCHIVE_` → what to do. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["RESOURCE_ATTRS_TO_S3", TENANTS_INSTEAD],
  ["RESOURCE_ATTRS_TO_S3_PREFIX", TENANTS_INSTEAD],
  ["RESOURCE_ATTRS_TO_S3_BUCKET", TENANTS_INSTEAD],
  ["RESOURCE_ATTRS_TO_S3_S3_PREFIX", TENANTS_INSTEAD],
  ["RESOURCE_ATTRS_TO_S3_S3_BUCKET", TENANTS_INSTEAD],
  ["ENCODING", 'ARCHIVE_MARSHALER takes "otlp_proto" and "otlp_json"'],
  ["ENCODING_FILE_EXTENSION", "the extension follows from ARCHIVE_MARSHALER and ARCHIVE_COMPRESSION"],
  ["DISABLE_SSL", "the scheme of ARCHIVE_ENDPOINT decides"],
]);
const WITHOUT_EFFECT: ReadonlyMap<string, string> = new Map([
  ["UNIQUE_KEY_FUNC_NAME", "names of objects never collide"],
  ["RETRY_MODE", "what is not stored is tried again without end"],
  ["RETRY_MAX_ATTEMPTS", "what is not stored is tried again without end"],
  ["RETRY_MAX_BACKOFF", "pauses grow to a minute"],
  ["TIMEOUT", "STORE_TIMEOUT_SECONDS is the setting"],
]);
/** What stands for an attribute in other writers' settings. */
const TENANT_ATTRIBUTE = "TENANT_PREFIX_ATTRIBUTE";
const ARCHIVE_ONLY: readonly string[] = ["BASE_PREFIX", "FILE_PREFIX", "PARTITION_FORMAT", "PARTITION_TIMEZONE"].concat(
  ["MARSHALER", "COMPRESSION"],
);
const ACCESS_SUFFIX =
  /^(READ|COMPACT)_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|ROLE_ARN|EXTERNAL_ID|WEB_IDENTITY_TOKEN)$/;

/** @throws FirnError `misconfigured` for a setting that would be obeyed elsewhere and cannot be here. */
export function refuseUnsupported(read: SettingReader): void {
  for (const [suffix, instead] of REFUSED) {
    const name = `ARCHIVE_${suffix}`;
    if (read.isSet(name)) throw read.wrong(name, `it is not supported: ${instead}`);
  }
  if (read.isSet(TENANT_ATTRIBUTE)) throw read.wrong(TENANT_ATTRIBUTE, `it is not supported: ${TENANTS_INSTEAD}`);
}

/** Says which settings have no effect, and which are none. @param names - of everything that is set */
export function findIneffective(names: Iterable<string>): readonly string[] {
  const warnings: string[] = [];
  for (const name of names) {
    const match = /^(ARCHIVE|MEDIA|EXPORT)_(\w+)$/.exec(name);
    const [, group, suffix] = match ?? [];
    if (group === undefined || suffix === undefined || isKnown(group, suffix)) continue;
    const reason = group === "ARCHIVE" ? WITHOUT_EFFECT.get(suffix) : undefined;
    warnings.push(`${name} is not used: ${reason ?? "it is no setting of Firn"}`);
  }
  return warnings;
}

function isKnown(group: string, suffix: string): boolean {
  if (STORAGE_SUFFIXES.has(suffix) || ACCESS_SUFFIX.test(suffix)) return true;
  return group === "ARCHIVE" && (ARCHIVE_ONLY.includes(suffix) || REFUSED.has(suffix));
}
