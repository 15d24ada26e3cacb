/**
 * Flush (protocol 4): seals what is due, PUTs sealed batches, and forgets a batch only when its object is proven. The
 * store may fail for hours: batches wait, the back-off grows to its longest and stays there, ingest goes on.
 */
import { FirnError, toErrorMessage } from "../errors.ts";
import { FLUSH_CONCURRENCY, FLUSH_SET_ASIDE_ATTEMPTS } from "../limits.ts";
import { log } from "../log.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import { armAlarm, sealDueAt } from "./alarm.ts";
import type { FlushReport } from "./contract.ts";
import { dropExpiredSlices, storeBatchEntries } from "./dedupe.ts";
import { dropBatch, updateAttempts, type Seal } from "./schema.ts";
import { sealBatch, toPutSource } from "./seal.ts";
import { toBackoff, writeTotals, type Batch, type Shard } from "./shard.ts";

/** Which batches a drain takes: those that are due, or everything, whatever the back-off says. */
export type DrainScope = "due" | "all";

/** A drain stops asking a store that failed so often; the alarm comes back to it. */
const FAILURES_PER_DRAIN = 4;

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
    await armAlarm(shard);
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
  const tried = new Set<number>();
  await sealDue(shard, scope, progress);
  for (;;) {
    const batches = chooseBatches(shard, scope, tried);
    if (batches.length === 0 || tried.size - progress.storedObjects >= FAILURES_PER_DRAIN) break;
    await Promise.all(
      batches.map(async (batch) => {
        // After a conflict the batch is sealed under the next sequence and tried again at once.
        if ((await storeBatch(shard, batch, progress)) !== "conflict") tried.add(batch.id);
      }),
    );
    // What became due while the store worked, and what met a conflict.
    await sealDue(shard, "due", progress);
  }
  dropExpiredSlices(shard.index, shard.deps.storage, shard.deps.now());
  const failedBatches = [...shard.batches.values()].filter(({ attempts }) => attempts > 0).length;
  return {
    ...progress,
    failedBatches,
    remainingBatches: shard.batches.size,
    lastError: shard.lastError?.message ?? null,
  };
}

