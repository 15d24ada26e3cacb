/** What of a value may be shown: an address without credentials or query, and texts without anything secret. */
import type { StorageConfig, StorageGroup } from "../../config/storage-config.ts";

/** Shows where a URL leads, and neither its user nor its query: both carry secrets at times. */
export function toShownUrl(text: string): string {
  const url = URL.parse(text);
  return url === null ? text : `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, "")}`;
}

/** Shorter texts would be found in words that are no secret. */
const SECRET_MIN_CHARS = 6;

/** Replaces every secret in a text: stores' messages hold none by contract, and this page is shown around. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= SECRET_MIN_CHARS)
    .reduce((shown, secret) => shown.replaceAll(secret, "…"), text);
}

/** Lists every secret of a group, in each form in which it may be met. */
export function listSecrets(group: StorageGroup): readonly string[] {
  return [group.write, group.read, group.compact].flatMap(listSecretsOf);
}

function listSecretsOf(config: StorageConfig): readonly string[] {
  if (config.kind === "r2") return [];
  if (config.kind === "azure") {
    const { credential } = config;
    if (credential.kind === "key") return [credential.key.toBase64(), credential.key.toHex()];
    const signature = new URLSearchParams(credential.token).get("sig") ?? "";
    return [credential.token, signature, encodeURIComponent(signature)];
  }
  const { credentials, encryption } = config;
  const proof =
    credentials.kind === "keys"
      ? [credentials.keys.secretAccessKey, credentials.keys.sessionToken ?? "", credentials.keys.accessKeyId]
      : [credentials.token];
  const key = encryption.kind === "sse-c" ? [encryption.key.toBase64(), encryption.key.toHex()] : [];
  return [...proof, credentials.role?.externalId ?? "", ...key];
}
