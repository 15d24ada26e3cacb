/**
 * Headers that the settings put on objects: what they are stored as, and the key that a reader must bring. Which of
 * them a store takes was looked at when it was opened.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
import type { S3StorageConfig } from "../../config/storage-config.ts";
import { unreachable } from "../../errors.ts";
import { md5Of } from "../digest.ts";
import { encodeSegment } from "./address.ts";

type Headers = Readonly<Record<string, string>>;

/** For a put, and for the beginning of a multipart upload. */
export async function writeHeaders(config: S3StorageConfig, contentType: string): Promise<Headers> {
  const { storageClass, acl, tags } = config;
  return {
    "content-type": contentType,
    ...(storageClass === null ? {} : { "x-amz-storage-class": storageClass }),
    ...(acl === null ? {} : { "x-amz-acl": acl }),
    ...(tags.length === 0 ? {} : { "x-amz-tagging": formatTags(tags) }),
    ...(await encryptionHeaders(config)),
  };
}

/** For get, head and every part: only a key of the customer must be brought again. */
export async function customerKeyHeaders({ encryption }: S3StorageConfig): Promise<Headers> {
  if (encryption.kind !== "sse-c") return {};
  const { key } = encryption;
  return {
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": key.toBase64(),
    "x-amz-server-side-encryption-customer-key-md5": (await md5Of(key)).toBase64(),
  };
}

async function encryptionHeaders(config: S3StorageConfig): Promise<Headers> {
  const { encryption } = config;
  switch (encryption.kind) {
    case "none":
      return {};
    case "sse-s3":
      return { "x-amz-server-side-encryption": "AES256" };
    case "sse-kms": {
      const { algorithm, keyId, isBucketKeyEnabled } = encryption;
      return {
        "x-amz-server-side-encryption": algorithm,
        ...(keyId === null ? {} : { "x-amz-server-side-encryption-aws-kms-key-id": keyId }),
        ...(isBucketKeyEnabled ? { "x-amz-server-side-encryption-bucket-key-enabled": "true" } : {}),
      };
    }
    case "sse-c":
      return customerKeyHeaders(config);
    default:
      return unreachable(encryption, "encryption");
  }
}

/** As a query string, with `%20` for a space, since not every store takes `+`. */
function formatTags(tags: S3StorageConfig["tags"]): string {
  return tags.map(({ name, value }) => `${encodeSegment(name)}=${encodeSegment(value)}`).join("&");
}
