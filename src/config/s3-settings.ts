/** The settings of a store that speaks S3. Values of secrets never enter a sentence. */
import { formatChoices, type SettingReader } from "./setting-reader.ts";
import { readEncryption } from "./s3-encryption-settings.ts";
import {
  S3_DIALECTS,
  type S3CredentialsConfig,
  type S3DialectName,
  type S3Keys,
  type S3StorageConfig,
  type StorageGroupName,
} from "./storage-config.ts";
import { readEndpoint, readSecret, readTags, readWord, type WordForm } from "./storage-values.ts";

/**
 * The Collector's (collector-s3 1.1), and the one that it leaves out.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
const AWS_CLASSES: readonly string[] = ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING"].concat([
  "GLACIER_IR",
  "GLACIER",
  "DEEP_ARCHIVE",
]);
const ACLS: readonly string[] = ["private", "public-read", "public-read-write", "authenticated-read"].concat([
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
]);
const CREDENTIAL_SUFFIXES: readonly string[] = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"].concat([
  "ROLE_ARN",
  "EXTERNAL_ID",
  "WEB_IDENTITY_TOKEN",
]);
const REGION: WordForm = [/^[A-Za-z0-9-]{1,64}$/, 'letters, digits and "-"'];
const OWNER: WordForm = [/^\d{12}$/, "the 12 digits of an AWS account"];
const ROLE: WordForm = [/^arn:[\x21-\x7e]{1,2000}$/, "the ARN of a role"];
const EXTERNAL_ID: WordForm = [/^[\w+=,.@:/-]{2,1224}$/, 'letters, digits and "+=,.@:/-"'];
const CLASS: WordForm = [/^[A-Za-z0-9_-]{1,64}$/, "the name of a storage class"];

/** Reads everything of an S3 store but its bucket. @throws FirnError `misconfigured` */
export function readS3Storage(read: SettingReader, name: StorageGroupName, bucket: string): S3StorageConfig {
  const endpoint = readEndpoint(read, `${name}_ENDPOINT`);
  return {
    kind: "s3",
    bucket,
    endpoint,
    region: readWord(read, `${name}_REGION`, REGION) ?? (endpoint === null ? "us-east-1" : "auto"),
    isPathStyle: read.flag(`${name}_FORCE_PATH_STYLE`, endpoint !== null),
    dialect: readDialect(read, `${name}_DIALECT`),
    credentials: readS3Credentials(read, name),
    storageClass: readStorageClass(read, `${name}_STORAGE_CLASS`, endpoint),
    acl: readAcl(read, `${name}_ACL`),
    encryption: readEncryption(read, name),
    tags: readTags(read, `${name}_TAGS`),
    expectedBucketOwner: readWord(read, `${name}_EXPECTED_BUCKET_OWNER`, OWNER),
    isRequesterPays: read.flag(`${name}_REQUESTER_PAYS`, false),
  };
}

/** Says whether any credential stands under a prefix such as `ARCHIVE_READ`. */
export function hasS3Credentials(read: SettingReader, prefix: string): boolean {
  return CREDENTIAL_SUFFIXES.some((suffix) => read.isSet(`${prefix}_${suffix}`));
}

/** Reads what signs requests: keys, keys that assume a role, or a web identity. @throws FirnError `misconfigured` */
export function readS3Credentials(read: SettingReader, prefix: string): S3CredentialsConfig {
  const accessKeyId = readSecret(read, `${prefix}_ACCESS_KEY_ID`);
  const secretAccessKey = readSecret(read, `${prefix}_SECRET_ACCESS_KEY`);
  const token = readSecret(read, `${prefix}_WEB_IDENTITY_TOKEN`);
  const arn = readWord(read, `${prefix}_ROLE_ARN`, ROLE);
  const externalId = readWord(read, `${prefix}_EXTERNAL_ID`, EXTERNAL_ID);
  const group = prefix.split("_")[0] ?? prefix;
  const role = arn === null ? null : { arn, externalId, stsEndpoint: readEndpoint(read, `${group}_STS_ENDPOINT`) };
  if (role === null) refuseBeside(read, prefix, ["EXTERNAL_ID", "WEB_IDENTITY_TOKEN"], `${prefix}_ROLE_ARN is not set`);
  if (token !== null && role !== null) {
    const others = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "EXTERNAL_ID"];
    refuseBeside(read, prefix, others, `${prefix}_WEB_IDENTITY_TOKEN is set, which goes without it`);
    return { kind: "web-identity", role, token };
  }
  const keys = toKeys(read, prefix, { accessKeyId, secretAccessKey });
  return { kind: "keys", keys, role };
}

/** @throws FirnError `misconfigured` for a setting that would be left unread */
function refuseBeside(read: SettingReader, prefix: string, suffixes: readonly string[], reason: string): void {
  const suffix = suffixes.find((candidate) => read.isSet(`${prefix}_${candidate}`));
  if (suffix !== undefined) throw read.wrong(`${prefix}_${suffix}`, `it would not be used: ${reason}`);
}

/** Both keys or none; and none is not enough for S3. */
function toKeys(
  read: SettingReader,
  prefix: string,
  found: { readonly accessKeyId: string | null; readonly secretAccessKey: string | null },
): S3Keys {
  const [id, secret] = [`${prefix}_ACCESS_KEY_ID`, `${prefix}_SECRET_ACCESS_KEY`] as const;
  const { accessKeyId, secretAccessKey } = found;
  if (accessKeyId !== null && secretAccessKey !== null) {
    return { accessKeyId, secretAccessKey, sessionToken: readSecret(read, `${prefix}_SESSION_TOKEN`) };
  }
  if (secretAccessKey !== null) throw read.wrong(id, `it is not set, expected it beside ${secret}`);
  if (accessKeyId !== null) throw read.wrong(secret, `it is not set, expected it beside ${id}`);
  const others = `${prefix}_ROLE_ARN with ${prefix}_WEB_IDENTITY_TOKEN`;
  throw read.wrong(id, `it is not set, expected it and ${secret}, or ${others}`);
}

function readDialect(read: SettingReader, setting: string): S3DialectName | null {
  return read.isSet(setting) ? read.oneOf(setting, S3_DIALECTS) : null;
}

/** Other stores have classes of their own; AWS's are known. */
function readStorageClass(read: SettingReader, setting: string, endpoint: string | null): string | null {
  const value = readWord(read, setting, CLASS);
  if (value === null || endpoint !== null || AWS_CLASSES.includes(value)) return value;
  throw read.wrong(setting, `found "${value}", expected ${formatChoices(AWS_CLASSES)}`);
}

function readAcl(read: SettingReader, setting: string): string | null {
  const value = read.optional(setting);
  if (value === null || ACLS.includes(value)) return value;
  throw read.wrong(setting, `found "${value}", expected ${formatChoices(ACLS)}`);
}
