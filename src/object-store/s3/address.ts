/**
 * Where a bucket and its objects are: settings and a key in, a URL out. Encodes strictly, since a signature is over the
 * encoded path: platform.md 5.1. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
import type { S3StorageConfig } from "../../config/storage-config.ts";
import { FirnError } from "../../errors.ts";

/** A bucket's place. */
export interface S3Address {
  /** URL of the service, without a slash at its end: for identities, and for STS where the service has it. */
  readonly service: string;
  /** URL of the bucket, without a slash at its end. */
  readonly bucket: string;
}

/** Domains of AWS's partitions; GovCloud is in the first. https://docs.aws.amazon.com/general/latest/gr/s3.html */
const AWS_DOMAINS: readonly (readonly [region: RegExp, domain: string])[] = [
  [/^cn-/, "amazonaws.com.cn"],
  [/^eusc-/, "amazonaws.eu"],
];
const AWS_DOMAIN = "amazonaws.com";

/** URL of a service of AWS in a region. */
export function awsServiceUrl(service: "s3" | "sts", region: string): string {
  const [, domain = AWS_DOMAIN] = AWS_DOMAINS.find(([regions]) => regions.test(region)) ?? [];
  return `https://${service}.${region}.${domain}`;
}

/**
 * Finds the bucket.
 * @throws FirnError `misconfigured` when the endpoint cannot have the bucket's name before it.
 */
export function findAddress({ bucket, region, endpoint, isPathStyle }: AddressSettings): S3Address {
  const service = endpoint ?? awsServiceUrl("s3", region);
  // The certificate of AWS is for one label before the host.
  if (isPathStyle || (endpoint === null && bucket.includes("."))) {
    return { service, bucket: `${service}/${encodeSegment(bucket)}` };
  }
  const hosted = service.replace("://", `://${bucket}.`);
  // A host has no capitals: the platform would ask for the bucket with the name in small letters.
  if (URL.parse(hosted)?.hostname.startsWith(`${bucket}.`) === true) return { service, bucket: hosted };
  const message = `Cannot open the store: no host is named "${hosted}"`;
  throw new FirnError("misconfigured", `${message}, expected path style with this endpoint`);
}

type AddressSettings = Pick<S3StorageConfig, "bucket" | "region" | "endpoint" | "isPathStyle">;

/**
 * The URL of an object.
 * @param query parameters by name; encoded here
 * @throws RangeError for a key that no URL can name: `.` and `..` would be taken for steps in a path. Empty segments
 * stay as they are: older writers made keys with `//` (collector-s3 1.3).
 */
export function objectUrl(address: S3Address, key: string, query: Query = {}): string {
  const segments = key.split("/");
  const odd = segments.find((segment) => segment === "." || segment === "..");
  if (key === "" || odd !== undefined) {
    const found = key === "" ? "it is empty" : `it has a segment "${odd}"`;
    throw new RangeError(`Cannot name object "${key}" in a URL: ${found}`);
  }
  return `${address.bucket}/${segments.map(encodeSegment).join("/")}${formatQuery(query)}`;
}

/** The URL of the bucket itself. */
export function bucketUrl(address: S3Address, query: Query): string {
  return `${address.bucket}${formatQuery(query)}`;
}

/** Parameters of a request; those without a value have an empty one. */
export type Query = Readonly<Record<string, string>>;

/**
 * Percent-encodes everything but the unreserved characters of RFC 3986.
 * @throws RangeError for half a surrogate pair, which has no UTF-8.
 */
export function encodeSegment(text: string): string {
  if (!text.isWellFormed()) throw new RangeError("Cannot encode a key: it has half a surrogate pair");
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function formatQuery(query: Query): string {
  const parameters = Object.entries(query).map(([name, value]) => `${encodeSegment(name)}=${encodeSegment(value)}`);
  return parameters.length === 0 ? "" : `?${parameters.join("&")}`;
}
