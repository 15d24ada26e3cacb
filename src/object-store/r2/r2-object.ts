/** What the R2 binding says of an object, in the words of the contract. */
import type { ObjectInfo } from "../contract.ts";

/** Custom metadata under which Firn's digest stands; S3's counterpart is `x-amz-meta-firn-sha256`. */
export const DIGEST_KEY = "firn-sha256";

/** Storage classes, as the binding calls them. */
export type R2StorageClass = "Standard" | "InfrequentAccess";

/** Describes an object. */
export function toInfo(object: R2Object): ObjectInfo {
  const sha256Hex = object.customMetadata?.[DIGEST_KEY] ?? null;
  return { key: object.key, length: object.size, etag: object.etag, sha256Hex };
}

/** The SHA-256 that R2 checked while it wrote; `null` when it checked none. */
export function enforcedHexOf({ checksums: { sha256 } }: R2Object): string | null {
  return sha256 === undefined ? null : new Uint8Array(sha256).toHex();
}
