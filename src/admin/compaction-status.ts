/** The part of `GET /status` about compaction: a Compactor that fails is shown as such and hides nothing else. */
import type { CompactorIdentity, CompactorStatus } from "../compaction/contract.ts";
import { toErrorMessage } from "../errors.ts";
import { ITEM_SIGNALS } from "../signal.ts";
import { askCompactors, type CompactorAccess } from "./compactors.ts";
import type { Answer } from "./fan-out.ts";

/** Asks the Compactors of a tenant. @returns one document a signal */
export async function readCompactionStatus(access: CompactorAccess, tenant: string): Promise<readonly object[]> {
  const identities = ITEM_SIGNALS.map((signal) => ({ tenant, signal }));
  const answers = await askCompactors(access, identities, (compactor, identity) => compactor.status(identity));
  return answers.map(toDocument);
}

function toDocument(answer: Answer<CompactorStatus, CompactorIdentity>): object {
  const { signal } = answer.identity;
  if (answer.kind === "failed") return { signal, error: toErrorMessage(answer.error) };
  const status = answer.value;
  const { totals, activeProgress, lastError } = status;
  return {
    signal,
    incarnation: status.incarnation,
    epoch: status.epoch,
    refusal: status.refusal,
    last_hour: status.lastHour,
    last_compaction_at: formatTime(status.lastCompactedAt),
    active_hour: status.activeHour,
    active_sources: activeProgress === null ? null : { read: activeProgress.read, chosen: activeProgress.chosen },
    waiting_hours: status.waitingHours,
    pending_deletions: status.pendingDeletions,
    set_aside_hours: status.setAsideHours,
    unreadable_objects: status.unreadable,
    problems: status.problems.map((problem) => ({
      hour: problem.hour,
      attempts: problem.attempts,
      is_set_aside: problem.isSetAside,
      next_attempt_at: formatTime(problem.nextAttemptAt),
      error: problem.error,
    })),
    alarm_at: formatTime(status.alarmAt),
    last_error: lastError === null ? null : { at: formatTime(lastError.at), message: lastError.message },
    counters: {
      generations: totals.generations,
      items: totals.items,
      sources: totals.sources,
      outputs: totals.outputs,
      raw_bytes: totals.rawBytes,
      stored_bytes_before: totals.sourceBytes,
      stored_bytes_after: totals.outputBytes,
      deleted_objects: totals.deletedObjects,
    },
  };
}

function formatTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
