/**
 * Commands that make a bucket as Firn wants it, for the tools of its store and this very configuration. Pure. What an
 * operator alone knows stands in capitals; a line that begins with `#` is a remark.
 */
import type { AzureStorageConfig, S3StorageConfig } from "../../config/storage-config.ts";
import { unreachable } from "../../errors.ts";
import { ABORT_UPLOADS_AFTER_DAYS } from "../../limits.ts";
import type { Policy, Role } from "./document.ts";
import { formatLifecycle, type LifecycleRule } from "./lifecycle.ts";
import { CALLS_OF, permissionsOf, type StoreKind } from "./permissions.ts";
import { formatSasPermissions, GCS_ROLES, ROLES } from "./policies.ts";
import { toShownUrl } from "./shown.ts";

/** What the commands are about. */
export interface CommandPlan {
  /** The group's name in lower case, for the names of policies. */
  readonly group: string;
  readonly rules: readonly LifecycleRule[];
  readonly policies: Readonly<Record<Role, Policy>>;
  /** Under which the group's keys stand, with its slash; empty at the bucket's root. */
  readonly prefix: string;
}

/** Plans the commands of a group's bucket. */
export function planCommands(kind: StoreKind, plan: CommandPlan): readonly string[] {
  const { config } = kind;
  switch (config.kind) {
    case "r2":
      return planR2(config.bucket, null, plan);
    case "azure":
      return planAzure(kind, config, plan);
    case "s3":
      return planS3(kind, config, plan);
    default:
      return unreachable(config, "store");
  }
}

function planS3(kind: StoreKind, config: S3StorageConfig, plan: CommandPlan): readonly string[] {
  switch (kind.dialect) {
    case "r2": {
      const jurisdiction = /\.(eu|fedramp)\.r2\.cloudflarestorage\.com/.exec(config.endpoint ?? "")?.[1] ?? null;
      return planR2(config.bucket, jurisdiction, plan);
    }
    case "gcs":
      return planGcs(kind, config, plan);
    case "minio":
      return planMinio(config, plan);
    case "b2":
      return planB2(kind, config, plan);
    case "aws":
      return planAws(kind, config, plan);
    default:
      return planOtherS3(kind, config, plan);
  }
}

function planR2(bucket: string, jurisdiction: string | null, { rules }: CommandPlan): readonly string[] {
  const within = jurisdiction === null ? "" : ` --jurisdiction ${jurisdiction}`;
  const name = quote(bucket);
  return [
    `npx wrangler r2 bucket create ${name}${within}`,
    ...rules.map(({ id, prefix, expirationDays }) => {
      const expiry = expirationDays === null ? "" : ` --expire-days ${expirationDays}`;
      const abort = `--abort-multipart-days ${ABORT_UPLOADS_AFTER_DAYS}`;
      return `npx wrangler r2 bucket lifecycle add ${name} ${id} ${quote(prefix)} ${abort}${expiry} --force${within}`;
    }),
    "# A new bucket comes with a rule of its own that ends unfinished uploads after 7 days.",
    "# R2 tokens are limited to buckets, never to a prefix, and none may only write.",
    ...(jurisdiction === null ? ["# A bucket in a jurisdiction: add --jurisdiction, also to the binding."] : []),
  ];
}

function planAws(kind: StoreKind, config: S3StorageConfig, plan: CommandPlan): readonly string[] {
  const bucket = quote(config.bucket);
  const region = config.region;
  // us-east-1 is refused as a constraint, and every other region must be one.
  const place = region === "us-east-1" ? "" : ` --create-bucket-configuration LocationConstraint=${region}`;
  // A new bucket takes no ACL but this one unless its owner says so.
  const ownership =
    config.acl === null || config.acl === "bucket-owner-full-control" ? "" : " --object-ownership BucketOwnerPreferred";
  const block = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true";
  return [
    `aws s3api create-bucket --bucket ${bucket} --region ${region}${place}${ownership}`,
    `aws s3api put-public-access-block --bucket ${bucket} --public-access-block-configuration ${block}`,
    ...planS3Lifecycle("aws s3api", kind, config, plan),
    ...Object.entries(plan.policies).map(([role, policy]) => {
      const document = quote(JSON.stringify(policy));
      return `aws iam create-policy --policy-name firn-${plan.group}-${role} --policy-document ${document}`;
    }),
    ...remarkOnRole(config),
    ...(config.encryption.kind === "sse-c"
      ? ["# New AWS buckets block SSE-C: allow it in the bucket's encryption settings first."]
      : []),
  ];
}

function planOtherS3(kind: StoreKind, config: S3StorageConfig, plan: CommandPlan): readonly string[] {
  const aws = `aws --endpoint-url ${quote(toShownUrl(config.endpoint ?? "ENDPOINT"))} s3api`;
  return [
    `${aws} create-bucket --bucket ${quote(config.bucket)}`,
    ...planS3Lifecycle(aws, kind, config, plan),
    ...(kind.dialect === "ceph"
      ? [
          ...Object.keys(plan.policies).map(
            (role) => `radosgw-admin user create --uid firn-${plan.group}-${role} --display-name "Firn ${role}"`,
          ),
          "# Ceph takes the policies as one bucket policy: add to each statement",
          '# "Principal": {"AWS": ["arn:aws:iam:::user/UID"]}, then put it with put-bucket-policy.',
        ]
      : []),
    ...(kind.dialect === "swift"
      ? ["# Swift's S3 has no lifecycle rules: look for unfinished uploads with list-multipart-uploads."]
      : []),
    ...remarkOnRole(config),
  ];
}

