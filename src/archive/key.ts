/**
 * Names of archive objects: {@link formatKey} and {@link parseKey}, inverse to each other, and {@link classifyKey} for
 * what a listing shows.
 *
 * Knows the layout `<base_prefix?>/<prefix?>/<tenant?>/<partition>/<file_prefix><signal>_<id>.<json|binpb>[.gz|.zst]`
 * and nothing about stores. The id is, in lower case:
 *
 * | chars | what                                                                                   |
 * |-------|----------------------------------------------------------------------------------------|
 * | 19    | `yyyymmddThhmmssmmmZ`: time of the seal, or first instant of the compacted hour, in UTC |
 * | 1     | `-`                                                                                    |
 * | 1 + 2 | `f` and the shard, or `c` and the attempt modulo 256, in hex                           |
 * | 1 + 8 | `-` and the incarnation, 32 random bits in hex                                         |
 * | 1 + 8 | `-` and the sequence, or the number of the output, in hex                              |
 */
import { SIGNALS, type Signal } from "../signal.ts";
import { HOUR, millis, MINUTE, type Millis } from "../units.ts";
import { formatExtension, parseFileName, type ObjectForm } from "./object-form.ts";
import {
  formatHourPath,
  formatPartition,
  hourPrefixOf,
  isFirstSegment,
  parsePartition,
  RESERVED_SEGMENT,
  type PartitionFormat,
} from "./partition.ts";

/** All settings that decide a key; `config.ts` checked the texts. */
export interface Layout {
  /** `ARCHIVE_BASE_PREFIX`, without slashes at its ends; may be empty. */
  readonly basePrefix: string;
  /** `ARCHIVE_PREFIX`, likewise. */
  readonly prefix: string;
  /** Empty for the unnamed tenant, which has no segment in its keys. */
  readonly tenant: string;
  readonly partition: PartitionFormat;
  /** `ARCHIVE_FILE_PREFIX`, which stands right before the signal; may be empty, has no slash. */
  readonly filePrefix: string;
}

/** Takes the layout of a tenant's keys out of what may hold more settings. */
export function toLayout(settings: Omit<Layout, "tenant">, tenant: string): Layout {
  const { basePrefix, prefix, partition, filePrefix } = settings;
  return { basePrefix, prefix, tenant, partition, filePrefix };
}

/** What the key of a flushed object says. */
export interface FreshKey {
  readonly kind: "fresh";
  readonly signal: Signal;
  readonly form: ObjectForm;
  /** Decides the partition; 1970 to 9999. */
  readonly sealTime: Millis;
  /** 0 to 255. */
  readonly shard: number;
  /** 8 hex digits in lower case. */
  readonly incarnation: string;
  /** 1 to 2³² − 1, without gaps in an incarnation. */
  readonly sequence: number;
}

/** What the key of a compaction's output says. Only objects of this kind need a manifest to be read. */
export interface CompactedKey {
  readonly kind: "compacted";
  readonly signal: Signal;
  readonly form: ObjectForm;
  /** First instant of the hour. */
  readonly hour: Millis;
  /** The attempt modulo 256. */
  readonly attempt: number;
  /** The Compactor's, 8 hex digits in lower case. */
  readonly incarnation: string;
  /** Number of the output in its attempt, 0 to 2³² − 1. */
  readonly output: number;
}

/** What the key of another writer's object says, such as awss3exporter's; it is always fresh. */
export interface ForeignKey {
  readonly kind: "foreign";
  readonly signal: Signal;
  readonly form: ObjectForm;
  /** First instant of the partition, an hour's if it names no minute; `null` if it is none of this layout. */
  readonly minute: Millis | null;
}

/** A key that Firn writes. */
export type OwnKey = FreshKey | CompactedKey;
/** A key that Firn reads. */
export type ArchiveKey = OwnKey | ForeignKey;

/** Stands for the unnamed tenant below `_firn/`, where every tenant needs a segment. */
export const UNNAMED_TENANT_SEGMENT = "-";

const ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-([fc])([0-9a-f]{2})-([0-9a-f]{8})-([0-9a-f]{8})$/;
const INCARNATION = /^[0-9a-f]{8}$/;
const LAST_TIME = Date.UTC(10_000, 0, 1) - 1;

/**
 * Formats the key of an object.
 * @throws RangeError when a number does not fit its digits.
 */
export function formatKey(key: OwnKey, layout: Layout): string {
  const time = key.kind === "fresh" ? key.sealTime : key.hour;
  const path = key.kind === "fresh" ? formatPartition(layout.partition, time) : formatHourPath(layout.partition, time);
  return `${rootPrefix(layout)}${path}/${layout.filePrefix}${key.signal}_${formatId(key)}${formatExtension(key.form)}`;
}

/** Formats the id of an object, which is unique without its key: `20260501T140930123Z-f01-9f2c4e7a-0000002a`. */
export function formatId(key: OwnKey): string {
  const time = key.kind === "fresh" ? key.sealTime : key.hour;
  assertRange("time", time, LAST_TIME);
  if (key.kind === "compacted" && time % HOUR !== 0)
    throw new RangeError("Cannot format key: hour is not a whole hour");
  if (!INCARNATION.test(key.incarnation)) throw new RangeError("Cannot format key: incarnation is not 8 hex digits");
  const stamp = new Date(time).toISOString().replace(/[-:.]/g, "");
  return key.kind === "fresh"
    ? `${stamp}-f${hex("shard", key.shard, 2)}-${key.incarnation}-${hex("sequence", key.sequence, 8)}`
    : `${stamp}-c${hex("attempt", key.attempt, 2)}-${key.incarnation}-${hex("output", key.output, 8)}`;
}

