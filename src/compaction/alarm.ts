/**
 * When a Compactor has to wake up: an alarm exists whenever there is work, now or later, and none when there is none.
 */
import { toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import type { Compactor } from "./compactor.ts";
import { readDueTimes, readHour } from "./schema.ts";

/** An alarm for this very millisecond may be lost (workerd issue 6866); the next one is safe. */
const SOON = 1;
/** An alarm that is so late was lost: the platform gives up after six failures, and says nothing (reliability F-03). */
const LOST_AFTER_MILLIS = 60_000;

/** The moment of the earliest work, 0 for now; `null` when there is none. */
export function planAlarm(compactor: Compactor): number | null {
  const { storage, settings } = compactor.deps;
  if (compactor.refusal !== null || !settings.isEnabled) return null;
  const { run, scans } = compactor;
  const times = [...readDueTimes(storage, run === null)];
  if (run !== null) times.push(readHour(storage, run.hour)?.nextAttemptAt ?? 0);
  else if (scans.length > 0) times.push(0);
  return times.length === 0 ? null : Math.max(Math.min(...times), compactor.storeRetryAt);
}

/** Sets the alarm if an earlier one is needed than stands. Never fails: the next call, and the cron, set it again. */
export async function armAlarm(compactor: Compactor): Promise<void> {
  const { storage, now } = compactor.deps;
  try {
    const planned = planAlarm(compactor);
    if (planned === null) return;
    const at = Math.max(planned, now() + SOON);
    const { alarmAt } = compactor;
    if (alarmAt !== null && alarmAt <= at && alarmAt >= now() - LOST_AFTER_MILLIS) return;
    compactor.alarmAt = at;
    await storage.setAlarm(at);
  } catch (error) {
    compactor.alarmAt = null;
    log("error", "compact.alarm_not_set", { error: toErrorMessage(error) });
  }
}
