/**
 * Settings of compaction and retention, for all tenants and signals at once; {@link compactionOf} says what holds for
 * one of them. A tenant's own retention and legal hold stand in `TENANTS`.
 */
import { GIB, MIB, bytes, millis, seconds, secondsToMillis, type Bytes, type Millis } from "../units.ts";
import { isItemSignal, ITEM_SIGNALS, type ItemSignal } from "../signal.ts";
import type { SettingReader } from "./setting-reader.ts";

/** What holds for every tenant and signal. */
interface CompactionRules {
  readonly isEnabled: boolean;
  /** An hour is not looked at before so much time has passed since its end. */
  readonly delay: Millis;
  /** Sources stay so long after their manifest was mirrored. */
  readonly grace: Millis;
  /** Raw bytes at which an output ends. */
  readonly targetBytes: Bytes;
  readonly compression: "zstd" | "gzip";
  /** `null`: the default of the compression. */
  readonly level: number | null;
  /** What becomes of other writers' objects once outputs hold them. */
  readonly foreign: "keep" | "delete";
  /** The operator's word that nobody else compacts under the prefix; needed where the store has no create-only puts. */
  readonly isSoleWriter: boolean;
  /** After which the bucket's own lifecycle deletes objects; `null`: it does not. */
  readonly bucketExpiration: Millis | null;
}

/** What holds for one tenant and signal. */
export interface TenantCompaction extends CompactionRules {
  /** `null`: for ever. */
  readonly retention: Millis | null;
  /** Nothing is retired, whatever the retention. */
  readonly legalHold: boolean;
}

/** Retention by signal; a signal that is not there has none of its own. */
type Retentions = ReadonlyMap<ItemSignal, Millis | null>;

/** All settings of compaction. */
export interface CompactionConfig {
  readonly rules: CompactionRules;
  readonly retentions: Retentions;
  readonly tenants: ReadonlyMap<string, { readonly retentions: Retentions; readonly legalHold: boolean }>;
}

const DAY: Millis = millis(86_400_000);
const MAX_DAYS = 36_500;
const MAX_LEVEL = { zstd: 19, gzip: 9 } as const;

/** Reads the settings. @throws FirnError `misconfigured` */
export function readCompaction(read: SettingReader): CompactionConfig {
  const compression = read.oneOf("COMPACT_COMPRESSION", ["zstd", "gzip"]);
  const wait = (name: string, fallback: number): Millis =>
    secondsToMillis(seconds(read.integer(name, { fallback, min: 0, max: 30 * 86_400 })));
  const rules: CompactionRules = {
    isEnabled: read.flag("COMPACT_ENABLED", true),
    delay: wait("COMPACT_DELAY_SECONDS", 300),
    grace: wait("COMPACT_GRACE_SECONDS", 3600),
    targetBytes: bytes(read.integer("COMPACT_TARGET_BYTES", { fallback: 128 * MIB, min: MIB, max: GIB })),
    compression,
    level: readOptional(read, "COMPACT_LEVEL", MAX_LEVEL[compression]),
    foreign: read.oneOf("COMPACT_FOREIGN", ["keep", "delete"]),
    isSoleWriter: read.flag("COMPACT_SOLE_WRITER", false),
    bucketExpiration: readDays(read, "BUCKET_EXPIRATION_DAYS"),
  };
  return { rules, retentions: readRetentions(read), tenants: readTenantRules(read) };
}

/** What holds for a tenant and signal: its own rule, else the one for all. */
export function compactionOf(config: CompactionConfig, tenant: string, signal: ItemSignal): TenantCompaction {
  const own = config.tenants.get(tenant);
  const ownRetention = own?.retentions.get(signal);
  const retention = ownRetention === undefined ? config.retentions.get(signal) : ownRetention;
  return { ...config.rules, retention: retention ?? null, legalHold: own?.legalHold ?? false };
}

function readOptional(read: SettingReader, name: string, max: number): number | null {
  return read.isSet(name) ? read.integer(name, { fallback: 1, min: 1, max }) : null;
}

function readDays(read: SettingReader, name: string): Millis | null {
  const days = readOptional(read, name, MAX_DAYS);
  return days === null ? null : millis(days * DAY);
}

/** `RETENTION_DAYS`, and `RETENTION_DAYS_TRACES` and its like for one signal alone. */
function readRetentions(read: SettingReader): Retentions {
  const all = readDays(read, "RETENTION_DAYS");
  return new Map(
    ITEM_SIGNALS.map((signal) => [signal, readDays(read, `RETENTION_DAYS_${signal.toUpperCase()}`) ?? all] as const),
  );
}

/** Reads what `TENANTS` says beside tokens, which were read before and have the form of an object of objects. */
function readTenantRules(read: SettingReader): CompactionConfig["tenants"] {
  const tenants: unknown = JSON.parse(read.text("TENANTS", "{}"));
  if (!isRecord(tenants)) return new Map();
  return new Map(
    Object.entries(tenants).map(([tenant, value]) => {
      const rule = isRecord(value) ? value : {};
      return [
        tenant,
        { retentions: readTenantDays(read, tenant, rule["retention_days"]), legalHold: readHold(read, tenant, rule) },
      ] as const;
    }),
  );
}

/** A number of days for all signals, `null` for ever, or an object with one of these for some of them. */
function readTenantDays(read: SettingReader, tenant: string, value: unknown): Retentions {
  if (value === undefined) return new Map();
  const bySignal: [string, unknown][] = isRecord(value)
    ? Object.entries(value)
    : ITEM_SIGNALS.map((signal) => [signal, value]);
  return new Map(
    bySignal.map(([signal, days]) => {
      if (!isItemSignal(signal)) {
        throw read.wrong("TENANTS", `found "${signal}" in retention_days of "${tenant}", expected ${formatSignals()}`);
      }
      return [signal, toDays(read, tenant, days)] as const;
    }),
  );
}

function toDays(read: SettingReader, tenant: string, days: unknown): Millis | null {
  if (days === null) return null;
  if (typeof days === "number" && Number.isInteger(days) && days >= 1 && days <= MAX_DAYS) return millis(days * DAY);
  const expected = `expected a whole number from 1 to ${MAX_DAYS}, or null for ever`;
  throw read.wrong("TENANTS", `found no number of days in retention_days of "${tenant}", ${expected}`);
}

function readHold(read: SettingReader, tenant: string, { legal_hold: hold = false }: Record<string, unknown>): boolean {
  if (typeof hold === "boolean") return hold;
  throw read.wrong("TENANTS", `found no boolean in legal_hold of "${tenant}", expected true or false`);
}

function formatSignals(): string {
  return ITEM_SIGNALS.map((signal) => `"${signal}"`).join(", ");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
