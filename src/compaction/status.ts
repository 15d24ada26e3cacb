/** What a Compactor says about itself: the report of a call, and the numbers of `/status`. */
import { COMPACT_SET_ASIDE_ATTEMPTS } from "../limits.ts";
import type { Compactor, Counters } from "./compactor.ts";
import type { CompactorStatus, CompactorTotals, HourProblem, WorkReport } from "./contract.ts";
import { countWaiting, hasPending, readFailedHours } from "./schema.ts";

const MAX_PROBLEMS = 100;

/** Reports what was done since a moment. */
export function toReport(
  compactor: Compactor,
  { before, visits }: { readonly before: Counters; readonly visits: number },
): WorkReport {
  const { counters, deps, refusal, lastError } = compactor;
  const { setAsideHours, openHours, unreadable } = countWaiting(deps.storage, deps.now());
  const since = (name: keyof CompactorTotals): number => counters[name] - before[name];
  const hasMore = compactor.run !== null || compactor.scans.length > 0 || hasPending(deps.storage);
  return {
    done: refusal !== null || !hasMore,
    hours: compactor.visits - visits,
    generations: since("generations"),
    items: since("items"),
    sources: since("sources"),
    outputs: since("outputs"),
    sourceBytes: since("sourceBytes"),
    outputBytes: since("outputBytes"),
    rawBytes: since("rawBytes"),
    deletedObjects: since("deletedObjects"),
    unreadable,
    setAside: setAsideHours,
    openHours,
    refusal,
    lastError: lastError?.message ?? null,
  };
}

/** Describes the Compactor. */
export function toStatus(compactor: Compactor): CompactorStatus {
  const { deps, counters, run, incarnation, epoch, refusal, alarmAt, lastError } = compactor;
  const { waitingHours, pendingDeletions, setAsideHours, unreadable } = countWaiting(deps.storage, deps.now());
  return {
    identity: deps.identity,
    incarnation,
    epoch,
    activeHour: run === null ? null : toIso(run.hour),
    activeProgress: run === null ? null : { read: run.nextSource, chosen: run.sourceCount },
    waitingHours,
    pendingDeletions,
    setAsideHours,
    lastHour: counters.lastHour === null ? null : toIso(counters.lastHour),
    lastCompactedAt: counters.lastCompactedAt,
    problems: readFailedHours(deps.storage, MAX_PROBLEMS).map(
      ({ hour, attempts, nextAttemptAt, error }): HourProblem => ({
        hour: toIso(hour),
        attempts,
        isSetAside: attempts >= COMPACT_SET_ASIDE_ATTEMPTS,
        nextAttemptAt,
        error: error ?? "",
      }),
    ),
    unreadable,
    refusal,
    alarmAt,
    totals: toTotals(counters),
    lastError,
  };
}

function toTotals(counters: Counters): CompactorTotals {
  const { generations, items, sources, outputs, sourceBytes, outputBytes, rawBytes, deletedObjects } = counters;
  return { generations, items, sources, outputs, sourceBytes, outputBytes, rawBytes, deletedObjects };
}

function toIso(time: number): string {
  return new Date(time).toISOString();
}
