/**
 * What works and may surprise: sentences about a storage group that neither its settings alone (`config/` says those)
 * nor a probe can tell. Pure.
 */
import type { StorageGroup, StoreAccess } from "../../config/storage-config.ts";
import { DOCTOR_CLOCK_SKEW_WARN, DOCTOR_SAS_EXPIRY_WARN } from "../../limits.ts";
import type { Millis } from "../../units.ts";
import { CALLS_OF, permissionsOf, type StoreKind } from "./permissions.ts";
import { formatSasPermissions } from "./policies.ts";

/** What is known of a group. */
export interface GroupFacts {
  readonly group: StorageGroup;
  readonly dialect: StoreKind["dialect"];
  readonly createOnly: StoreKind["createOnly"];
  /** Positive when the clock here is ahead of the store's. */
  readonly skew: Millis | null;
  readonly now: number;
}

const ACCESSES: readonly StoreAccess[] = ["write", "read", "compact"];

/** Lists the warnings about a group, each once. */
export function listGroupWarnings(facts: GroupFacts): readonly string[] {
  const { group, dialect, createOnly } = facts;
  const sentences = [
    ...ACCESSES.flatMap((access) => listSasWarnings(facts, access)),
    ...listClockWarnings(facts.skew),
    ...(dialect === "generic"
      ? [`the endpoint belongs to no store that Firn knows; name its kind with ${group.name}_DIALECT`]
      : []),
    ...(createOnly === "checked"
      ? ["the store has no atomic create-only put: no other writer may use this prefix"]
      : []),
  ];
  return [...new Set(sentences)].map((sentence) => `${group.name}: ${sentence}`);
}

function listClockWarnings(skew: Millis | null): readonly string[] {
  if (skew === null || Math.abs(skew) < DOCTOR_CLOCK_SKEW_WARN) return [];
  const seconds = Math.round(Math.abs(skew) / 1000);
  return [`the clock here is ${seconds} s ${skew > 0 ? "ahead of" : "behind"} the store's; at 900 s all is refused`];
}

/** A signature says in the clear until when it is good, and for what. */
function listSasWarnings({ group, now }: GroupFacts, access: StoreAccess): readonly string[] {
  const config = group[access];
  if (config.kind !== "azure" || config.credential.kind !== "sas") return [];
  const fields = new URLSearchParams(config.credential.token);
  const ends = Date.parse(fields.get("se") ?? "");
  const needed = permissionsOf({ config, dialect: null, createOnly: "atomic" }, CALLS_OF[access]);
  const missing = formatSasPermissions(needed.filter((letter) => !(fields.get("sp") ?? letter).includes(letter)));
  return [
    ...(ends - now < DOCTOR_SAS_EXPIRY_WARN
      ? [`the shared access signature for ${access} ends at ${new Date(ends).toISOString()}`]
      : []),
    ...(missing === "" ? [] : [`the shared access signature for ${access} lacks the permissions "${missing}"`]),
  ];
}
