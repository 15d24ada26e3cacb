/**
 * AWS Signature Version 4 in the `Authorization` header, over every header that is given and over the digest of the
 * body. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { AwsV4Signer } from "aws4fetch";
import type { S3Keys } from "../../config/storage-config.ts";

/** The SHA-256 of no bytes. */
export const EMPTY_SHA256_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A request before it is signed. */
export interface UnsignedRequest {
  readonly method: string;
  /** Percent-encoded strictly; see `address.ts`. */
  readonly url: string;
  /** Each of them is signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body: the store holds the body to it (protocol 4.3). */
  readonly sha256Hex: string;
}

/** With what a request is signed. */
export interface SigningScope {
  readonly keys: S3Keys;
  readonly service: "s3" | "sts";
  readonly region: string;
  /** Milliseconds since the epoch; stores refuse what is 15 minutes off. */
  readonly time: number;
  /** Derived keys, which change once a day: four HMACs saved a request. Secret. */
  readonly derivedKeys: Map<string, ArrayBuffer>;
}

/** Days, regions and keys whose derived keys are remembered. */
const MAX_DERIVED_KEYS = 16;

/** Signs a request. @returns the headers to send */
export async function sign(request: UnsignedRequest, scope: SigningScope): Promise<Headers> {
  const { keys, service, region, time, derivedKeys } = scope;
  if (derivedKeys.size > MAX_DERIVED_KEYS) derivedKeys.clear();
  const signer = new AwsV4Signer({
    method: request.method,
    url: request.url,
    headers: { ...request.headers, "x-amz-content-sha256": request.sha256Hex },
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey,
    ...(keys.sessionToken === null ? {} : { sessionToken: keys.sessionToken }),
    service,
    region,
    datetime: formatTime(time),
    cache: derivedKeys,
    allHeaders: true,
  });
  return (await signer.sign()).headers;
}

/** `20130524T000000Z`. */
function formatTime(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
}