/** Parses a key that {@link formatKey} made under this layout; anything else, however close, is `null`. */
export function parseKey(key: string, layout: Layout): OwnKey | null {
  const own = parseOwnName(key, layout);
  return own !== null && formatKey(own, layout) === key ? own : null;
}

/**
 * Says what a key of a listing is to a reader.
 *
 * A fresh object of Firn's is one wherever it stands below its hour, since `ARCHIVE_PARTITION_FORMAT` may have changed
 * between minute and hour. A name with Firn's id elsewhere is never taken for foreign: a stray output of compaction
 * must not be read as fresh data.
 * @returns `null` for what is no telemetry of this tenant.
 */
export function classifyKey(key: string, layout: Layout): ArchiveKey | null {
  if (!isTenantKey(key, layout)) return null;
  const own = parseOwnName(key, layout);
  if (own === null) return parseForeignKey(key, layout);
  if (own.kind === "compacted") return formatKey(own, layout) === key ? own : null;
  return key.startsWith(hourListPrefix(layout, own.sealTime)) ? own : null;
}

/** Parses a key of another writer, `<…>/<file_prefix><signal>_<unique>.<extension>`; `null` for Firn's own names. */
export function parseForeignKey(key: string, layout: Layout): ForeignKey | null {
  const name = isTenantKey(key, layout) ? splitName(key, layout) : null;
  if (name === null || ID.test(name.id)) return null;
  const path = key.slice(rootPrefix(layout).length, key.lastIndexOf("/"));
  return { kind: "foreign", signal: name.signal, form: name.form, minute: parsePartition(layout.partition, path) };
}

/** First instant of the minute of arrival, which decides about windows (protocol 6.2). */
export function minuteOf(key: FreshKey): Millis {
  return millis(key.sealTime - (key.sealTime % MINUTE));
}

/** Formats the prefix under which all of a tenant stands, with its trailing slash; empty at the bucket's root. */
export function rootPrefix(layout: Layout): string {
  return [layout.basePrefix, layout.prefix, layout.tenant].map((part) => (part === "" ? "" : `${part}/`)).join("");
}

/** Formats the listing prefix of all objects, fresh and compacted, of the hour around this instant. */
export function hourListPrefix(layout: Layout, time: Millis): string {
  return rootPrefix(layout) + hourPrefixOf(layout.partition, time);
}

/**
 * Says whether a key of a listing is this tenant's: it stands under the tenant's prefix and goes on with a partition.
 * That leaves out `_firn/` and, for the unnamed tenant, every named one, since no named one {@link isTenantReserved}.
 */
export function isTenantKey(key: string, layout: Layout): boolean {
  const root = rootPrefix(layout);
  if (!key.startsWith(root)) return false;
  const slashAt = key.indexOf("/", root.length);
  return slashAt > 0 && isFirstSegment(layout.partition, key.slice(root.length, slashAt));
}

/** Says whether a tenant of this name would share keys with the unnamed one, as `2026` under `%Y/…`, or with Firn. */
export function isTenantReserved(name: string, partition: PartitionFormat): boolean {
  return name === RESERVED_SEGMENT || name === UNNAMED_TENANT_SEGMENT || isFirstSegment(partition, name);
}

interface ObjectName {
  readonly signal: Signal;
  readonly id: string;
  readonly form: ObjectForm;
}

function splitName(key: string, layout: Layout): ObjectName | null {
  const name = key.slice(key.lastIndexOf("/") + 1);
  if (!name.startsWith(layout.filePrefix)) return null;
  const file = parseFileName(name.slice(layout.filePrefix.length));
  if (file === null) return null;
  const signal = SIGNALS.find((candidate) => file.stem.startsWith(`${candidate}_`));
  if (signal === undefined) return null;
  const id = file.stem.slice(signal.length + 1);
  return id === "" ? null : { signal, id, form: file.form };
}

/** Parses the file name alone; where the object stands is not looked at. */
function parseOwnName(key: string, layout: Layout): OwnKey | null {
  const name = splitName(key, layout);
  const match = name === null ? null : ID.exec(name.id);
  if (name === null || match === null) return null;
  const [year, month, day, hour, minute, second, milli] = match.slice(1, 8).map(Number);
  const time = millis(Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second, milli));
  const { signal, form } = name;
  const number = Number.parseInt(match[9] ?? "", 16);
  const incarnation = match[10] ?? "";
  const count = Number.parseInt(match[11] ?? "", 16);
  const own: OwnKey =
    match[8] === "f"
      ? { kind: "fresh", signal, form, sealTime: time, shard: number, incarnation, sequence: count }
      : { kind: "compacted", signal, form, hour: time, attempt: number, incarnation, output: count };
  return isFormattable(own) && formatId(own) === name.id ? own : null;
}

function isFormattable(key: OwnKey): boolean {
  if (key.kind === "fresh") return key.sealTime >= 0 && key.sealTime <= LAST_TIME && key.sequence > 0;
  return key.hour >= 0 && key.hour <= LAST_TIME && key.hour % HOUR === 0;
}

function hex(what: string, value: number, digits: number): string {
  assertRange(what, value, 16 ** digits - 1);
  if (what === "sequence" && value === 0) throw new RangeError("Cannot format key: sequence is 0, expected 1 or more");
  return value.toString(16).padStart(digits, "0");
}

function assertRange(what: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new RangeError(`Cannot format key: ${what} is ${value}, expected an integer from 0 to ${max}`);
}
