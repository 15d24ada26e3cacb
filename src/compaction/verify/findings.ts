/**
 * What a scrub has found: findings are gathered hour by hour, since an hour that changed meanwhile is looked at again,
 * and repaired as they are found. A repair proves by itself that it still is right; it never trusts the look before.
 */
import { FirnError, toErrorMessage } from "../../errors.ts";
import { VERIFY_MAX_FINDINGS } from "../../limits.ts";
import { log } from "../../log.ts";
import type { Signal } from "../../signal.ts";
import type { Millis } from "../../units.ts";
import type { Finding, FindingKind } from "./contract.ts";
import { KINDS } from "./finding-kinds.ts";

/** `not_now`: there is a reason to leave it as it is, such as a Compactor that works on it. */
export type RepairOutcome = "repaired" | "not_now";

/** Something that was found. */
export interface Found {
  readonly kind: FindingKind;
  readonly key: string | null;
  readonly message: string;
  /** Absent where this one cannot be repaired. */
  readonly repair?: () => Promise<RepairOutcome>;
}

/** What was found in an hour, or in the window. */
export interface Findings {
  /** Adds a finding and repairs it if that is wanted. @returns whether it was */
  add(found: Found): Promise<boolean>;
  /** Adds what other findings hold. */
  merge(other: Findings): void;
  /** Leaves those that were repaired: the rest is looked for again. */
  keepRepaired(): void;
  readonly list: readonly Finding[];
  /** All, with those that are not in the list. */
  readonly count: number;
  readonly repairedCount: number;
  /** Not repaired, and more than worth knowing. */
  readonly openCount: number;
}

/** Opens findings of an hour; those of a window are merged from them. */
export function openFindings(
  place: { readonly signal: Signal; readonly hour: Millis },
  isRepairing: boolean,
): Findings {
  let list: Finding[] = [];
  const counts = { all: 0, repaired: 0, open: 0 };

  function push(finding: Finding): void {
    if (list.length < VERIFY_MAX_FINDINGS) list.push(finding);
    counts.all += 1;
    if (finding.repaired) counts.repaired += 1;
    else if (finding.severity !== "info") counts.open += 1;
  }

  return {
    async add(found) {
      const outcome = isRepairing ? await tryRepair(found) : { isRepaired: false, error: null };
      push(toFinding(found, place, outcome));
      return outcome.isRepaired;
    },
    merge(other) {
      for (const finding of other.list) if (list.length < VERIFY_MAX_FINDINGS) list.push(finding);
      counts.all += other.count;
      counts.repaired += other.repairedCount;
      counts.open += other.openCount;
    },
    keepRepaired() {
      list = list.filter(({ repaired }) => repaired);
      Object.assign(counts, { all: counts.repaired, open: 0 });
    },
    get list() {
      return list;
    },
    get count() {
      return counts.all;
    },
    get repairedCount() {
      return counts.repaired;
    },
    get openCount() {
      return counts.open;
    },
  };
}

interface Outcome {
  readonly isRepaired: boolean;
  readonly error: string | null;
}

/** A repair that fails leaves its finding; only a store that is away ends the scrub. */
async function tryRepair({ kind, key, repair }: Found): Promise<Outcome> {
  if (repair === undefined) return { isRepaired: false, error: null };
  try {
    const outcome = await repair();
    if (outcome === "not_now") return { isRepaired: false, error: "The Compactor is at work here: verify again later" };
    log("warn", "verify.repaired", { kind, key });
    return { isRepaired: true, error: null };
  } catch (error) {
    if (!(error instanceof FirnError) || error.kind === "store_unavailable") throw error;
    return { isRepaired: false, error: toErrorMessage(error) };
  }
}

function toFinding(
  { kind, key, message, repair }: Found,
  { signal, hour }: { readonly signal: Signal; readonly hour: Millis },
  { isRepaired, error }: Outcome,
): Finding {
  const facts = KINDS[kind];
  return {
    kind,
    severity: facts.severity,
    signal,
    hour: new Date(hour).toISOString(),
    key,
    message,
    repair: repair === undefined ? "none" : (facts.repair ?? "none"),
    advice: repair === undefined || error !== null ? facts.advice : null,
    repaired: isRepaired,
    repair_error: error,
  };
}
