/**
 * Rules of a bucket that suit Firn: unfinished uploads end, and data may expire, but nothing ever touches `_firn/`
 * (protocol 5.11, collector-s3 7.3). Pure: which keys a rule may name, and the rules in each store's own form.
 */
import { rootPrefix } from "../../archive/key.ts";
import { RESERVED_SEGMENT, type PartitionFormat, type PartitionPart } from "../../archive/partition.ts";
import type { StorageGroupName } from "../../config/storage-config.ts";
import { unreachable } from "../../errors.ts";
import { ABORT_UPLOADS_AFTER_DAYS } from "../../limits.ts";
import type { StoreKind } from "./permissions.ts";

/** One rule: its name in the bucket and the keys that it is about. */
export interface LifecycleRule {
  readonly id: string;
  /** Keys that begin with this. */
  readonly prefix: string;
  /** After so many days the objects may go; `null`: never. */
  readonly expirationDays: number | null;
}

/** Where an archive's data stands. */
export interface ArchivePlace {
  readonly basePrefix: string;
  readonly prefix: string;
  readonly partition: PartitionFormat;
  /** Every tenant that has a token; the empty name is the unnamed one. */
  readonly tenants: readonly string[];
}

/** Plans the rules of an archive: at least one a tenant, so that each can be given an age of its own. */
export function planArchiveRules(place: ArchivePlace, expirationDays: number | null): readonly LifecycleRule[] {
  const beginnings = partitionBeginnings(place.partition);
  return place.tenants.flatMap((tenant) =>
    beginnings.map((beginning, index) => ({
      id: ["firn-data", tenant, index === 0 ? "" : String(index + 1)].filter((part) => part !== "").join("-"),
      prefix: rootPrefix({ ...place, tenant, filePrefix: "" }) + beginning,
      expirationDays,
    })),
  );
}

/** Plans the rule of a group that holds no archive: only unfinished uploads end, wherever they are. */
export function planGroupRules(name: StorageGroupName, prefix: string): readonly LifecycleRule[] {
  return [{ id: `firn-${name.toLowerCase()}`, prefix, expirationDays: null }];
}

/** The digits with which the value of a directive begins; years are those of this millennium. */
const FIRST_DIGITS: Readonly<Record<string, string>> = {
  Y: "2",
  y: "0123456789",
  m: "01",
  d: "0123",
  j: "0123",
  H: "012",
  M: "012345",
};

/**
 * Finds with what every partition path begins, `year=` for the default format. Where that alone could begin `_firn/`
 * too, as with `%Y/…`, the first digit of what follows is added: one beginning a digit.
 */
export function partitionBeginnings(partition: PartitionFormat): readonly string[] {
  const [first, second] = partition.freshPath.parts;
  const literal = first?.kind === "literal" ? first.text : "";
  if (!`${RESERVED_SEGMENT}/`.startsWith(literal)) return [literal];
  return Array.from(firstDigitsOf(literal === "" ? first : second), (digit) => literal + digit);
}

function firstDigitsOf(part: PartitionPart | undefined): string {
  return part?.kind === "directive" ? (FIRST_DIGITS[part.directive] ?? "") : "";
}

/** Formats rules as the document that the store's own tools take; `null` where none would be in it. */
export function formatLifecycle(kind: StoreKind, rules: readonly LifecycleRule[]): object | null {
  const { config } = kind;
  switch (config.kind) {
    case "r2":
      return formatS3Lifecycle(rules);
    case "azure":
      return formatAzurePolicy(rules, config.container);
    case "s3":
      if (kind.dialect === "gcs") return formatGcsLifecycle(rules);
      if (kind.dialect === "b2") return formatB2Rules(rules);
      if (kind.dialect === "swift") return null;
      // MinIO drops the ending of uploads from a rule without a word; it ends them after a day by itself.
      return formatS3Lifecycle(rules, kind.dialect === "minio" ? "expiration only" : "all");
    default:
      return unreachable(config, "store");
  }
}

function formatS3Lifecycle(rules: readonly LifecycleRule[], scope: "all" | "expiration only" = "all"): object | null {
  const abort = { AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_UPLOADS_AFTER_DAYS } };
  const written = rules
    .filter(({ expirationDays }) => scope === "all" || expirationDays !== null)
    .map(({ id, prefix, expirationDays }) => ({
      ID: id,
      Status: "Enabled",
      Filter: { Prefix: prefix },
      ...(expirationDays === null ? {} : { Expiration: { Days: expirationDays } }),
      ...(scope === "all" ? abort : {}),
    }));
  return written.length === 0 ? null : { Rules: written };
}

/** https://cloud.google.com/storage/docs/lifecycle: rules have no names, and conditions name several prefixes. */
function formatGcsLifecycle(rules: readonly LifecycleRule[]): object {
  const prefixes = rules.map(({ prefix }) => prefix);
  const abort = {
    action: { type: "AbortIncompleteMultipartUpload" },
    condition: { age: ABORT_UPLOADS_AFTER_DAYS, ...toGcsCondition(prefixes) },
  };
  const expirations = rules
    .filter(({ expirationDays }) => expirationDays !== null)
    .map(({ prefix, expirationDays }) => ({
      action: { type: "Delete" },
      condition: { age: expirationDays, ...toGcsCondition([prefix]) },
    }));
  return { rule: [abort, ...expirations] };
}

/** Without prefixes a condition is about all objects. */
function toGcsCondition(prefixes: readonly string[]): object {
  return prefixes.includes("") ? {} : { matchesPrefix: prefixes };
}

/** B2 hides a file first and deletes what is hidden afterwards. */
function formatB2Rules(rules: readonly LifecycleRule[]): object {
  return rules.map(({ prefix, expirationDays }) => ({
    fileNamePrefix: prefix,
    daysFromStartingToCancelingUnfinishedLargeFiles: ABORT_UPLOADS_AFTER_DAYS,
    ...(expirationDays === null ? {} : { daysFromUploadingToHiding: expirationDays, daysFromHidingToDeleting: 1 }),
  }));
}

/** Azure forgets uncommitted blocks after a week by itself, so that only an age of data makes a rule. */
function formatAzurePolicy(rules: readonly LifecycleRule[], container: string): object | null {
  const written = rules
    .filter(({ expirationDays }) => expirationDays !== null)
    .map(({ id, prefix, expirationDays }) => ({
      enabled: true,
      name: id,
      type: "Lifecycle",
      definition: {
        filters: { blobTypes: ["blockBlob"], prefixMatch: [`${container}/${prefix}`] },
        actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: expirationDays } } },
      },
    }));
  return written.length === 0 ? null : { rules: written };
}
