/** Advice for this very configuration: policies, lifecycle rules and commands, group by group. Pure. */
import type { PartitionFormat } from "../../archive/partition.ts";
import type { StorageConfig, StorageGroup } from "../../config/storage-config.ts";
import { planCommands } from "./commands.ts";
import type { Advice } from "./document.ts";
import { formatLifecycle, planArchiveRules, planGroupRules, type LifecycleRule } from "./lifecycle.ts";
import type { StoreKind } from "./permissions.ts";
import { planPolicies } from "./policies.ts";

/** A group that advice is wanted for. */
export interface AdvisedGroup {
  readonly group: StorageGroup;
  readonly kind: StoreKind;
  /** Under which its keys stand, with its slash; empty at the bucket's root. */
  readonly prefix: string;
}

/** What the rules for data depend on. */
export interface DataFacts {
  readonly archive: { readonly basePrefix: string; readonly prefix: string; readonly partition: PartitionFormat };
  readonly tenants: readonly string[];
  readonly expirationDays: number | null;
}

/** Advises all groups. */
export function advise(groups: readonly AdvisedGroup[], facts: DataFacts): Advice {
  const planned = groups.map(({ group, kind, prefix }) => {
    const { name } = group;
    const policies = planPolicies(kind, prefix);
    // The rules of a bucket are replaced as a whole: they are those of all groups in it.
    const rules = groups
      .filter((other) => placeOf(other.group.write) === placeOf(group.write))
      .flatMap((sharing) => planRules(sharing, facts));
    const commands = planCommands(kind, { group: name.toLowerCase(), rules, policies, prefix });
    return { name, policies, lifecycle: formatLifecycle(kind, rules), commands };
  });
  return {
    policies: Object.fromEntries(planned.map(({ name, policies }) => [name, policies])),
    lifecycle: Object.fromEntries(planned.map(({ name, lifecycle }) => [name, lifecycle])),
    commands: Object.fromEntries(planned.map(({ name, commands }) => [name, commands])),
  };
}

/** Formats prefixes as the beginning of a key. */
export function formatPrefix(prefixes: readonly string[]): string {
  return prefixes.map((part) => (part === "" ? "" : `${part}/`)).join("");
}

function planRules({ group, prefix }: AdvisedGroup, facts: DataFacts): readonly LifecycleRule[] {
  if (group.name !== "ARCHIVE") return planGroupRules(group.name, prefix);
  return planArchiveRules({ ...facts.archive, tenants: facts.tenants }, facts.expirationDays);
}

/** Two groups with the same one share a bucket. */
function placeOf(config: StorageConfig): string {
  const place =
    config.kind === "azure"
      ? [config.endpoint, config.container]
      : [config.kind === "s3" ? (config.endpoint ?? "") : "", config.bucket];
  return JSON.stringify([config.kind, ...place]);
}
