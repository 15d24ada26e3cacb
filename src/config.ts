/**
 * Settings: the only reader of `env`. Every variable is read, validated and typed here; a wrong one becomes a sentence
 * that names it. Names, defaults and meaning: design section 10. Values of secrets never enter a message.
 */
import { isTenantReserved } from "./archive/key.ts";
import { parsePartitionFormat, type PartitionFormat } from "./archive/partition.ts";
import { FirnError } from "./errors.ts";
import { MAX_REQUEST_BYTES_CEILING, MAX_REQUEST_BYTES_FLOOR } from "./limits.ts";
import { bytes, GIB, MIB, seconds, type Bytes, type Seconds } from "./units.ts";

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

/** Where objects go and how their keys are written. */
export interface ArchiveConfig {
  readonly store: "r2";
  readonly bucket: string;
  readonly basePrefix: string;
  readonly prefix: string;
  readonly filePrefix: string;
  readonly partition: PartitionFormat;
  readonly marshaler: "otlp_proto" | "otlp_json";
  readonly compression: "gzip" | "zstd" | "none";
}

/** From which origins a browser may send (otlp-http 2.3). */
export type CorsOrigins =
  | { readonly kind: "any" | "none" }
  /** Lower case, as browsers write them; `https://*.example.com` stands for every host below that one. */
  | { readonly kind: "list"; readonly origins: readonly string[] };

/** All settings, validated. */
export interface Config {
  readonly tokens: readonly TokenRule[];
  /** Serve without credentials; only looked at when no token is configured. */
  readonly allowAnonymous: boolean;
  readonly archive: ArchiveConfig;
  readonly shards: number;
  readonly flushInterval: Seconds;
  readonly flushMaxBytes: Bytes;
  readonly backlogMaxBytes: Bytes;
  readonly maxRequestBytes: Bytes;
  readonly corsOrigins: CorsOrigins;
  /** 0: off. */
  readonly dedupeWindow: Seconds;
  /** Jurisdiction of the Durable Objects; `null`: none. */
  readonly jurisdiction: DurableObjectJurisdiction | null;
}

/** awss3exporter's default (collector-s3 1.1). */
const DEFAULT_PARTITION = "year=%Y/month=%m/day=%d/hour=%H/minute=%M";
const SCOPES: readonly Scope[] = ["ingest", "read", "admin"];
const JURISDICTIONS = ["eu", "fedramp", "us"] as const;
const SHA256_HEX = /^[0-9a-f]{64}$/;
/** SHA-256 of the empty token: what a shell makes of a variable that is not set. */
const EMPTY_SHA256_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const TENANT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const PREFIX = /^[A-Za-z0-9._=-]+(\/[A-Za-z0-9._=-]+)*$/;
const FILE_PREFIX = /^[A-Za-z0-9._-]*$/;
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/((\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(:\d{1,5})?$/;
/** Browsers leave it out. */
const DEFAULT_PORT = /^(http:.*):80$|^(https:.*):443$/;

/**
 * Reads all settings.
 * @param env - the bindings and variables of the worker
 * @throws FirnError `misconfigured`, one sentence that names the first wrong setting and what was expected.
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Config {
  const read = openReader(env);
  const archive = readArchive(read);
  return {
    tokens: checkTokens([...readUnnamedTokens(read), ...readTenants(read, archive.partition)]),
    allowAnonymous: read.flag("ALLOW_ANONYMOUS", false),
    archive,
    shards: read.integer("SHARDS", { fallback: 1, min: 1, max: 256 }),
    flushInterval: seconds(read.integer("FLUSH_INTERVAL_SECONDS", { fallback: 60, min: 1, max: 86_400 })),
    flushMaxBytes: bytes(read.integer("FLUSH_MAX_BYTES", { fallback: 32 * MIB, min: 1, max: GIB })),
    backlogMaxBytes: bytes(read.integer("BACKLOG_MAX_BYTES", { fallback: GIB, min: 1, max: 8 * GIB })),
    maxRequestBytes: bytes(
      read.integer("MAX_REQUEST_BYTES", {
        fallback: 20 * MIB,
        min: MAX_REQUEST_BYTES_FLOOR,
        max: MAX_REQUEST_BYTES_CEILING,
      }),
    ),
    corsOrigins: readOrigins(read),
    dedupeWindow: readDedupeWindow(read),
    jurisdiction: readJurisdiction(read),
  };
}

/** Reads `CORS_ORIGINS` alone. @throws FirnError `misconfigured`. */
export function readCorsOrigins(env: Readonly<Record<string, unknown>>): CorsOrigins {
  return readOrigins(openReader(env));
}

interface SettingReader {
  text(name: string, fallback: string): string;
  flag(name: string, fallback: boolean): boolean;
  integer(name: string, range: { fallback: number; min: number; max: number }): number;
  list(name: string, fallback: readonly string[]): readonly string[];
}

function openReader(env: Readonly<Record<string, unknown>>): SettingReader {
  const text = (name: string, fallback: string): string => {
    const value = env[name];
    if (value === undefined || value === "") return fallback;
    // TOML has numbers and booleans: `SHARDS = 4` means what `SHARDS = "4"` does.
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    if (typeof value !== "string") throw wrong(name, `found ${typeof value}, expected text`);
    return value;
  };
  return {
    text,
    flag(name, fallback) {
      const value = text(name, String(fallback));
      if (value !== "true" && value !== "false") throw wrong(name, `found "${value}", expected "true" or "false"`);
      return value === "true";
    },
    integer(name, { fallback, min, max }) {
      const value = text(name, String(fallback));
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= min && number <= max)) {
        throw wrong(name, `found "${value}", expected a whole number from ${min} to ${max}`);
      }
      return number;
    },
    list(name, fallback) {
      const value = text(name, fallback.join(","));
      return value
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== "");
    },
  };
}

