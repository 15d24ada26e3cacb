/**
 * Least privilege: what each of writer, reader and compactor may do, as the documents or the words that the store takes
 * (collector-s3 7.1 and 7.4). Pure; which call needs which permission is `permissions.ts`'s.
 */
import type { AzureStorageConfig, S3StorageConfig, StoreAccess } from "../../config/storage-config.ts";
import { unreachable } from "../../errors.ts";
import type { Policy, Role } from "./document.ts";
import { CALLS_OF, permissionsOf, type StoreKind } from "./permissions.ts";

/** The access whose rights a role needs. */
export const ROLES: Readonly<Record<Role, StoreAccess>> = { writer: "write", reader: "read", compactor: "compact" };

/** An IAM policy, as AWS, MinIO, Ceph and Wasabi take it. */
export interface IamPolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly IamStatement[];
}

export interface IamStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/**
 * Plans the policies of a group.
 * @param prefix - under which its keys stand, with its slash; empty at the bucket's root
 */
export function planPolicies(kind: StoreKind, prefix: string): Readonly<Record<Role, Policy>> {
  const plan = (role: Role): Policy => planPolicy(kind, prefix, ROLES[role]);
  return { writer: plan("writer"), reader: plan("reader"), compactor: plan("compactor") };
}

function planPolicy(kind: StoreKind, prefix: string, access: StoreAccess): Policy {
  const { config } = kind;
  switch (config.kind) {
    case "r2":
      return "None: the binding has every right to its bucket, and to no other";
    case "azure":
      return planAzureRights(config, permissionsOf(kind, CALLS_OF[access]));
    case "s3":
      return planS3Rights(kind, config, { prefix, access });
    default:
      return unreachable(config, "store");
  }
}

interface Scope {
  readonly prefix: string;
  readonly access: StoreAccess;
}

function planS3Rights(kind: StoreKind, config: S3StorageConfig, { prefix, access }: Scope): Policy {
  const { bucket } = config;
  const permissions = permissionsOf(kind, CALLS_OF[access]);
  const within = prefix === "" ? "" : `, names that begin with "${prefix}"`;
  switch (kind.dialect) {
    case "r2":
      return `R2 API token: ${permissions.join(", ")}, bucket "${bucket}"; R2 has neither write-only nor prefix scopes`;
    case "gcs":
      return `On gs://${bucket}${within}: ${GCS_ROLES[access].join(" and ")}`;
    case "b2":
      return `Application key for bucket "${bucket}"${within}: ${permissions.join(", ")}`;
    case "swift":
      return `ACL of container "${bucket}": ${access === "read" ? "read" : "read and write"}; Swift has none finer`;
    default:
      return planIamPolicy(config, prefix, permissions);
  }
}

/** Predefined roles that hold the permissions of the table and the least beside them. */
export const GCS_ROLES: Readonly<Record<StoreAccess, readonly string[]>> = {
  write: ["roles/storage.objectCreator", "roles/storage.objectViewer"],
  read: ["roles/storage.objectViewer"],
  compact: ["roles/storage.objectUser"],
};

function planIamPolicy(config: S3StorageConfig, prefix: string, permissions: readonly string[]): IamPolicy {
  const bucketArn = `arn:${arnPartitionOf(config.region)}:s3:::${config.bucket}`;
  const lists = permissions.includes("s3:ListBucket");
  const objects = permissions.filter((name) => name.startsWith("s3:") && name !== "s3:ListBucket");
  const keys = permissions.filter((name) => name.startsWith("kms:"));
  return {
    Version: "2012-10-17",
    Statement: [
      ...(lists ? [planListing(bucketArn, prefix)] : []),
      { Sid: "FirnObjects", Effect: "Allow", Action: objects, Resource: `${bucketArn}/${prefix}*` },
      ...(keys.length === 0 ? [] : [planKeyUse(config, keys)]),
    ],
  };
}

function planListing(bucketArn: string, prefix: string): IamStatement {
  const statement = { Sid: "FirnListing", Effect: "Allow", Action: ["s3:ListBucket"], Resource: bucketArn } as const;
  // At the bucket's root every listing is Firn's: a condition would say nothing.
  return prefix === "" ? statement : { ...statement, Condition: { StringLike: { "s3:prefix": [`${prefix}*`] } } };
}

/** A key may be named by its ARN, by its id or by an alias; a policy knows an alias only as a condition. */
function planKeyUse(config: S3StorageConfig, actions: readonly string[]): IamStatement {
  const keyId = config.encryption.kind === "sse-kms" ? (config.encryption.keyId ?? "") : "";
  const statement = { Sid: "FirnKey", Effect: "Allow", Action: actions } as const;
  const alias = /(?:^|:)(alias\/.+)$/.exec(keyId)?.[1];
  const anyKey = `arn:${arnPartitionOf(config.region)}:kms:${config.region}:*:key/`;
  if (alias !== undefined) {
    const condition = { "ForAnyValue:StringEquals": { "kms:ResourceAliases": alias } };
    return { ...statement, Resource: `${anyKey}*`, Condition: condition };
  }
  return { ...statement, Resource: keyId.startsWith("arn:") ? keyId : `${anyKey}${keyId}` };
}

/** Finds the partition of ARNs that a region belongs to. */
export function arnPartitionOf(region: string): "aws" | "aws-cn" | "aws-us-gov" {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** Order in which Azure wants the letters of a SAS. */
const SAS_ORDER = "racwdxltmeop";

/** Formats the letters of a SAS in the order that Azure wants. */
export function formatSasPermissions(letters: readonly string[]): string {
  return Array.from(SAS_ORDER)
    .filter((letter) => letters.includes(letter))
    .join("");
}

function planAzureRights({ container }: AzureStorageConfig, letters: readonly string[]): Policy {
  return `SAS for container "${container}" with sp=${formatSasPermissions(letters)}`;
}
