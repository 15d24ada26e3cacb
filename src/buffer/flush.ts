/**
 * Flush (protocol 4): seals what is due, PUTs sealed batches, and forgets a batch only when its object is proven. The
 * store may fail for hours: batches wait, the back-off grows to its longest and stays there, ingest goes on.
 */
import { FirnError, toErrorMessage } from "../errors.ts";
import { FLUSH_BACKOFF_MAX, FLUSH_CONCURRENCY, FLUSH_DRAIN_MAX, FLUSH_SET_ASIDE_ATTEMPTS } from "../limits.ts";
import { log } from "../log.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import { armAlarm, sealDueAt } from "./alarm.ts";
import { toBackoff } from "./back-off.ts";
import { reportLateHours } from "./closing.ts";
import { commit } from "./commit.ts";
import type { FlushReport } from "./contract.ts";
import { dropExpiredSlices, keepEntries, takeEntries } from "./dedupe.ts";
import { toHour, writeLateHour } from "./late-hours.ts";
import { dropBatch, updateAttempts, type Seal } from "./schema.ts";
import { sealBatch, toPutSource } from "./seal.ts";
import { isSetAside, isStranded, writeTotals, type Batch, type Shard } from "./shard.ts";

/** Which batches a drain takes: those that are due, or everything, whatever the back-off says. */
export type DrainScope = "due" | "all";

/** A drain stops asking a store that failed so often; the alarm comes back to it. */
const FAILURES_PER_DRAIN = 4;
/** Seals that one try of a batch may use up, the one it came with included. */
const SEALS_PER_TRY = 2;

interface Progress {
  sealedBatches: number;
  storedObjects: number;
  storedBytes: number;
}

/**
 * Writes out what is due; one drain at a time, a second one follows the first. Never throws for a failing store.
 * @returns what was done and what remains
 */
export async function drain(shard: Shard, scope: DrainScope): Promise<FlushReport> {
  while (shard.draining !== null) await shard.draining.catch(() => undefined);
  const running = drainOnce(shard, scope);
  shard.draining = running;
  try {
    return await running;
  } finally {
    shard.draining = null;
    // What is left here has its alarm while the report is under way, which arms again for what it leaves behind.
    const reported = reportLateHours(shard);
    await armAlarm(shard);
    await reported;
  }
}

/** The body of the alarm: never throws, always re-arms while there is data (reliability F-03). */
export async function onAlarm(shard: Shard): Promise<void> {
  shard.alarmAt = null;
  try {
    await drain(shard, "due");
  } catch (error) {
    noteError(shard, error);
    log("error", "flush.failed", { ...toLogFields(shard), error: toErrorMessage(error) });
    shard.storeFailures += 1;
    shard.storeRetryAt = shard.deps.now() + toBackoff(shard.storeFailures, shard.deps.random());
    await armAlarm(shard);
  }
}

async function drainOnce(shard: Shard, scope: DrainScope): Promise<FlushReport> {
  const progress: Progress = { sealedBatches: 0, storedObjects: 0, storedBytes: 0 };
  const startedAt = shard.deps.now();
  // What is here now: under load there is no end of new batches, and the alarm comes for those.
  const lastId = shard.nextBatchId - 1;
  const tried = new Set<number>();
  await sealDue(shard, scope, progress);
  for (;;) {
    const batches = chooseBatches(shard, scope, { tried, lastId });
    const failed = tried.size - progress.storedObjects;
    const isLate = scope === "due" && shard.deps.now() - startedAt > FLUSH_DRAIN_MAX;
    if (batches.length === 0 || failed >= FAILURES_PER_DRAIN || isLate) break;
    for (const { id } of batches) tried.add(id);
    await Promise.all(batches.map((batch) => storeBatch(shard, batch, progress)));
  }
  dropExpiredSlices(shard.index, shard.deps.storage, shard.deps.now());
  noteStranded(shard);
  const batches = [...shard.batches.values()];
  return {
    ...progress,
    failedBatches: batches.filter((batch) => batch.attempts > 0 || isStranded(shard, batch)).length,
    remainingBatches: batches.length,
    lastError: shard.lastError?.message ?? null,
  };
}