/** Makes the one sentence for a setting that is wrong. */
function wrong(name: string, found: string): FirnError {
  return new FirnError("misconfigured", `Cannot use the setting ${name}: ${found}`, { field: name });
}

function readArchive(read: SettingReader): ArchiveConfig {
  return {
    store: readOneOf(read, "ARCHIVE_STORE", ["r2"]),
    bucket: read.text("ARCHIVE_BUCKET", "telemetry"),
    basePrefix: readPrefix(read, "ARCHIVE_BASE_PREFIX"),
    prefix: readPrefix(read, "ARCHIVE_PREFIX"),
    filePrefix: readFilePrefix(read),
    partition: parsePartitionFormat(read.text("ARCHIVE_PARTITION_FORMAT", DEFAULT_PARTITION)),
    marshaler: readOneOf(read, "ARCHIVE_MARSHALER", ["otlp_proto", "otlp_json"]),
    compression: readOneOf(read, "ARCHIVE_COMPRESSION", ["gzip", "zstd", "none"]),
  };
}

function readOneOf<T extends string>(read: SettingReader, name: string, choices: readonly [T, ...T[]]): T {
  const value = read.text(name, choices[0]);
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw wrong(name, `found "${value}", expected ${choices.map((c) => `"${c}"`).join(" or ")}`);
}

function readOrigins(read: SettingReader): CorsOrigins {
  const entries = read.list("CORS_ORIGINS", ["*"]).map((entry) => entry.toLowerCase());
  const [first] = entries;
  if (entries.length === 1 && first === "*") return { kind: "any" };
  if (entries.length === 1 && first === "none") return { kind: "none" };
  const found = entries.length === 0 ? "," : entries.find((entry) => !ORIGIN.test(entry));
  if (found === undefined) {
    return { kind: "list", origins: entries.map((entry) => entry.replace(DEFAULT_PORT, "$1$2")) };
  }
  const expected = '"*", "none", or origins such as "https://app.example.com" and "https://*.example.com"';
  throw wrong("CORS_ORIGINS", `found "${found}", expected ${expected}, without a path`);
}

/** Slashes at either end are dropped: exporters and receivers disagree about them (collector-s3 W3). */
function readPrefix(read: SettingReader, name: string): string {
  const value = read.text(name, "").replace(/^\/+|\/+$/g, "");
  const segments = value.split("/");
  if (value === "") return "";
  if (!PREFIX.test(value) || segments.some((segment) => segment === "." || segment === "..")) {
    throw wrong(name, `found "${value}", expected segments of letters, digits and "._=-" joined by single slashes`);
  }
  if (segments.includes("_firn")) throw wrong(name, `found "${value}", expected no segment "_firn"`);
  return value;
}

function readFilePrefix(read: SettingReader): string {
  const value = read.text("ARCHIVE_FILE_PREFIX", "");
  if (!FILE_PREFIX.test(value)) {
    throw wrong("ARCHIVE_FILE_PREFIX", `found "${value}", expected letters, digits and "._-" only`);
  }
  return value;
}

