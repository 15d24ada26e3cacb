/**
 * What a Compactor does next: {@link work} goes from task to task for a bounded time. One task at a time, and one call
 * at a time; a failure is noted with its hour, which waits, and the next one goes on.
 */
import { FirnError, toErrorMessage, unreachable } from "../errors.ts";
import { COMPACT_MAX_TASKS, COMPACT_REASON_MAX_CHARS } from "../limits.ts";
import { log } from "../log.ts";
import { abandonRun } from "./abandon-run.ts";
import { armAlarm } from "./alarm.ts";
import { noteFailure, raiseAttempts, toBackoff, toStoreWait } from "./attempts.ts";
import type { Compactor, Run, Scan } from "./compactor.ts";
import type { WorkOrder, WorkReport } from "./contract.ts";
import { findCommit, readTrash, type CommitRow } from "./ledger.ts";
import { mergeStep } from "./merge-step.ts";
import { ownedEpoch } from "./owner.ts";
import { commitRun, mirrorCommit } from "./publish.ts";
import { addOrder, stepScan } from "./scans.ts";
import { findDueHour, readHour, type HourRow } from "./schema.ts";
import { openSources, SourceFault } from "./source-reader.ts";
import { toReport } from "./status.ts";
import { storeOutput } from "./store-output.ts";
import { emptyTrash } from "./trash.ts";
import { visitHour } from "./visit.ts";
import { openUsage } from "../reader/usage.ts";

type Task =
  | { readonly kind: "trash" }
  | { readonly kind: "mirror"; readonly commit: CommitRow }
  | { readonly kind: "run"; readonly run: Run }
  | { readonly kind: "visit"; readonly hour: HourRow }
  | { readonly kind: "scan"; readonly scan: Scan };

/**
 * Works until nothing is due or the time is up, whichever comes first, but takes one task at least. Never throws for a
 * failing store or an hour that fails.
 * @param order what is to be done beyond what is known; noted durably before anything else
 */
export async function work(compactor: Compactor, order: WorkOrder | null): Promise<WorkReport> {
  if (order !== null) await addOrder(compactor, order);
  while (compactor.working !== null) await compactor.working.catch(() => undefined);
  const running = workOnce(compactor);
  compactor.working = running;
  try {
    return await running;
  } finally {
    compactor.working = null;
    await armAlarm(compactor);
  }
}

/** Notes an order durably, and the alarm does the rest. */
export async function queueOrder(compactor: Compactor, order: WorkOrder): Promise<void> {
  await addOrder(compactor, order);
  await armAlarm(compactor);
}

/** The body of the alarm: never throws, always re-arms while there is work (reliability F-03). */
export async function onAlarm(compactor: Compactor): Promise<void> {
  compactor.alarmAt = null;
  try {
    await work(compactor, null);
  } catch (error) {
    log("error", "compact.failed", { error: toErrorMessage(error) });
    const { now, random } = compactor.deps;
    compactor.lastError = { at: now(), message: toErrorMessage(error) };
    compactor.storeFailures += 1;
    compactor.storeRetryAt = now() + toBackoff(compactor.storeFailures, random());
    compactor.alarmAt = null;
    await armAlarm(compactor);
  }
}

async function workOnce(compactor: Compactor): Promise<WorkReport> {
  const { now, bounds } = compactor.deps;
  const { counters: before, visits } = compactor;
  const startedAt = now();
  compactor.refusal = await findRefusal(compactor);
  for (let tasks = 0; compactor.refusal === null && tasks < COMPACT_MAX_TASKS; tasks += 1) {
    const task = nextTask(compactor);
    if (task === null) break;
    await perform(compactor, task);
    if (now() - startedAt >= bounds.work) break;
  }
  return toReport(compactor, { before, visits });
}

/** Why nothing may be compacted here, a sentence for the operator. */
async function findRefusal(compactor: Compactor): Promise<string | null> {
  const { settings, store } = compactor.deps;
  if (!settings.isEnabled) return "Cannot compact: COMPACT_ENABLED is false";
  if (store.traits.createOnly === "checked" && !settings.isSoleWriter) {
    const found = "the store has no create-only puts, so that two compactors could publish the same generation";
    return `Cannot compact: ${found}; set COMPACT_SOLE_WRITER to true if this deployment is the only one`;
  }
  try {
    await ownedEpoch(compactor);
    return null;
  } catch (error) {
    if (error instanceof FirnError && error.kind === "misconfigured") return error.message;
    noteStore(compactor, error);
    return null;
  }
}

