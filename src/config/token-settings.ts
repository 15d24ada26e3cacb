/** Who may do what: digests of tokens for the unnamed tenant and for named ones, never tokens themselves. */
import { isTenantReserved } from "../archive/key.ts";
import type { PartitionFormat } from "../archive/partition.ts";
import type { SettingReader } from "./setting-reader.ts";

/** What a token may be used for; scopes do not imply each other. */
export type Scope = "ingest" | "read" | "admin";

/** A configured credential: only its digest is known. */
export interface TokenRule {
  /** SHA-256 of the token, 64 lower-case hex digits. */
  readonly sha256Hex: string;
  /** Empty for the unnamed tenant. */
  readonly tenant: string;
  readonly scopes: readonly Scope[];
}

const SCOPES: readonly Scope[] = ["ingest", "read", "admin"];
const SHA256_HEX = /^[0-9a-f]{64}$/;
/** SHA-256 of the empty token: what a shell makes of a variable that is not set. */
const EMPTY_SHA256_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const TENANT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * Reads all tokens.
 * @param partition - no tenant may be named like what a key of the unnamed tenant can begin with
 * @throws FirnError `misconfigured`
 */
export function readTokens(read: SettingReader, partition: PartitionFormat): readonly TokenRule[] {
  const tokens = [...readUnnamedTokens(read), ...readTenants(read, partition)];
  const tenants = new Map<string, string>();
  for (const { sha256Hex, tenant } of tokens) {
    const other = tenants.get(sha256Hex) ?? tenant;
    if (other !== tenant) throw read.wrong("TENANTS", `a token stands for two tenants, "${other}" and "${tenant}"`);
    tenants.set(sha256Hex, tenant);
  }
  return tokens;
}

function readUnnamedTokens(read: SettingReader): TokenRule[] {
  return SCOPES.flatMap((scope) => {
    const name = `${scope.toUpperCase()}_TOKEN_SHA256`;
    const digests = read.list(name, []);
    return digests.map((digest) => ({ sha256Hex: checkDigest(read, name, digest), tenant: "", scopes: [scope] }));
  });
}

function checkDigest(read: SettingReader, name: string, digest: unknown): string {
  const lower = typeof digest === "string" ? digest.toLowerCase() : "";
  if (lower === EMPTY_SHA256_HEX) {
    throw read.wrong(name, "found the digest of an empty token, as a shell variable that is not set makes it");
  }
  if (SHA256_HEX.test(lower)) return lower;
  throw read.wrong(name, 'found something else, expected SHA-256 digests of 64 hex digits ("npm run token" makes one)');
}

/** Reads `TENANTS`: `{"acme":{"tokens":[{"sha256":"…","scopes":["ingest"]}]}}`. */
function readTenants(read: SettingReader, partition: PartitionFormat): TokenRule[] {
  const text = read.text("TENANTS", "{}");
  let tenants: unknown;
  try {
    tenants = JSON.parse(text);
  } catch {
    throw read.wrong("TENANTS", "found text that is not JSON, expected an object of tenants");
  }
  if (!isRecord(tenants)) throw read.wrong("TENANTS", "found no object, expected an object of tenants");
  return Object.entries(tenants).flatMap(([tenant, value]) => {
    if (!TENANT_NAME.test(tenant)) {
      throw read.wrong("TENANTS", `found the name "${tenant}", expected 1 to 64 letters, digits, "_" and "-"`);
    }
    if (isTenantReserved(tenant, partition)) {
      throw read.wrong(
        "TENANTS",
        `found the name "${tenant}", which a partition of the unnamed tenant could begin with`,
      );
    }
    return readTenantTokens(read, tenant, value);
  });
}

function readTenantTokens(read: SettingReader, tenant: string, value: unknown): TokenRule[] {
  const tokens = isRecord(value) ? value["tokens"] : undefined;
  if (!Array.isArray(tokens)) throw read.wrong("TENANTS", `found no list "tokens" in "${tenant}", expected one`);
  return tokens.map((token: unknown) => {
    const scopes = isRecord(token) ? token["scopes"] : undefined;
    if (!isRecord(token) || !Array.isArray(scopes) || scopes.length === 0 || !scopes.every(isScope)) {
      throw read.wrong("TENANTS", `found a token of "${tenant}" without scopes, expected some of ${SCOPES.join(", ")}`);
    }
    return { sha256Hex: checkDigest(read, `TENANTS (tenant "${tenant}")`, token["sha256"]), tenant, scopes };
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScope(value: unknown): value is Scope {
  return SCOPES.some((scope) => scope === value);
}
