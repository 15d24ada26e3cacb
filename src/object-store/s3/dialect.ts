/**
 * How stores that speak S3 differ, as data: this table is the only place that knows their names. "5.2" is platform.md
 * section 5.2, "7.4" collector-s3.md section 7.4; [M] measured there, [K] known and not run. What a store may take or
 * not is decided for the careful side: a header that is left out costs little, one that is refused costs the call.
 */
import type { S3DialectName, S3Encryption, S3StorageConfig } from "../../config/storage-config.ts";

/** What a store takes, and how. */
export interface S3Dialect {
  /** Hosts of the service; `null`: it runs anywhere and is named in the settings. */
  readonly hosts: RegExp | null;
  /** `If-None-Match: *` on a put; `none`: a put looks first (`StoreTraits.createOnly` is `checked`). */
  readonly createOnly: "if-none-match" | "none";
  /** Whether CompleteMultipartUpload takes `If-None-Match: *` too. */
  readonly completesCreateOnly: boolean;
  /** Whether `If-Match` has the ETag in quotes, as HTTP wants it. */
  readonly quotesEtag: boolean;
  /** Whether `x-amz-checksum-sha256` is sent beside the signed body hash and `Content-MD5`, which are always. */
  readonly sendsChecksum: boolean;
  readonly takesAcl: boolean;
  readonly takesTags: boolean;
  readonly takesStorageClass: boolean;
  /** `x-amz-expected-bucket-owner`. */
  readonly takesBucketOwner: boolean;
  /** `x-amz-request-payer`. */
  readonly takesRequesterPays: boolean;
  readonly encryptions: readonly S3Encryption["kind"][];
  /** DeleteObjects; without it objects are deleted one by one. */
  readonly deletesInBatch: boolean;
  /**
   * `If-Match` on DeleteObject. Only where it is known to be kept: MinIO answers 204 and deletes whatever stands there.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
   * https://github.com/minio/minio/issues/21677
   */
  readonly deletesIfMatch: boolean;
  /**
   * `Accept-Encoding` of a get, not signed. `identity` keeps what stands between from compressing; `gzip` keeps a store
   * that would from decompressing objects of a foreign writer. https://cloud.google.com/storage/docs/transcoding
   */
  readonly acceptEncoding: "identity" | "gzip";
  /** Whether STS is served where the objects are, rather than by AWS. */
  readonly servesSts: boolean;
}

/** S3 as it is specified: what an unknown endpoint is taken for. https://docs.aws.amazon.com/AmazonS3/latest/API/ */
const SPECIFIED: S3Dialect = {
  hosts: null,
  createOnly: "if-none-match",
  completesCreateOnly: true,
  quotesEtag: true,
  sendsChecksum: true,
  takesAcl: true,
  takesTags: true,
  takesStorageClass: true,
  takesBucketOwner: true,
  takesRequesterPays: true,
  encryptions: ["none", "sse-s3", "sse-kms", "sse-c"],
  deletesInBatch: true,
  deletesIfMatch: false,
  acceptEncoding: "identity",
  servesSts: true,
};

/** What most other stores leave out of it; who owns the bucket and who pays are AWS's own. */
const COMPATIBLE: S3Dialect = {
  ...SPECIFIED,
  completesCreateOnly: false,
  sendsChecksum: false,
  takesBucketOwner: false,
  takesRequesterPays: false,
};

