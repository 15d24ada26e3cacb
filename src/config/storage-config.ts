/**
 * What the settings of a storage group say, as values that cannot be wrong: `ARCHIVE_*`, `MEDIA_*` and `EXPORT_*` are
 * read alike (design section 10). Which name sets what, and what is refused, is `storage-settings.ts`'s.
 */

/** A prefix of settings, and the name of the R2 binding that goes with it. */
export type StorageGroupName = "ARCHIVE" | "MEDIA" | "EXPORT";

/** Who uses a store: each may have credentials of its own (collector-s3 7.1). */
export type StoreAccess = "write" | "read" | "compact";

/** A storage group: one bucket, seen with the rights of three users. Without settings of their own all are `write`. */
export interface StorageGroup {
  readonly name: StorageGroupName;
  /** Stands before every key, without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly write: StorageConfig;
  readonly read: StorageConfig;
  readonly compact: StorageConfig;
  /** Read back every object that was put: for a store that enforces no digest (protocol 4.3). */
  readonly isVerifiedByReading: boolean;
}

/** Where objects go. */
export type StorageConfig = R2StorageConfig | S3StorageConfig | AzureStorageConfig;

/** Cloudflare R2 through the binding that carries the group's name. */
export interface R2StorageConfig {
  readonly kind: "r2";
  /** The bucket's name, for identities and messages alone: the binding knows its bucket. */
  readonly bucket: string;
  /** `null`: the bucket's default. */
  readonly storageClass: "Standard" | "InfrequentAccess" | null;
}

/** Anything that speaks S3 with Signature Version 4. */
export interface S3StorageConfig {
  readonly kind: "s3";
  readonly bucket: string;
  /** `auto` for R2 and GCS. */
  readonly region: string;
  /** Scheme, host, port and path, without a slash at its end; `null` for AWS in `region`. */
  readonly endpoint: string | null;
  readonly isPathStyle: boolean;
  /** Of `object-store/s3/dialect.ts`; `null`: found by the endpoint. */
  readonly dialect: S3DialectName | null;
  readonly credentials: S3CredentialsConfig;
  /** As the store spells it; `null`: the bucket's default. */
  readonly storageClass: string | null;
  /** A canned ACL; `null`: no header. */
  readonly acl: string | null;
  readonly encryption: S3Encryption;
  readonly tags: readonly ObjectTag[];
  /** 12 digits; `null`: not checked. */
  readonly expectedBucketOwner: string | null;
  readonly isRequesterPays: boolean;
}

/** Stores that differ in what they take; the rows of the table in `object-store/s3/dialect.ts`. */
export const S3_DIALECTS = ["aws", "r2", "gcs", "minio", "ceph", "swift", "b2", "wasabi", "generic"] as const;
export type S3DialectName = (typeof S3_DIALECTS)[number];

/** How requests are signed. Secrets among it: never logged. */
export type S3CredentialsConfig =
  | {
      readonly kind: "keys";
      readonly keys: S3Keys;
      /** Assumed with these keys before anything is asked of the store; `null`: the keys are used as they are. */
      readonly role: S3Role | null;
    }
  /** AssumeRoleWithWebIdentity: the token is the proof, nothing else is needed. */
  | { readonly kind: "web-identity"; readonly role: S3Role; readonly token: string };

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

export interface S3Role {
  readonly arn: string;
  readonly externalId: string | null;
  /** URL of STS; `null`: AWS's in the region, or the endpoint where one is set (Ceph and MinIO serve it there). */
  readonly stsEndpoint: string | null;
}

/** Encryption at rest (collector-s3 7.2). */
export type S3Encryption =
  /** The bucket's default. */
  | { readonly kind: "none" }
  | { readonly kind: "sse-s3" }
  | {
      readonly kind: "sse-kms";
      /** `aws:kms` or `aws:kms:dsse`. */
      readonly algorithm: "aws:kms" | "aws:kms:dsse";
      /** `null`: the account's default key. */
      readonly keyId: string | null;
      readonly isBucketKeyEnabled: boolean;
    }
  /** @property key - 32 bytes, secret */
  | { readonly kind: "sse-c"; readonly key: Uint8Array };

export interface ObjectTag {
  readonly name: string;
  readonly value: string;
}

/** A container of Azure Blob Storage. */
export interface AzureStorageConfig {
  readonly kind: "azure";
  readonly container: string;
  readonly account: string;
  /**
   * URL of the blob service, without a slash at its end: `https://<account>.blob.core.windows.net`, or with the account
   * in its path as Azurite wants it, `http://127.0.0.1:10000/devstoreaccount1`.
   */
  readonly endpoint: string;
  readonly credential: AzureCredential;
  /** `Hot`, `Cool`, `Cold` or `Archive`; `null`: the account's default. */
  readonly accessTier: string | null;
  readonly tags: readonly ObjectTag[];
  /** Make a missing container at the first put (`AZURE_SKIP_CONTAINER_CHECK` turns it off). */
  readonly createsContainer: boolean;
}

/** Secret. */
export type AzureCredential =
  /** Shared Key: the account key, decoded from base64. */
  | { readonly kind: "key"; readonly key: Uint8Array }
  /** A shared access signature: a query string without its question mark. */
  | { readonly kind: "sas"; readonly token: string };