/** Seals batch by batch: one that can't be sealed waits by itself and doesn't hold up the others. */
async function sealDue(shard: Shard, scope: DrainScope, progress: Progress): Promise<void> {
  const now = shard.deps.now();
  for (const batch of shard.batches.values()) {
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
export function chooseBatches(shard: Shard, scope: DrainScope, tried: ReadonlySet<number>): Batch[] {
  const now = shard.deps.now();
  if (scope === "due" && shard.storeRetryAt > now) return [];
  const ready = [...shard.batches.values()].filter(
    (batch) => batch.seal !== null && !tried.has(batch.id) && (scope === "all" || batch.nextAttemptAt <= now),
  );
  ready.sort((a, b) => a.attempts - b.attempts || a.id - b.id);
  const worst = Math.max(shard.storeFailures, ready[0]?.attempts ?? 0);
  return ready.slice(0, Math.max(1, FLUSH_CONCURRENCY >> worst));
}

type StoreOutcome = "stored" | "conflict" | "failed";

async function storeBatch(shard: Shard, batch: Batch, progress: Progress): Promise<StoreOutcome> {
  const { seal } = batch;
  if (seal === null) return "failed";
  try {
    await raiseAttempts(shard, batch);
    const outcome = await putSealed(shard, batch, seal);
    if (outcome === "conflict") return outcome;
    forgetBatch(shard, batch, seal);
    await shard.deps.storage.sync();
    noteRecovery(shard);
    progress.storedObjects += 1;
    progress.storedBytes += seal.length;
    const fields = { key: seal.key, bytes: seal.length, items: batch.itemCount, requests: batch.requestCount };
    log("info", "flush.stored", { ...toLogFields(shard), ...fields, attempts: batch.attempts });
    return outcome;
  } catch (error) {
    noteStoreFailure(shard, batch, error);
    return "failed";
  }
}

/** The attempt is on disk before it is made: a batch that kills the isolate is known by its count (protocol 3.5). */
async function raiseAttempts(shard: Shard, batch: Batch): Promise<void> {
  const { storage } = shard.deps;
  storage.transactionSync(() => updateAttempts(storage, shard.meter, batch.id, batch.attempts + 1));
  batch.attempts += 1;
  await storage.sync();
}

/** Protocol 4.2 and 4.3, and 4.5 where the key is taken. */
async function putSealed(shard: Shard, batch: Batch, seal: Seal): Promise<"stored" | "conflict"> {
  const { store } = shard.deps;
  if (store.identity !== seal.store) {
    const found = `it was sealed for "${seal.store}", the settings name "${store.identity}"`;
    throw new FirnError("store_refused", `Cannot store ${seal.key}: ${found}`);
  }
  const outcome = await store.put(seal.key, toPutSource(shard, batch, seal));
  if (outcome.kind === "stored" || isSameObject(outcome.info, seal)) return "stored";
  log("error", "flush.conflict", { ...toLogFields(shard), key: seal.key });
  noteError(shard, new FirnError("store_refused", `The key ${seal.key} holds other bytes: sealed again`));
  batch.seal = null;
  batch.nextAttemptAt = 0;
  return "conflict";
}

/** An earlier try whose answer was lost leaves the very same object behind. */
function isSameObject(info: ObjectInfo, seal: Seal): boolean {
  return info.length === seal.length && info.sha256Hex === seal.sha256.toHex();
}

/** Protocol 4.4: one transaction drops the rows, keeps the hashes and notes the object. */
function forgetBatch(shard: Shard, batch: Batch, seal: Seal): void {
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
  storage.transactionSync(() => {
    storeBatchEntries(shard.index, storage, shard.meter, batch.id);
    dropBatch(storage, shard.meter, batch.id);
    writeTotals(shard, totals);
  });
  shard.totals = totals;
  shard.batches.delete(batch.id);
  shard.backlogBytes -= batch.memberBytes;
}

/** The store answers again: everything that waited for it may go, but for batches that fail by themselves. */
function noteRecovery(shard: Shard): void {
  if (shard.storeFailures > 0) log("info", "store.recovered", { ...toLogFields(shard), failures: shard.storeFailures });
  shard.storeFailures = 0;
  shard.storeRetryAt = 0;
  for (const batch of shard.batches.values()) {
    if (batch.attempts < FLUSH_SET_ASIDE_ATTEMPTS) batch.nextAttemptAt = 0;
  }
}

function noteStoreFailure(shard: Shard, batch: Batch, error: unknown): void {
  const { now, random } = shard.deps;
  shard.tally.storeErrors += 1;
  shard.storeFailures += 1;
  shard.storeRetryAt = now() + toBackoff(shard.storeFailures, random());
  noteBatchFailure(shard, batch, error);
}

function noteBatchFailure(shard: Shard, batch: Batch, error: unknown): void {
  const { now, random } = shard.deps;
  batch.nextAttemptAt = now() + toBackoff(batch.attempts, random());
  noteError(shard, error);
  const level = batch.attempts === FLUSH_SET_ASIDE_ATTEMPTS ? "error" : "warn";
  const fields = { batch: batch.id, attempts: batch.attempts, is_set_aside: isSetAside(batch) };
  log(level, "flush.retry", { ...toLogFields(shard), ...fields, error: toErrorMessage(error) });
}

/** Whether a batch failed so often that it is shown to the operator; it is still tried, at the longest back-off. */
export function isSetAside(batch: Batch): boolean {
  return batch.attempts >= FLUSH_SET_ASIDE_ATTEMPTS;
}

function noteError(shard: Shard, error: unknown): void {
  shard.lastError = { at: shard.deps.now(), message: toErrorMessage(error) };
}

function toLogFields(shard: Shard): { readonly tenant: string; readonly signal: string; readonly shard: number } {
  const { tenant, signal, shard: number } = shard.identity ?? { tenant: "", signal: "", shard: -1 };
  return { tenant, signal, shard: number };
}