function planS3Lifecycle(
  aws: string,
  kind: StoreKind,
  config: S3StorageConfig,
  { rules }: CommandPlan,
): readonly string[] {
  const lifecycle = formatLifecycle(kind, rules);
  if (lifecycle === null) return [];
  const document = quote(JSON.stringify(lifecycle));
  const bucket = quote(config.bucket);
  return [
    "# This replaces all lifecycle rules of the bucket.",
    `${aws} put-bucket-lifecycle-configuration --bucket ${bucket} --lifecycle-configuration ${document}`,
  ];
}

function remarkOnRole({ credentials }: S3StorageConfig): readonly string[] {
  if (credentials.role === null) return [];
  const { arn } = credentials.role;
  return credentials.kind === "keys"
    ? [`# The policies are the role's; the keys themselves need sts:AssumeRole on ${arn} and nothing else.`]
    : [`# The policies are the role's: ${arn}`];
}

function planMinio(config: S3StorageConfig, { group, rules, policies }: CommandPlan): readonly string[] {
  const bucket = quote(`ALIAS/${config.bucket}`);
  return [
    `mc alias set ALIAS ${quote(toShownUrl(config.endpoint ?? "ENDPOINT"))} ADMIN_KEY ADMIN_SECRET`,
    `mc mb --ignore-existing ${bucket}`,
    ...rules.flatMap(({ prefix, expirationDays }) =>
      expirationDays === null
        ? []
        : [`mc ilm rule add --prefix ${quote(prefix)} --expire-days ${expirationDays} ${bucket}`],
    ),
    "# MinIO ends unfinished uploads after a day by itself (api stale_uploads_expiry); a rule cannot.",
    ...Object.entries(policies).flatMap(([role, policy]) => [
      `echo ${quote(JSON.stringify(policy))} > firn-${group}-${role}.json`,
      `mc admin policy create ALIAS firn-${group}-${role} firn-${group}-${role}.json`,
    ]),
    ...remarkOnRole(config),
  ];
}

function planGcs(kind: StoreKind, config: S3StorageConfig, plan: CommandPlan): readonly string[] {
  const bucket = quote(`gs://${config.bucket}`);
  const lifecycle = quote(JSON.stringify(formatLifecycle(kind, plan.rules)));
  const privacy = "--uniform-bucket-level-access --public-access-prevention";
  return [
    `gcloud storage buckets create ${bucket} --location LOCATION ${privacy}`,
    "# This replaces all lifecycle rules of the bucket.",
    `echo ${lifecycle} > firn-lifecycle.json`,
    `gcloud storage buckets update ${bucket} --lifecycle-file firn-lifecycle.json`,
    ...Object.entries(ROLES).flatMap(([role, access]) => {
      const member = `--member serviceAccount:${role.toUpperCase()}`;
      return GCS_ROLES[access].map(
        (name) => `gcloud storage buckets add-iam-policy-binding ${bucket} ${member} --role ${name}`,
      );
    }),
    "gcloud storage hmac create SERVICE_ACCOUNT",
  ];
}

function planB2(kind: StoreKind, config: S3StorageConfig, { group, rules, prefix }: CommandPlan): readonly string[] {
  const bucket = quote(config.bucket);
  const written = formatLifecycle(kind, rules);
  const lines = Array.isArray(written) ? written : [];
  const within = prefix === "" ? "" : ` --name-prefix ${quote(prefix)}`;
  return [
    `b2 bucket create ${bucket} allPrivate`,
    "# This replaces all lifecycle rules of the bucket.",
    `b2 bucket update ${bucket}${lines.map((rule) => ` --lifecycle-rule ${quote(JSON.stringify(rule))}`).join("")}`,
    ...Object.entries(ROLES).map(([role, access]) => {
      const rights = permissionsOf(kind, CALLS_OF[access]).join(",");
      return `b2 key create --bucket ${bucket}${within} firn-${group}-${role} ${rights}`;
    }),
  ];
}

function planAzure(kind: StoreKind, config: AzureStorageConfig, { rules }: CommandPlan): readonly string[] {
  const account = `--account-name ${quote(config.account)}`;
  const container = `--name ${quote(config.container)}`;
  const lifecycle = formatLifecycle(kind, rules);
  const policy = `az storage account management-policy create ${account} --resource-group GROUP`;
  return [
    `az storage container create ${account} ${container} --auth-mode login`,
    ...(lifecycle === null
      ? ["# Azure forgets uncommitted blocks after a week by itself: no rule is needed."]
      : ["# This replaces all rules of the account.", `${policy} --policy ${quote(JSON.stringify(lifecycle))}`]),
    ...Object.entries(ROLES).flatMap(([role, access]) => {
      const rights = `--permissions ${formatSasPermissions(permissionsOf(kind, CALLS_OF[access]))}`;
      const sas = `az storage container generate-sas ${account} ${container} ${rights}`;
      return [`# A SAS for the ${role}:`, `${sas} --expiry DATE --https-only --account-key KEY`];
    }),
    "# A SAS for a container makes no container: make it first, and set AZURE_SKIP_CONTAINER_CHECK=true.",
  ];
}

/** Quotes for a POSIX shell what a shell would not take as it is. */
function quote(text: string): string {
  return /^[A-Za-z0-9._=:/@+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
