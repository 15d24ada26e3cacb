/** Encryption at rest on S3 (collector-s3 7.2): at most one mode, and its settings only beside it. */
import type { SettingReader } from "./setting-reader.ts";
import type { S3Encryption } from "./storage-config.ts";

/** AES-256. */
const SSE_C_KEY_BYTES = 32;

/** Reads `<prefix>_SSE` and what belongs to it. @throws FirnError `misconfigured` */
export function readEncryption(read: SettingReader, prefix: string): S3Encryption {
  const [mode, customerKey] = [`${prefix}_SSE`, `${prefix}_SSE_C_KEY`] as const;
  const [keyId, bucketKey] = [`${prefix}_SSE_KMS_KEY_ID`, `${prefix}_SSE_BUCKET_KEY_ENABLED`] as const;
  if (read.isSet(customerKey)) {
    const other = [mode, keyId, bucketKey].find((setting) => read.isSet(setting));
    if (other !== undefined) throw read.wrong(customerKey, `${other} is set too, expected one of them`);
    return { kind: "sse-c", key: readCustomerKey(read, customerKey) };
  }
  const algorithm = read.isSet(mode) ? read.oneOf(mode, ["AES256", "aws:kms", "aws:kms:dsse"]) : null;
  if (algorithm === "aws:kms" || algorithm === "aws:kms:dsse") {
    return {
      kind: "sse-kms",
      algorithm,
      keyId: readKeyId(read, keyId),
      // Fewer calls to KMS; the double encryption has no bucket keys.
      isBucketKeyEnabled: read.flag(bucketKey, algorithm === "aws:kms"),
    };
  }
  for (const setting of [keyId, bucketKey]) {
    if (read.isSet(setting)) throw read.wrong(setting, `expected "aws:kms" as ${mode} beside it`);
  }
  return algorithm === null ? { kind: "none" } : { kind: "sse-s3" };
}

function readKeyId(read: SettingReader, setting: string): string | null {
  const value = read.optional(setting);
  if (value === null || /^[\x21-\x7e]{1,2048}$/.test(value)) return value;
  throw read.wrong(setting, "expected the id, alias or ARN of a key");
}

function readCustomerKey(read: SettingReader, setting: string): Uint8Array {
  const expected = `expected ${SSE_C_KEY_BYTES} bytes in base64 ("openssl rand -base64 32" makes them)`;
  let key: Uint8Array;
  try {
    key = Uint8Array.fromBase64(read.text(setting, ""));
  } catch {
    throw read.wrong(setting, `it is not base64, ${expected}`);
  }
  if (key.length === SSE_C_KEY_BYTES) return key;
  throw read.wrong(setting, `found ${key.length} bytes, ${expected}`);
}
