/**
 * When a shard has to wake up. {@link planAlarm} decides, {@link armAlarm} does: an alarm exists whenever there is
 * data or a late hour to report, and none when there is neither.
 */
import { toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import { isStranded, objectBytes, type Batch, type Shard } from "./shard.ts";

/** An alarm for this very millisecond may be lost (workerd issue 6866); the next one is safe. */
const SOON = 1;

/** An alarm that is so late was lost: the platform gives up after six failures, and says nothing (reliability F-03). */
const LOST_AFTER_MILLIS = 60_000;

/** Says when a batch that is not sealed yet is due. */
export function sealDueAt(shard: Shard, batch: Batch): number {
  const { flushIntervalMillis, flushMaxBytes } = shard.deps.settings;
  const isFull = batch.isClosed || objectBytes(batch) >= flushMaxBytes;
  return Math.max(batch.nextAttemptAt, isFull ? 0 : batch.openedAt + flushIntervalMillis);
}

/**
 * The moment of the earliest work, `null` when there is none. While a drain runs it looks after the sealed batches, and
 * arms the alarm for those that it leaves behind; one that was sealed for another store has no time at all. A report of
 * late hours that is under way likewise.
 */
export function planAlarm(shard: Shard): number | null {
  const { lateHours, reporting, retryAt } = shard.closing;
  let earliest = lateHours.size > 0 && reporting === null ? retryAt : null;
  for (const batch of shard.batches.values()) {
    if (batch.seal !== null && (shard.draining !== null || isStranded(shard, batch))) continue;
    const due = batch.seal === null ? sealDueAt(shard, batch) : Math.max(batch.nextAttemptAt, shard.storeRetryAt);
    if (earliest === null || due < earliest) earliest = due;
  }
  return earliest;
}

/**
 * Sets the alarm if an earlier one is needed than stands; costs a row only when it does. Never fails: an alarm that
 * can't be set is set by the next append, and by the sweep where none comes.
 */
export async function armAlarm(shard: Shard): Promise<void> {
  const planned = planAlarm(shard);
  if (planned === null) return;
  const at = Math.max(planned, shard.deps.now() + SOON);
  if (shard.alarmAt !== null && shard.alarmAt <= at && !isLost(shard, shard.alarmAt)) return;
  shard.alarmAt = at;
  try {
    await shard.deps.storage.setAlarm(at);
    shard.meter(1);
  } catch (error) {
    shard.alarmAt = null;
    log("error", "alarm.not_set", { shard: shard.identity?.shard ?? -1, error: toErrorMessage(error) });
  }
}

function isLost(shard: Shard, alarmAt: number): boolean {
  return alarmAt < shard.deps.now() - LOST_AFTER_MILLIS;
}
