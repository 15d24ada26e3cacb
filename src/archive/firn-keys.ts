/**
 * Names below `_firn/`, where Firn keeps what it knows about an archive: who owns it, manifests, member tables.
 *
 *     <base_prefix?>/<prefix?>/_firn/owner
 *     …/_firn/owners/<tenant or ->
 *     …/_firn/manifests/<tenant or ->/<signal>/<hour path>/<generation, 8 digits>-<sha256, 16 hex>.json
 *     …/_firn/manifests/<tenant or ->/<signal>/<hour path>/<generation, 8 digits>.claim
 *     …/_firn/members/<tenant or ->/<signal>/<hour path>/<id of the output>.json
 *     …/_firn/members/<tenant or ->/<signal>/<hour path>/<id of the output>-foreign-<number>.json
 *     …/_firn/indexes/<tenant or ->/<signal>/<hour path>/<id of the output>.trace
 *
 * The tenant stands behind `_firn/`, not before it: one owner has one place, one listing finds the manifests of all
 * tenants, and no tenant's prefix holds anything but telemetry. The hour path is the partition's, cut after the hour.
 */
import { MANIFEST_MAX_GENERATION } from "../limits.ts";
import type { Signal } from "../signal.ts";
import { millis, type Millis } from "../units.ts";
import { formatId, UNNAMED_TENANT_SEGMENT, type CompactedKey, type Layout } from "./key.ts";
import { formatHourPath, RESERVED_SEGMENT } from "./partition.ts";

/** What the name of a manifest says. */
export interface ManifestName {
  /** 1 to 99,999,999. */
  readonly generation: number;
  /** First 16 hex digits of the SHA-256 of the manifest's bytes. */
  readonly sha16: string;
}

const MANIFEST_NAME = /^(\d{8})-([0-9a-f]{16})\.json$/;
const MEMBERS_NAME = /\/(\d{8}T\d\d)0000000Z-c[0-9a-f]{2}-[0-9a-f]{8}-[0-9a-f]{8}(?:-foreign-\d+)?\.json$/;
const INDEX_NAME = /\/(\d{8}T\d\d)0000000Z-c[0-9a-f]{2}-[0-9a-f]{8}-[0-9a-f]{8}\.trace$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
const GENERATION_DIGITS = 8;
const SHA_DIGITS = 16;

/** Formats the prefix of everything that is Firn's own, of all tenants. */
export function formatFirnRoot(layout: Layout): string {
  const root = [layout.basePrefix, layout.prefix].map((part) => (part === "" ? "" : `${part}/`)).join("");
  return `${root}${RESERVED_SEGMENT}/`;
}

/** Formats the key that names the deployment which may compact and delete, for all tenants that nobody took over. */
export function formatOwnerKey(layout: Layout): string {
  return `${formatFirnRoot(layout)}owner`;
}

/** Formats the key that names another deployment for one tenant alone, which took that tenant over. */
export function formatTenantOwnerKey(layout: Layout): string {
  return `${formatFirnRoot(layout)}owners/${tenantSegment(layout)}`;
}

/** Formats the prefix of all manifests of a tenant and signal, with its trailing slash. */
export function manifestRoot(layout: Layout, signal: Signal): string {
  return `${formatFirnRoot(layout)}manifests/${tenantSegment(layout)}/${signal}/`;
}

/** Formats the prefix of the manifests of an hour, with its trailing slash. */
export function manifestFolder(layout: Layout, signal: Signal, hour: Millis): string {
  return `${manifestRoot(layout, signal)}${formatHourPath(layout.partition, hour)}/`;
}

/** Formats the prefix of all member tables of a tenant and signal, with its trailing slash. */
export function membersRoot(layout: Layout, signal: Signal): string {
  return `${formatFirnRoot(layout)}members/${tenantSegment(layout)}/${signal}/`;
}

/** Formats the prefix of the member tables and foreign parts of an hour, with its trailing slash. */
export function membersFolder(layout: Layout, signal: Signal, hour: Millis): string {
  return `${membersRoot(layout, signal)}${formatHourPath(layout.partition, hour)}/`;
}