function readDedupeWindow(read: SettingReader): Seconds {
  const value = read.integer("DEDUPE_WINDOW_SECONDS", { fallback: 3600, min: 0, max: 30 * 86_400 });
  if (value !== 0 && value < 900) {
    throw wrong("DEDUPE_WINDOW_SECONDS", `found "${value}", expected 0 (off) or at least 900`);
  }
  return seconds(value);
}

function readJurisdiction(read: SettingReader): DurableObjectJurisdiction | null {
  const value = read.text("JURISDICTION", "");
  if (value === "") return null;
  const found = JURISDICTIONS.find((candidate) => candidate === value);
  if (found === undefined) throw wrong("JURISDICTION", `found "${value}", expected ${JURISDICTIONS.join(", ")}`);
  return found;
}

function readUnnamedTokens(read: SettingReader): TokenRule[] {
  return SCOPES.flatMap((scope) => {
    const name = `${scope.toUpperCase()}_TOKEN_SHA256`;
    return read.list(name, []).map((digest) => ({ sha256Hex: checkDigest(name, digest), tenant: "", scopes: [scope] }));
  });
}

/** A token belongs to one tenant. */
function checkTokens(tokens: readonly TokenRule[]): readonly TokenRule[] {
  const tenants = new Map<string, string>();
  for (const { sha256Hex, tenant } of tokens) {
    const other = tenants.get(sha256Hex) ?? tenant;
    if (other !== tenant) throw wrong("TENANTS", `a token stands for two tenants, "${other}" and "${tenant}"`);
    tenants.set(sha256Hex, tenant);
  }
  return tokens;
}

function checkDigest(name: string, digest: unknown): string {
  const lower = typeof digest === "string" ? digest.toLowerCase() : "";
  if (lower === EMPTY_SHA256_HEX) {
    throw wrong(name, "found the digest of an empty token, as a shell variable that is not set makes it");
  }
  if (SHA256_HEX.test(lower)) return lower;
  throw wrong(name, 'found something else, expected SHA-256 digests of 64 hex digits ("npm run token" makes one)');
}

/** Reads `TENANTS`: `{"acme":{"tokens":[{"sha256":"…","scopes":["ingest"]}]}}`. */
function readTenants(read: SettingReader, partition: PartitionFormat): TokenRule[] {
  const text = read.text("TENANTS", "{}");
  let tenants: unknown;
  try {
    tenants = JSON.parse(text);
  } catch {
    throw wrong("TENANTS", "found text that is not JSON, expected an object of tenants");
  }
  if (!isRecord(tenants)) throw wrong("TENANTS", "found no object, expected an object of tenants");
  return Object.entries(tenants).flatMap(([tenant, value]) => {
    if (!TENANT_NAME.test(tenant)) {
      throw wrong("TENANTS", `found the name "${tenant}", expected 1 to 64 letters, digits, "_" and "-"`);
    }
    if (isTenantReserved(tenant, partition)) {
      throw wrong("TENANTS", `found the name "${tenant}", which a partition of the unnamed tenant could begin with`);
    }
    return readTenantTokens(tenant, value);
  });
}

function readTenantTokens(tenant: string, value: unknown): TokenRule[] {
  const tokens = isRecord(value) ? value["tokens"] : undefined;
  if (!Array.isArray(tokens)) throw wrong("TENANTS", `found no list "tokens" in "${tenant}", expected one`);
  return tokens.map((token: unknown) => {
    const scopes = isRecord(token) ? token["scopes"] : undefined;
    if (!isRecord(token) || !Array.isArray(scopes) || scopes.length === 0 || !scopes.every(isScope)) {
      throw wrong("TENANTS", `found a token of "${tenant}" without scopes, expected some of ${SCOPES.join(", ")}`);
    }
    return { sha256Hex: checkDigest(`TENANTS (tenant "${tenant}")`, token["sha256"]), tenant, scopes };
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScope(value: unknown): value is Scope {
  return SCOPES.some((scope) => scope === value);
}

/** What the platform binds to the worker; handed on as values, so that nobody else reads `env`. */
export interface Bindings {
  readonly archive: R2Bucket;
  readonly shardBuffer: Env["SHARD_BUFFER"];
  readonly directory: Env["DIRECTORY"];
}

/** Reads the bindings that `wrangler.toml` declares. */
export function readBindings(env: Env): Bindings {
  return { archive: env.ARCHIVE, shardBuffer: env.SHARD_BUFFER, directory: env.DIRECTORY };
}