/** The table. A row says only in what it differs from the two above. */
export const DIALECTS: Readonly<Record<S3DialectName, S3Dialect>> = {
  // 5.2 [D]: conditions on PutObject and CompleteMultipartUpload, checksums verified.
  aws: { ...SPECIFIED, hosts: /(?:^|\.)amazonaws\.(?:com|com\.cn|eu)$/, deletesIfMatch: true, servesSts: false },
  // 5.2, 7.4: no ACLs, no tags, SSE-C only; SHA-256 checksums only of parts; expected owner answers 501 [M, simulator].
  r2: {
    ...COMPATIBLE,
    hosts: /\.r2\.cloudflarestorage\.com$/,
    takesAcl: false,
    takesTags: false,
    encryptions: ["none", "sse-c"],
  },
  // 5.2: conditions are x-goog-if-generation-match, which would stand beside the x-amz-date and x-amz-content-sha256 of
  // the signature; such a mix is refused [K], so that a put looks first. No batch deletes [D].
  // 7.4: storage class omitted, no tags, keys of customers by bucket.
  gcs: {
    ...COMPATIBLE,
    hosts: /(?:^|\.)storage\.googleapis\.com$/,
    createOnly: "none",
    takesTags: false,
    takesStorageClass: false,
    encryptions: ["none"],
    deletesInBatch: false,
    acceptEncoding: "gzip",
  },
  // 5.2 [D], checksums [K].
  minio: { ...COMPATIBLE, sendsChecksum: true },
  // 5.2 [M, RGW 16.2]: If-None-Match kept under contention; If-Match only without quotes; checksums ignored.
  ceph: { ...COMPATIBLE, quotesEtag: false },
  // 5.2 [K]: no conditions; s3api knows the class STANDARD alone and neither tags nor encryption headers.
  swift: {
    ...COMPATIBLE,
    createOnly: "none",
    takesTags: false,
    takesStorageClass: false,
    encryptions: ["none"],
  },
  // 5.2: conditions claimed by third parties, not probed; one storage class, SSE-B2 and SSE-C, no tags [K].
  b2: {
    ...COMPATIBLE,
    hosts: /\.backblazeb2\.com$/,
    createOnly: "none",
    takesTags: false,
    takesStorageClass: false,
    encryptions: ["none", "sse-s3", "sse-c"],
  },
  // 5.2 [K]: conditions not probed; one storage class.
  wasabi: {
    ...COMPATIBLE,
    hosts: /\.wasabisys\.com$/,
    createOnly: "none",
    takesStorageClass: false,
    encryptions: ["none", "sse-s3", "sse-c"],
  },
  generic: SPECIFIED,
};

/** Rows with hosts of their own. */
const HOSTED: readonly S3DialectName[] = ["aws", "r2", "gcs", "b2", "wasabi"];

/** The dialect of a store: as the settings say, else by the endpoint's host; no endpoint is AWS. */
export function findDialect(config: Pick<S3StorageConfig, "dialect" | "endpoint">): S3Dialect {
  return DIALECTS[findDialectName(config)];
}

/** The same by its name in the table. */
export function findDialectName({ dialect, endpoint }: Pick<S3StorageConfig, "dialect" | "endpoint">): S3DialectName {
  if (dialect !== null) return dialect;
  if (endpoint === null) return "aws";
  const { hostname } = new URL(endpoint);
  return HOSTED.find((name) => DIALECTS[name].hosts?.test(hostname) === true) ?? "generic";
}

/** Names what the settings want and the store does not take, in words for a message; empty when it takes everything. */
export function listNotTaken(config: S3StorageConfig, dialect: S3Dialect): readonly string[] {
  const wants: readonly (readonly [isWanted: boolean, isTaken: boolean, what: string])[] = [
    [config.acl !== null, dialect.takesAcl, "an ACL"],
    [config.tags.length > 0, dialect.takesTags, "tags"],
    [config.storageClass !== null, dialect.takesStorageClass, "a storage class"],
    [config.expectedBucketOwner !== null, dialect.takesBucketOwner, "an expected bucket owner"],
    [config.isRequesterPays, dialect.takesRequesterPays, "requester pays"],
    [true, dialect.encryptions.includes(config.encryption.kind), `encryption "${config.encryption.kind}"`],
  ];
  return wants.flatMap(([isWanted, isTaken, what]) => (isWanted && !isTaken ? [what] : []));
}