/** What is due first: rubbish, what is committed, the run, hours that are known, and then the walk through others. */
function nextTask(compactor: Compactor): Task | null {
  const { storage, now } = compactor.deps;
  if (compactor.storeRetryAt > now()) return null;
  if (readTrash(storage, now(), 1).length > 0) return { kind: "trash" };
  const commit = findCommit(storage, now());
  if (commit !== null) return { kind: "mirror", commit };
  const { run } = compactor;
  if (run !== null && (readHour(storage, run.hour)?.nextAttemptAt ?? 0) <= now()) return { kind: "run", run };
  const hour = findDueHour(storage, now(), run === null);
  if (hour !== null && hour.hour !== run?.hour) return { kind: "visit", hour };
  const [scan] = compactor.scans;
  return scan === undefined || run !== null ? null : { kind: "scan", scan };
}

async function perform(compactor: Compactor, task: Task): Promise<void> {
  try {
    await attempt(compactor, task);
    compactor.storeFailures = 0;
  } catch (error) {
    if (compactor.isAbandoned) throw error;
    if (error instanceof FirnError && error.kind === "misconfigured") {
      compactor.refusal = error.message;
      return;
    }
    noteStore(compactor, error);
    const hour = hourOf(task);
    log("warn", "compact.retry", { task: task.kind, hour: hour ?? -1, error: toErrorMessage(error) });
    if (hour !== null) await noteFailure(compactor, hour, error);
    else if (!isOfStore(error)) throw error;
  }
}

function hourOf(task: Task): number | null {
  switch (task.kind) {
    case "mirror":
      return task.commit.hour;
    case "run":
      return task.run.hour;
    case "visit":
      return task.hour.hour;
    case "trash":
    case "scan":
      return null;
    default:
      return unreachable(task, "task");
  }
}

async function attempt(compactor: Compactor, task: Task): Promise<void> {
  switch (task.kind) {
    case "trash":
      await emptyTrash(compactor);
      return;
    case "mirror":
      await raiseAttempts(compactor, task.commit.hour);
      await mirrorCommit(compactor, task.commit);
      return;
    case "run":
      await stepRun(compactor, task.run);
      return;
    case "visit":
      await visitHour(compactor, task.hour);
      return;
    case "scan":
      await stepScan(compactor, task.scan);
      return;
    default:
      unreachable(task, "task");
  }
}

/** One step of the run: sources to members, an output to an object, or all of it to a generation. */
async function stepRun(compactor: Compactor, run: Run): Promise<void> {
  const attempts = await raiseAttempts(compactor, run.hour);
  if (attempts > run.maxAttempts) throw new Error("Cannot compact the hour: its step ended the isolate each time");
  try {
    if (run.nextSource < run.sourceCount) await mergeStep(compactor, run, attempts);
    else if (!(await storeOutput(compactor, run))) await commitRun(compactor, run);
  } catch (error) {
    if (compactor.isAbandoned) throw error;
    if (!(await giveUpIfNeeded(compactor, run, error))) throw error;
  }
}

/**
 * A source that changed, and an output that cannot be completed any more, end the attempt. One that cannot be decoded
 * does so too once it was read again by itself: a store may give wrong bytes once.
 * @returns whether the hour can go on at once, without that source
 */
async function giveUpIfNeeded(compactor: Compactor, run: Run, error: unknown): Promise<boolean> {
  if (error instanceof SourceFault) {
    if (error.kind === "gone") await abandonRun(compactor);
    else if (await isCorruptAgain(compactor, error)) {
      const { key, length } = error.source;
      const reason = error.message.slice(0, COMPACT_REASON_MAX_CHARS);
      log("error", "compact.unreadable", { key, reason });
      await abandonRun(compactor, { key, hour: run.hour, length, reason });
      return true;
    }
    return false;
  }
  if (!(error instanceof FirnError)) return false;
  const isOver = error.kind === "object_not_found" || error.kind === "object_changed" || error.kind === "store_refused";
  if (isOver) await abandonRun(compactor);
  return false;
}

async function isCorruptAgain(compactor: Compactor, { source }: SourceFault): Promise<boolean> {
  const { store, layout, identity } = compactor.deps;
  try {
    const from = { store, layout, signal: identity.signal, usage: openUsage() };
    for await (const opened of openSources(from, [source])) for await (const fields of opened.read()) void fields;
    return false;
  } catch (error) {
    if (error instanceof SourceFault) return error.kind === "corrupt";
    throw error;
  }
}

/** Leaves a store alone that fails. */
function noteStore(compactor: Compactor, error: unknown): void {
  const { now, random } = compactor.deps;
  compactor.lastError = { at: now(), message: toErrorMessage(error) };
  if (!isOfStore(error)) return;
  compactor.storeFailures += 1;
  compactor.storeRetryAt = now() + Math.max(toBackoff(compactor.storeFailures, random()), toStoreWait(error));
}

function isOfStore(error: unknown): error is FirnError {
  return error instanceof FirnError && (error.kind === "store_unavailable" || error.kind === "store_refused");
}
