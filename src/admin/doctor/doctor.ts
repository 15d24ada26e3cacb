/**
 * The doctor: settings and stores checked for real, and advice for this very configuration (design section 9). Composes
 * what its neighbours find into one document; the roots hand in settings and the way to open stores.
 */
import type { PartitionFormat } from "../../archive/partition.ts";
import type { StorageConfig, StorageGroup, StoreAccess } from "../../config/storage-config.ts";
import { toErrorMessage } from "../../errors.ts";
import type { ObjectStore } from "../../object-store/contract.ts";
import { advise, formatPrefix } from "./advice.ts";
import { clockUrlOf, fetchDate, measureSkew, type FetchDate } from "./clock.ts";
import type { DoctorDocument, SettingValue, StepReport, StoreReport } from "./document.ts";
import { permissionsOf, type StoreKind } from "./permissions.ts";
import type { AccessStores } from "./probe-plan.ts";
import { probeStore } from "./probe.ts";
import { describeConfig, describeGroup, type DescribedConfig } from "./settings.ts";
import { hideSecrets, listSecrets } from "./shown.ts";
import { listGroupWarnings } from "./warnings.ts";

/** A storage group, and how to reach its store. */
export interface DoctorGroup {
  readonly group: StorageGroup;
  /** Whose dialect an S3 endpoint speaks; `null` for other stores. */
  readonly dialect: StoreKind["dialect"];
  /** Opens the store with an access's credentials. @throws FirnError `misconfigured` */
  readonly open: (access: StoreAccess) => ObjectStore;
}

/** What the doctor needs. */
export interface DoctorDeps {
  readonly config: DescribedConfig & { readonly archive: { readonly partition: PartitionFormat } };
  /** Of the reader of settings. */
  readonly warnings: readonly string[];
  /** The archive first. */
  readonly groups: readonly DoctorGroup[];
  /** Days after which the bucket's own rules delete data (`BUCKET_EXPIRATION_DAYS`); `null`: never. */
  readonly expirationDays: number | null;
  readonly now?: () => number;
  readonly drawId?: () => string;
  readonly fetchDate?: FetchDate;
}

/**
 * Examines everything, one store after the other.
 * @param tenant - who asks: a named tenant is told about its own keys only, the unnamed one about everybody's
 */
export async function examine(deps: DoctorDeps, tenant: string): Promise<DoctorDocument> {
  const { config, groups } = deps;
  const findings: GroupFindings[] = [];
  for (const group of groups) findings.push(await examineGroup(group, deps));
  const errors = findings.flatMap((finding) => finding.errors);
  const settings: Record<string, SettingValue> = { ...describeConfig(config) };
  for (const { group } of groups) Object.assign(settings, describeGroup(group));
  return {
    ok: errors.length === 0,
    settings,
    warnings: [...deps.warnings, ...listConfigWarnings(config), ...findings.flatMap((finding) => finding.warnings)],
    errors,
    stores: findings.map((finding) => finding.report),
    advice: advise(
      findings.map(({ kind, group }) => ({ kind, group, prefix: prefixOf(group, config) })),
      { ...deps, archive: config.archive, tenants: tenantsFor(config, tenant) },
    ),
  };
}

function tenantsFor({ tokens }: DescribedConfig, tenant: string): readonly string[] {
  return tenant === "" ? [...new Set(["", ...tokens.map((token) => token.tenant)])] : [tenant];
}

function prefixOf(group: StorageGroup, { archive }: DescribedConfig): string {
  return formatPrefix(group.name === "ARCHIVE" ? [archive.basePrefix, archive.prefix] : [group.prefix]);
}

function listConfigWarnings(config: DescribedConfig): readonly string[] {
  return [
    ...(config.tokens.length === 0 && config.allowAnonymous
      ? ["ALLOW_ANONYMOUS is true and no token is set: whoever reaches this Firn reads, writes and administers it"]
      : []),
    ...(config.archive.compression === "zstd"
      ? ["ARCHIVE_COMPRESSION is zstd: Collectors older than v0.152 do not read it"]
      : []),
  ];
}

interface GroupFindings {
  readonly group: StorageGroup;
  readonly kind: StoreKind;
  readonly report: StoreReport;
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
}

async function examineGroup({ group, dialect, open }: DoctorGroup, deps: DoctorDeps): Promise<GroupFindings> {
  const now = deps.now ?? Date.now;
  const opened = openStores(group, open);
  const createOnly = "error" in opened ? "atomic" : opened.stores.write.traits.createOnly;
  const kind: StoreKind = { config: group.write, dialect, createOnly };
  const place = { group: group.name, store: nameStore(group.write, dialect), prefix: prefixOf(group, deps.config) };
  if ("error" in opened) {
    const report = { ...place, identity: "unknown", steps: [] };
    return { group, kind, report, warnings: [], errors: [opened.error] };
  }
  const { stores } = opened;
  const url = clockUrlOf(group.write);
  const skew = url === null ? null : await measureSkew(deps.fetchDate ?? fetchDate, url, now);
  const secrets = listSecrets(group);
  const { steps, leftovers } = await probeStore({
    stores,
    prefix: place.prefix,
    id: (deps.drawId ?? (() => crypto.randomUUID()))(),
    now,
    permissionsOf: (calls) => permissionsOf(kind, calls),
    hide: (text) => hideSecrets(text, secrets),
  });
  return {
    group,
    kind,
    report: { ...place, identity: stores.write.identity, steps },
    warnings: [
      ...listGroupWarnings({ group, dialect, createOnly, skew, now: now() }),
      ...listLeftovers(group, leftovers),
    ],
    errors: steps.flatMap((step) => toErrors(group, step)),
  };
}

function listLeftovers({ name }: StorageGroup, [first]: readonly string[]): readonly string[] {
  if (first === undefined) return [];
  const folder = first.slice(0, first.lastIndexOf("/") + 1);
  return [`${name}: objects of the doctor may be left over below "${folder}"; delete them`];
}

/** Accesses that share their credentials share the store: nothing is tried twice. */
function openStores(
  group: StorageGroup,
  open: DoctorGroup["open"],
): { readonly stores: AccessStores } | { readonly error: string } {
  try {
    const write = open("write");
    const read = group.read === group.write ? write : open("read");
    return { stores: { write, read, compact: group.compact === group.write ? write : open("compact") } };
  } catch (error) {
    return { error: `${group.name}: ${toErrorMessage(error)}` };
  }
}

function nameStore({ kind }: StorageConfig, dialect: StoreKind["dialect"]): string {
  return kind === "s3" && dialect !== null ? `s3 (${dialect})` : kind;
}

function toErrors({ name, isVerifiedByReading }: StorageGroup, step: StepReport): readonly string[] {
  if (step.outcome !== "failed") return [];
  const needs = step.permissions.length === 0 ? "" : `; needs the permission ${step.permissions.join(" and ")}`;
  const isUnproven = step.step === "digest" && step.kind === "misbehaved" && !isVerifiedByReading;
  const remedy = isUnproven ? `; set ${name}_VERIFY_BY_READING=true` : "";
  return [`${name}, ${step.access}, ${step.step}: ${step.message}${needs}${remedy}`];
}