/** A batch that waits for another store is nobody's failure, and the operator's to know. */
function noteStranded(shard: Shard): void {
  for (const batch of shard.batches.values()) {
    if (batch.seal === null || !isStranded(shard, batch)) continue;
    const found = `it was sealed for "${batch.seal.store}", the settings name "${shard.deps.store.identity}"`;
    noteError(shard, new FirnError("store_refused", `Cannot store ${batch.seal.key}: ${found}`));
    return;
  }
}

/** Seals batch by batch: one that can't be sealed waits by itself and doesn't hold up the others. */
async function sealDue(shard: Shard, scope: DrainScope, progress: Progress): Promise<void> {
  const now = shard.deps.now();
  // Where each request is a batch, more are due by the time that these are sealed.
  const here = [...shard.batches.values()];
  for (const batch of here) {
    if (batch.seal !== null || (scope === "due" && sealDueAt(shard, batch) > now)) continue;
    try {
      await sealBatch(shard, batch);
      progress.sealedBatches += 1;
    } catch (error) {
      batch.attempts += 1;
      noteBatchFailure(shard, batch, error);
    }
  }
}

/**
 * Chooses what to try next: least tried first, so that a batch which kills or is refused never holds up others, then in
 * order of sequence. While the store fails a single batch asks whether it is back.
 */
function chooseBatches(
  shard: Shard,
  scope: DrainScope,
  { tried, lastId }: { readonly tried: ReadonlySet<number>; readonly lastId: number },
): Batch[] {
  const now = shard.deps.now();
  if (scope === "due" && shard.storeRetryAt > now) return [];
  // Batches stand in the order of their ids. One pass and no sorting: a shard may hold thousands, a request each.
  let ready: Batch[] = [];
  for (const batch of shard.batches.values()) {
    if (batch.seal === null || batch.id > lastId || tried.has(batch.id) || isStranded(shard, batch)) continue;
    if (scope === "due" && batch.nextAttemptAt > now) continue;
    if (ready.length === FLUSH_CONCURRENCY && batch.attempts >= (ready.at(-1)?.attempts ?? 0)) continue;
    ready = [...ready, batch].toSorted((a, b) => a.attempts - b.attempts || a.id - b.id).slice(0, FLUSH_CONCURRENCY);
  }
  const worst = Math.max(shard.storeFailures, ready[0]?.attempts ?? 0);
  return ready.slice(0, Math.max(1, Math.floor(FLUSH_CONCURRENCY / 2 ** worst)));
}

async function storeBatch(shard: Shard, batch: Batch, progress: Progress): Promise<void> {
  try {
    await raiseAttempts(shard, batch);
    const startedAt = shard.deps.now();
    const seal = await putSealed(shard, batch);
    const putMillis = shard.deps.now() - startedAt;
    await forgetBatch(shard, batch, seal);
    noteRecovery(shard);
    progress.storedObjects += 1;
    progress.storedBytes += seal.length;
    const fields = { key: seal.key, bytes: seal.length, items: batch.itemCount, requests: batch.requestCount };
    log("info", "flush.stored", { ...toLogFields(shard), ...fields, attempts: batch.attempts, put_millis: putMillis });
  } catch (error) {
    noteStoreFailure(shard, batch, error);
  }
}

/** The attempt is on disk before it is made: a batch that kills the isolate is known by its count (protocol 3.5). */
async function raiseAttempts(shard: Shard, batch: Batch): Promise<void> {
  const attempts = batch.attempts + 1;
  await commit(
    shard,
    () => updateAttempts(shard.deps.storage, shard.meter, batch.id, attempts),
    () => {
      batch.attempts = attempts;
    },
  );
}

/**
 * Protocol 4.2 and 4.3. Where the key holds other bytes the batch is sealed again under the next sequence (4.5), once a
 * try: a store that says so of every key is failing.
 * @returns the seal under which the object stands
 */
