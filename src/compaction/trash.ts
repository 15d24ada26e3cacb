/**
 * Empties the trash: what a generation replaced, what an attempt left. It was named there by a Compactor that may have
 * been set back to an earlier moment since, so that what the bucket says now decides (protocol 5.2): nothing that the
 * newest manifest of its hour names goes, and nothing of the hour before all its outputs are proven.
 */
import { parseFileHour } from "../archive/firn-keys.ts";
import { parseKey } from "../archive/key.ts";
import { liveOutputs } from "../archive/visibility.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { COMPACT_SET_ASIDE_WAIT, DELETE_MAX_KEYS, TRASH_MAX_HOURS } from "../limits.ts";
import { log } from "../log.ts";
import { openUsage } from "../reader/usage.ts";
import type { Millis } from "../units.ts";
import { commit } from "./commit.ts";
import { writeCounters, type Compactor } from "./compactor.ts";
import { isExpired } from "./delete.ts";
import { readTrash, type TrashRow } from "./ledger.ts";
import { readNewest } from "./newest.ts";
import { ownedEpoch } from "./owner.ts";
import { proveOutputs } from "./prove-outputs.ts";
import { run as exec } from "./schema.ts";

/** What becomes of rows. */
interface Sorted {
  readonly gone: readonly TrashRow[];
  /** A manifest names them: they are no rubbish at all. */
  readonly named: readonly TrashRow[];
}

/**
 * Empties the trash of what is due: uploads are aborted, objects deleted. What a store refuses to delete, and what
 * cannot be proven, is tried again later, since nothing else has to wait for it: its keys never come back.
 */
export async function emptyTrash(compactor: Compactor): Promise<void> {
  const { storage, now } = compactor.deps;
  const hours = groupByHour(compactor, readTrash(storage, now(), DELETE_MAX_KEYS));
  for (const [hour, rows] of [...hours].slice(0, TRASH_MAX_HOURS)) {
    try {
      await emptyHour(compactor, hour, rows);
    } catch (error) {
      if (!(error instanceof FirnError) || error.kind === "store_unavailable" || error.kind === "misconfigured") {
        throw error;
      }
      await postpone(compactor, rows, error);
    }
  }
}

function groupByHour({ deps }: Compactor, rows: readonly TrashRow[]): ReadonlyMap<Millis | null, TrashRow[]> {
  const hours = new Map<Millis | null, TrashRow[]>();
  for (const row of rows) {
    const own = parseKey(row.key, deps.layout);
    const hour = own?.kind === "compacted" ? own.hour : parseFileHour(row.key, deps.layout, deps.identity.signal);
    const siblings = hours.get(hour);
    if (siblings === undefined) hours.set(hour, [row]);
    else siblings.push(row);
  }
  return hours;
}

async function emptyHour(compactor: Compactor, hour: Millis | null, rows: readonly TrashRow[]): Promise<void> {
  const { storage, store } = compactor.deps;
  for (const { key, uploadId } of rows) if (uploadId !== null) await store.abortMultipart({ key, uploadId });
  const { gone, named } = hour === null ? { gone: rows, named: [] } : await sortRows(compactor, hour, rows);
  if (named.length > 0) log("error", "compact.trash_named", { hour: hour ?? -1, keys: named.length });
  if (gone.length > 0) await store.delete(gone.map(({ key }) => key));
  const counters = { ...compactor.counters, deletedObjects: compactor.counters.deletedObjects + gone.length };
  await commit(
    compactor,
    () => {
      for (const { key } of rows) exec(storage, "DELETE FROM trash WHERE key = ?", key);
      writeCounters(storage, counters);
    },
    () => {
      compactor.counters = counters;
    },
  );
}

async function sortRows(compactor: Compactor, hour: Millis, rows: readonly TrashRow[]): Promise<Sorted> {
  const { store } = compactor.deps;
  await ownedEpoch(compactor);
  const newest = await readNewest(compactor, hour);
  if (newest === null) return { gone: rows, named: [] };
  const { manifest } = newest;
  const live = liveOutputs(manifest).flatMap(({ key, members }) => [key, members.key]);
  const files = [...manifest.foreignSources, ...manifest.indexes].map(({ key }) => key);
  const keys = new Set([...live, ...files]);
  const gone = rows.filter(({ key }) => !keys.has(key));
  // What the bucket's lifecycle deletes is proven by nobody, and what it replaced is as old.
  if (gone.length > 0 && !isExpired(compactor, hour)) await proveOutputs({ store, usage: openUsage() }, manifest);
  return { gone, named: rows.filter(({ key }) => keys.has(key)) };
}

async function postpone(compactor: Compactor, rows: readonly TrashRow[], error: FirnError): Promise<void> {
  const { storage, now } = compactor.deps;
  log("error", "compact.trash_refused", { objects: rows.length, error: toErrorMessage(error) });
  compactor.lastError = { at: now(), message: error.message };
  const dueAt = now() + COMPACT_SET_ASIDE_WAIT;
  await commit(compactor, () => {
    for (const { key } of rows) exec(storage, "UPDATE trash SET due_at = ? WHERE key = ?", dueAt, key);
  });
}
