/**
 * Closing of hours (protocol 5.1) and the late path (4.6). A promise is durable before it is told; what is stored below
 * it afterwards is noted with the object, in one transaction, and forgotten only when the Compactor has answered.
 */
import { toErrorMessage } from "../errors.ts";
import { FLOOR_MAX_AHEAD, LATE_REPORT_TIMEOUT } from "../limits.ts";
import { log } from "../log.ts";
import { armAlarm } from "./alarm.ts";
import { toBackoff } from "./back-off.ts";
import { commit } from "./commit.ts";
import type { CloseOutcome } from "./contract.ts";
import { deleteLateHour, writeClosedUntil } from "./late-hours.ts";
import { writeTotals, type Shard } from "./shard.ts";

/**
 * Promises never to seal below an instant again. An open batch has no seal time yet, so the promise binds it, too; a
 * sealed one keeps the time that it has.
 * @param end - end of an hour, in milliseconds
 * @returns whether a batch is left that may still be stored below `end`; `refused` where the end is so far ahead of the
 * clock that a seal would not follow it
 */
export async function closeHour(shard: Shard, end: number): Promise<CloseOutcome> {
  const { deps, closing } = shard;
  // Not a number is refused as well: as a floor it would end all sealing.
  if (!(end <= deps.now() + FLOOR_MAX_AHEAD)) return { kind: "refused", reason: "ahead" };
  if (closing.closedUntil >= end) await deps.storage.sync();
  else await promiseFloor(shard, end);
  return { kind: "promised", pendingBefore: hasPendingBefore(shard, end) };
}

/** Works on a shard without data, too: it stands in the Directory, and its first member may be on its way. */
async function promiseFloor(shard: Shard, end: number): Promise<void> {
  const { storage } = shard.deps;
  const totals = { ...shard.totals, floor: Math.max(shard.totals.floor, end) };
  await commit(
    shard,
    () => {
      writeTotals(shard, totals);
      writeClosedUntil(storage, shard.meter, end);
    },
    () => {
      shard.totals = totals;
      shard.closing.closedUntil = end;
    },
  );
}

function hasPendingBefore(shard: Shard, end: number): boolean {
  for (const { seal } of shard.batches.values()) {
    if (seal !== null && seal.sealedAt < end) return true;
  }
  return false;
}

/**
 * Tells the Compactor of late hours, one report at a time. Never throws: what was not answered is told again, by the
 * alarm, without end. The Compactor may hear of an hour twice.
 */
export async function reportLateHours(shard: Shard): Promise<void> {
  const { closing, deps } = shard;
  if (closing.lateHours.size === 0 || closing.reporting !== null || closing.retryAt > deps.now()) return;
  closing.reporting = reportOnce(shard);
  await closing.reporting;
  closing.reporting = null;
  await armAlarm(shard);
}

async function reportOnce(shard: Shard): Promise<void> {
  const { closing, deps, identity } = shard;
  const notes = [...closing.lateHours];
  try {
    if (identity === null) throw new Error("Cannot report late objects: the shard does not know who it is");
    await answerInTime(
      deps.reportLate(
        identity,
        notes.map(([hour]) => hour),
      ),
    );
    await forgetNotes(shard, notes);
    closing.failures = 0;
    closing.retryAt = 0;
  } catch (error) {
    closing.failures += 1;
    closing.retryAt = deps.now() + toBackoff(closing.failures, deps.random());
    const { tenant, signal, shard: number } = identity ?? { tenant: "", signal: "", shard: -1 };
    const fields = { tenant, signal, shard: number, hours: notes.length, failures: closing.failures };
    log("warn", "late.retry", { ...fields, error: toErrorMessage(error) });
  }
}

async function forgetNotes(shard: Shard, notes: readonly (readonly [hour: number, sequence: number])[]): Promise<void> {
  const { closing, deps } = shard;
  await commit(
    shard,
    () => {
      for (const [hour, sequence] of notes) deleteLateHour(deps.storage, shard.meter, hour, sequence);
    },
    () => {
      for (const [hour, sequence] of notes) {
        if (closing.lateHours.get(hour) === sequence) closing.lateHours.delete(hour);
      }
    },
  );
}

/** A call that is never answered would keep every later report waiting. */
async function answerInTime(answer: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const silence = new Promise<never>((_resolve, reject) => {
    const message = `Cannot report late objects: the Compactor is silent for ${LATE_REPORT_TIMEOUT} ms`;
    timer = setTimeout(() => reject(new Error(message)), LATE_REPORT_TIMEOUT);
  });
  try {
    await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
