/**
 * Which permissions a call needs, in each store's own words: the one table behind the policies that the doctor
 * recommends and the permissions that it names when a store refuses (collector-s3 7.1, platform 5.5).
 */
import type { S3DialectName, S3StorageConfig, StorageConfig, StoreAccess } from "../../config/storage-config.ts";
import { unreachable } from "../../errors.ts";
import type { StoreCall, StoreTraits } from "../../object-store/contract.ts";

/** A configuration, and what of its store decides about rights. */
export interface StoreKind {
  readonly config: StorageConfig;
  /** Whose dialect an S3 endpoint speaks; `null` for other stores. */
  readonly dialect: S3DialectName | null;
  /** Whether a put looks first (`StoreTraits`): who may not list is told 403 about a key that does not exist. */
  readonly createOnly: StoreTraits["createOnly"];
}

/** Calls that each access makes: a writer's HEAD is the proof of protocol 4.3, and it never lists, reads or deletes. */
export const CALLS_OF: Readonly<Record<StoreAccess, readonly StoreCall[]>> = {
  write: ["put", "head", "createMultipart", "putPart", "completeMultipart", "abortMultipart"],
  read: ["list", "get", "head"],
  compact: [
    "list",
    "get",
    "head",
    "put",
    "createMultipart",
    "putPart",
    "completeMultipart",
    "abortMultipart",
    "delete",
  ],
};

type CallTable = Readonly<Record<StoreCall, readonly string[]>>;

/** A put ends in a HEAD, and so does a completed upload: both are answered only to who may read the object. */
const S3_PUT: readonly string[] = ["s3:PutObject", "s3:GetObject"];
const S3_CALLS: CallTable = {
  put: S3_PUT,
  get: ["s3:GetObject"],
  head: ["s3:GetObject"],
  list: ["s3:ListBucket"],
  delete: ["s3:DeleteObject"],
  createMultipart: ["s3:PutObject"],
  putPart: ["s3:PutObject"],
  completeMultipart: S3_PUT,
  abortMultipart: ["s3:AbortMultipartUpload"],
};

const GCS_CALLS: CallTable = {
  put: ["storage.objects.create", "storage.objects.get"],
  get: ["storage.objects.get"],
  head: ["storage.objects.get"],
  list: ["storage.objects.list"],
  delete: ["storage.objects.delete"],
  createMultipart: ["storage.multipartUploads.create", "storage.objects.create"],
  putPart: ["storage.multipartUploads.create", "storage.objects.create"],
  completeMultipart: ["storage.multipartUploads.create", "storage.objects.create", "storage.objects.get"],
  abortMultipart: ["storage.multipartUploads.abort"],
};

const B2_CALLS: CallTable = {
  put: ["writeFiles", "readFiles"],
  get: ["readFiles"],
  head: ["readFiles"],
  list: ["listFiles"],
  delete: ["deleteFiles"],
  createMultipart: ["writeFiles"],
  putPart: ["writeFiles"],
  completeMultipart: ["writeFiles", "readFiles"],
  abortMultipart: ["writeFiles"],
};

const R2_WRITE: readonly string[] = ["Object Read & Write"];
const R2_READ: readonly string[] = ["Object Read only"];
const R2_TOKEN_CALLS: CallTable = {
  put: R2_WRITE,
  get: R2_READ,
  head: R2_READ,
  list: R2_READ,
  delete: R2_WRITE,
  createMultipart: R2_WRITE,
  putPart: R2_WRITE,
  completeMultipart: R2_WRITE,
  abortMultipart: R2_WRITE,
};

/** Letters of a SAS: create, write, read, list, delete. Azure forgets uncommitted blocks by itself. */
const AZURE_CALLS: CallTable = {
  put: ["r", "c", "w"],
  get: ["r"],
  head: ["r"],
  list: ["l"],
  delete: ["d"],
  createMultipart: [],
  putPart: ["w"],
  completeMultipart: ["r", "c", "w"],
  abortMultipart: [],
};

/**
 * Names the permissions of some calls, each once, in the order of the table.
 * @returns nothing for an R2 binding: who has it may do everything to that bucket.
 */
export function permissionsOf(kind: StoreKind, calls: readonly StoreCall[]): readonly string[] {
  const { config } = kind;
  switch (config.kind) {
    case "r2":
      return [];
    case "azure": {
      const writes = calls.some((call) => call === "put" || call === "completeMultipart");
      return collect(AZURE_CALLS, calls, writes && config.tags.length > 0 ? ["t"] : []);
    }
    case "s3":
      return s3PermissionsOf(config, kind, calls);
    default:
      return unreachable(config, "store");
  }
}

function s3PermissionsOf(
  config: S3StorageConfig,
  { dialect, createOnly }: StoreKind,
  asked: readonly StoreCall[],
): readonly string[] {
  const looksFirst = createOnly === "checked" && asked.includes("put");
  const calls: readonly StoreCall[] = looksFirst && !asked.includes("list") ? [...asked, "list"] : asked;
  if (dialect === "gcs") return collect(GCS_CALLS, calls, []);
  if (dialect === "b2") return collect(B2_CALLS, calls, []);
  if (dialect === "r2") {
    const named = collect(R2_TOKEN_CALLS, calls, []);
    return named.includes("Object Read & Write") ? R2_WRITE : named;
  }
  const writes = calls.some((call) => call === "put" || call === "createMultipart");
  const extras = writes
    ? [
        ...(config.acl === null ? [] : ["s3:PutObjectAcl"]),
        ...(config.tags.length === 0 ? [] : ["s3:PutObjectTagging"]),
      ]
    : [];
  return collect(S3_CALLS, calls, [...extras, ...kmsPermissionsOf(config, calls)]);
}

/** With AWS's own key for S3 (`keyId` absent) the account needs no permission of its own. */
function kmsPermissionsOf({ encryption }: S3StorageConfig, calls: readonly StoreCall[]): readonly string[] {
  if (encryption.kind !== "sse-kms" || encryption.keyId === null) return [];
  const writes = calls.some((call) => call === "put" || call === "createMultipart");
  const reads = calls.some((call) => call === "get" || call === "head");
  const uploads = calls.some((call) => call === "putPart" || call === "completeMultipart");
  return [...(writes ? ["kms:GenerateDataKey"] : []), ...(reads || uploads ? ["kms:Decrypt"] : [])];
}

function collect(table: CallTable, calls: readonly StoreCall[], extras: readonly string[]): readonly string[] {
  return [...new Set([...calls.flatMap((call) => table[call]), ...extras])];
}
