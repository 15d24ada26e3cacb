/**
 * Settings: the only reader of `env`. Every variable is read, validated and typed here or in `config/`; a wrong one
 * becomes a sentence that names it. Names, defaults and meaning: design section 10. Values of secrets never enter one.
 */
import { readArchiveLayout, type ArchiveLayoutConfig } from "./config/archive-settings.ts";
import { readCompaction, type CompactionConfig } from "./config/compact-settings.ts";
import { findIneffective, refuseUnsupported } from "./config/collector-names.ts";
import { readOrigins, type CorsOrigins } from "./config/cors-settings.ts";
import { translateLangfuseNames } from "./config/langfuse-names.ts";
import { openSettingReader, type SettingReader } from "./config/setting-reader.ts";
import type { StorageGroup } from "./config/storage-config.ts";
import { findUnusedSettings, readArchiveStorage, readStorageGroup } from "./config/storage-settings.ts";
import { findStorageWarnings } from "./config/storage-warnings.ts";
import { readTokens, type TokenRule } from "./config/token-settings.ts";
import { EVENT_MAX_LATE, MAX_REQUEST_BYTES_CEILING, MAX_REQUEST_BYTES_FLOOR } from "./limits.ts";
import { bytes, GIB, HOUR, MIB, millis, seconds, type Bytes, type Millis, type Seconds } from "./units.ts";

/** Where objects go, and how their keys and bodies are written. */
export interface ArchiveConfig extends ArchiveLayoutConfig {
  readonly storage: StorageGroup;
}

/** All settings, validated. */
export interface Config {
  readonly tokens: readonly TokenRule[];
  /** Serve without credentials; only looked at when no token is configured. */
  readonly allowAnonymous: boolean;
  readonly archive: ArchiveConfig;
  /** Where media go; `null` while nothing of it is set. */
  readonly media: StorageGroup | null;
  /** Where table exports go; likewise. */
  readonly tableExport: StorageGroup | null;
  readonly compaction: CompactionConfig;
  readonly shards: number;
  readonly flushInterval: Seconds;
  readonly flushMaxBytes: Bytes;
  readonly backlogMaxBytes: Bytes;
  readonly maxRequestBytes: Bytes;
  readonly corsOrigins: CorsOrigins;
  /** 0: off. */
  readonly dedupeWindow: Seconds;
  /** A store that is silent for so long does not answer any more. */
  readonly storeTimeout: Seconds;
  /** How long after a window of event time a replay looks for its items. */
  readonly eventMaxLate: Millis;
  /** Jurisdiction of the Durable Objects; `null`: none. */
  readonly jurisdiction: DurableObjectJurisdiction | null;
  /** What works and may not be meant, a sentence each. */
  readonly warnings: readonly string[];
}

const JURISDICTIONS = ["eu", "fedramp", "us"] as const;

/**
 * Reads all settings.
 * @param env - the bindings and variables of the worker
 * @throws FirnError `misconfigured`, one sentence that names the first wrong setting and what was expected.
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Config {
  const source = translateLangfuseNames(env);
  const read = openSettingReader(source);
  refuseUnsupported(read);
  const archive = { ...readArchiveLayout(read), storage: readArchiveStorage(read) };
  const media = readStorageGroup(read, "MEDIA");
  const tableExport = readStorageGroup(read, "EXPORT");
  const groups = [archive.storage, media, tableExport].filter((group) => group !== null);
  return {
    tokens: readTokens(read, archive.partition),
    allowAnonymous: read.flag("ALLOW_ANONYMOUS", false),
    archive,
    media,
    tableExport,
    compaction: readCompaction(read),
    ...readNumbers(read),
    corsOrigins: readOrigins(read),
    jurisdiction: readJurisdiction(read),
    warnings: [
      ...source.warnings,
      ...groups.flatMap((group) => [...findUnusedSettings(read, group), ...findStorageWarnings(group)]),
      ...findIneffective([...source.values.keys()].filter((name) => typeof env[name] === "string")),
    ],
  };
}

/** Reads `CORS_ORIGINS` alone. @throws FirnError `misconfigured`. */
export function readCorsOrigins(env: Readonly<Record<string, unknown>>): CorsOrigins {
  return readOrigins(openSettingReader({ values: new Map(Object.entries(env)), aliases: new Map() }));
}

type Numbers = Pick<
  Config,
  | "shards"
  | "flushInterval"
  | "flushMaxBytes"
  | "backlogMaxBytes"
  | "maxRequestBytes"
  | "dedupeWindow"
  | "storeTimeout"
  | "eventMaxLate"
>;

function readNumbers(read: SettingReader): Numbers {
  return {
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
    dedupeWindow: readDedupeWindow(read),
    storeTimeout: seconds(read.integer("STORE_TIMEOUT_SECONDS", { fallback: 30, min: 1, max: 300 })),
    eventMaxLate: millis(
      HOUR * read.integer("EVENT_MAX_LATE_HOURS", { fallback: EVENT_MAX_LATE / HOUR, min: 0, max: 8760 }),
    ),
  };
}

function readDedupeWindow(read: SettingReader): Seconds {
  const value = read.integer("DEDUPE_WINDOW_SECONDS", { fallback: 3600, min: 0, max: 30 * 86_400 });
  if (value !== 0 && value < 900) {
    throw read.wrong("DEDUPE_WINDOW_SECONDS", `found "${value}", expected 0 (off) or at least 900`);
  }
  return seconds(value);
}

function readJurisdiction(read: SettingReader): DurableObjectJurisdiction | null {
  const value = read.optional("JURISDICTION");
  if (value === null) return null;
  const found = JURISDICTIONS.find((candidate) => candidate === value);
  if (found === undefined) throw read.wrong("JURISDICTION", `found "${value}", expected ${JURISDICTIONS.join(", ")}`);
  return found;
}

/** What the platform binds to the worker; handed on as values, so that nobody else reads `env`. */
export interface Bindings {
  /** R2 bindings by group; one that `wrangler.toml` does not declare is not here. */
  readonly buckets: Readonly<Partial<Record<StorageGroup["name"], R2Bucket>>>;
  readonly shardBuffer: Env["SHARD_BUFFER"];
  readonly directory: Env["DIRECTORY"];
  readonly compactor: Env["COMPACTOR"];
}

/** Reads the bindings that `wrangler.toml` declares. */
export function readBindings(env: Env): Bindings {
  const all: Readonly<Record<string, unknown>> = { ...env };
  const buckets = (["ARCHIVE", "MEDIA", "EXPORT"] as const).flatMap((name) => {
    const binding = all[name];
    return isBucket(binding) ? [[name, binding] as const] : [];
  });
  const { SHARD_BUFFER: shardBuffer, DIRECTORY: directory, COMPACTOR: compactor } = env;
  return { buckets: Object.fromEntries(buckets), shardBuffer, directory, compactor };
}

/** A binding that a deployment may leave out, and that TypeScript therefore does not know. */
function isBucket(binding: unknown): binding is R2Bucket {
  return typeof binding === "object" && binding !== null && "createMultipartUpload" in binding;
}