async function putSealed(shard: Shard, batch: Batch): Promise<Seal> {
  for (let seals = 1; ; seals += 1) {
    const { seal } = batch;
    if (seal === null) throw new Error("Cannot store a batch that is not sealed");
    const outcome = await shard.deps.store.put(seal.key, toPutSource(shard, batch, seal));
    if (outcome.kind === "stored" || isSameObject(outcome.info, seal)) return seal;
    log("error", "flush.conflict", { ...toLogFields(shard), key: seal.key });
    const conflict = new FirnError("store_refused", `The key ${seal.key} holds other bytes: sealed again`);
    noteError(shard, conflict);
    await sealBatch(shard, batch);
    if (seals === SEALS_PER_TRY) throw conflict;
  }
}

/** An earlier try whose answer was lost leaves the very same object behind. */
function isSameObject(info: ObjectInfo, seal: Seal): boolean {
  return info.length === seal.length && info.sha256Hex === seal.sha256.toHex();
}

/** Protocol 4.4 and 4.6: one transaction drops the rows, keeps the hashes and notes the object, and that it is late. */
async function forgetBatch(shard: Shard, batch: Batch, seal: Seal): Promise<void> {
  const { storage, now } = shard.deps;
  const totals = {
    ...shard.totals,
    objectsStored: shard.totals.objectsStored + 1,
    bytesStored: shard.totals.bytesStored + seal.length,
    itemsStored: shard.totals.itemsStored + batch.itemCount,
    requestsStored: shard.totals.requestsStored + batch.requestCount,
    lastFlushAt: now(),
    lastObjectKey: seal.key,
  };
  const isLate = seal.sealedAt < shard.closing.closedUntil;
  const hour = toHour(seal.sealedAt);
  await commit(
    shard,
    () => {
      const entries = takeEntries(shard.index, storage, batch.id);
      dropBatch(storage, shard.meter, batch.id);
      keepEntries(storage, shard.meter, entries);
      writeTotals(shard, totals);
      if (isLate) writeLateHour(storage, shard.meter, hour, seal.sequence);
    },
    () => {
      shard.totals = totals;
      if (isLate) shard.closing.lateHours.set(hour, seal.sequence);
      shard.batches.delete(batch.id);
      shard.backlogBytes -= batch.memberBytes;
    },
  );
}

/** The store answers again: everything that waited for it may go, but for batches that fail by themselves. */
function noteRecovery(shard: Shard): void {
  if (shard.storeFailures > 0) log("info", "store.recovered", { ...toLogFields(shard), failures: shard.storeFailures });
  shard.storeFailures = 0;
  shard.storeRetryAt = 0;
  for (const batch of shard.batches.values()) {
    if (!isSetAside(batch)) batch.nextAttemptAt = 0;
  }
}

function noteStoreFailure(shard: Shard, batch: Batch, error: unknown): void {
  const { now, random } = shard.deps;
  shard.tally.storeErrors += 1;
  shard.storeFailures += 1;
  shard.storeRetryAt = now() + Math.max(toBackoff(shard.storeFailures, random()), toStoreWait(error));
  noteBatchFailure(shard, batch, error);
}

/** What the store itself asked to wait, in milliseconds; never longer than the longest back-off. */
function toStoreWait(error: unknown): number {
  const wait = error instanceof FirnError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.min(wait, FLUSH_BACKOFF_MAX);
}

function noteBatchFailure(shard: Shard, batch: Batch, error: unknown): void {
  const { now, random } = shard.deps;
  batch.nextAttemptAt = now() + toBackoff(batch.attempts, random());
  noteError(shard, error);
  const level = batch.attempts === FLUSH_SET_ASIDE_ATTEMPTS ? "error" : "warn";
  const fields = { batch: batch.id, attempts: batch.attempts, is_set_aside: isSetAside(batch) };
  log(level, "flush.retry", { ...toLogFields(shard), ...fields, error: toErrorMessage(error) });
}

function noteError(shard: Shard, error: unknown): void {
  shard.lastError = { at: shard.deps.now(), message: toErrorMessage(error) };
}

function toLogFields(shard: Shard): { readonly tenant: string; readonly signal: string; readonly shard: number } {
  const { tenant, signal, shard: number } = shard.identity ?? { tenant: "", signal: "", shard: -1 };
  return { tenant, signal, shard: number };
}