/**
 * Formats the key of a manifest.
 * @throws RangeError for a generation outside of 1 to 99,999,999, or a digest that is not 64 hex digits in lower case
 */
export function formatManifestKey(
  { generation, sha256Hex }: { readonly generation: number; readonly sha256Hex: string },
  layout: Layout,
  signal: Signal,
  hour: Millis,
): string {
  if (!Number.isInteger(generation) || generation < 1 || generation > MANIFEST_MAX_GENERATION) {
    const expected = `expected an integer from 1 to ${MANIFEST_MAX_GENERATION}`;
    throw new RangeError(`Cannot format manifest key: generation is ${generation}, ${expected}`);
  }
  if (!SHA256_HEX.test(sha256Hex)) {
    throw new RangeError("Cannot format manifest key: the digest is not SHA-256, expected 64 hex digits in lower case");
  }
  return `${manifestFolder(layout, signal, hour)}${toDigits(generation)}-${sha256Hex.slice(0, SHA_DIGITS)}.json`;
}

/**
 * Formats the key of the claim on a generation, which holds the bytes of its manifest. It names the generation alone,
 * so that of several writers only one can create it, whatever their manifests hold; whoever did publishes the manifest.
 */
export function formatClaimKey(generation: number, layout: Layout, signal: Signal, hour: Millis): string {
  return `${manifestFolder(layout, signal, hour)}${toDigits(generation)}.claim`;
}

/** Parses a key that {@link formatManifestKey} made for this hour; anything else, however close, is `null`. */
export function parseManifestKey(key: string, layout: Layout, signal: Signal, hour: Millis): ManifestName | null {
  const folder = manifestFolder(layout, signal, hour);
  const match = key.startsWith(folder) ? MANIFEST_NAME.exec(key.slice(folder.length)) : null;
  const generation = Number(match?.[1] ?? 0);
  return generation === 0 ? null : { generation, sha16: match?.[2] ?? "" };
}

/** Formats the key of the member table of an output. */
export function formatMembersKey(output: CompactedKey, layout: Layout): string {
  return `${membersFolder(layout, output.signal, output.hour)}${formatId(output)}.json`;
}

/** Formats the prefix of the indexes of an hour, with its trailing slash. */
export function indexesFolder(layout: Layout, signal: Signal, hour: Millis): string {
  const root = `${formatFirnRoot(layout)}indexes/${tenantSegment(layout)}/${signal}/`;
  return `${root}${formatHourPath(layout.partition, hour)}/`;
}

/** Formats the key of the trace index of an output. */
export function formatTraceIndexKey(output: CompactedKey, layout: Layout): string {
  return `${indexesFolder(layout, output.signal, output.hour)}${formatId(output)}.trace`;
}

/**
 * Says of which hour a member table, a part or an index is, by the id of the output that it names; `null` for a key
 * that is none of them.
 */
export function parseFileHour(key: string, layout: Layout, signal: Signal): Millis | null {
  const stamp = (MEMBERS_NAME.exec(key) ?? INDEX_NAME.exec(key))?.[1];
  if (stamp === undefined) return null;
  const hour = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)$/, "$1-$2-$3T$4:00:00Z"));
  if (Number.isNaN(hour)) return null;
  const folderOf = MEMBERS_NAME.test(key) ? membersFolder : indexesFolder;
  return key.startsWith(folderOf(layout, signal, millis(hour))) ? millis(hour) : null;
}

/**
 * Formats the key of a part that lists foreign sources.
 * @param output the first output of the run that wrote the part
 * @param number 0 and up, in the run
 */
export function formatForeignPartKey(output: CompactedKey, number: number, layout: Layout): string {
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new RangeError(`Cannot format foreign part key: number is ${number}, expected 0 or more`);
  }
  return `${membersFolder(layout, output.signal, output.hour)}${formatId(output)}-foreign-${number}.json`;
}

function toDigits(generation: number): string {
  return String(generation).padStart(GENERATION_DIGITS, "0");
}

function tenantSegment(layout: Layout): string {
  return layout.tenant === "" ? UNNAMED_TENANT_SEGMENT : layout.tenant;
}
