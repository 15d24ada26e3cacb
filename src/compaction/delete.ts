/**
 * Deletes sources that a verified manifest names (protocol 5.6), and what lies in the trash. A listing alone is never a
 * reason: the manifest was read back from the bucket, and its outputs are looked at before the first source goes.
 */
import type { ArchiveKey } from "../archive/key.ts";
import { liveOutputs } from "../archive/visibility.ts";
import { FirnError } from "../errors.ts";
import { COMPACT_SET_ASIDE_WAIT, DELETE_MAX_KEYS } from "../limits.ts";
import { log } from "../log.ts";
import type { HourManifest } from "../reader/manifests.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import { commit } from "./commit.ts";
import { writeCounters, type Compactor } from "./compactor.ts";
import { readTrash, type TrashRow } from "./ledger.ts";
import { ownedEpoch } from "./owner.ts";
import { run as exec, type HourRow } from "./schema.ts";

/** Deletes the sources of one visit. */
export interface Deleter {
  /** Says whether the grace of the newest generation has passed. */
  isDue(newest: HourManifest): boolean;
  /** When it will have. */
  dueAt(newest: HourManifest): number;
  /** Says whether a source stays even so: another writer's, unless the operator wants it deleted. */
  isKept(key: ArchiveKey): boolean;
  /** Deletes a source, with others. @param newest names it */
  add(key: string, newest: HourManifest): Promise<void>;
  /** Deletes those that are left. */
  end(): Promise<void>;
}

/** Opens a deleter for an hour. */
export function openDeleter(compactor: Compactor, { deleteAt, hour }: HourRow): Deleter {
  const { store, settings, layout, now } = compactor.deps;
  let keys: string[] = [];
  let isProven = false;

  async function flush(): Promise<void> {
    if (keys.length === 0) return;
    await store.delete(keys);
    compactor.counters = {
      ...compactor.counters,
      deletedObjects: compactor.counters.deletedObjects + keys.length,
    };
    keys = [];
  }

  /** Another Compactor may have published it; a clock that was ahead then holds nothing up for long. */
  function dueAt({ manifest }: HourManifest): number {
    if (layout.partition.granularity === "hour") return 0;
    return Math.min(manifest.created, now()) + settings.grace;
  }

  return {
    dueAt,
    isDue: (newest) =>
      deleteAt !== null && deleteAt <= now() && dueAt(newest) <= now() && !isExpired(compactor, millis(hour)),
    isKept: ({ kind }) => kind === "foreign" && settings.foreign === "keep",
    add: async (key, newest) => {
      if (!isProven) await proveOutputs(compactor, newest);
      isProven = true;
      keys.push(key);
      if (keys.length === DELETE_MAX_KEYS) await flush();
    },
    end: flush,
  };
}

/**
 * Says whether the bucket's own lifecycle is about to delete what an hour holds, or has done so: nothing of it is
 * written anew, and what is absent is no fault.
 */
export function isExpired({ deps }: Compactor, hour: Millis): boolean {
  const { bucketExpiration } = deps.settings;
  return bucketExpiration !== null && hour + HOUR + bucketExpiration <= deps.now();
}

/** The outputs stand there in their length, and this deployment still owns the archive. */
async function proveOutputs(compactor: Compactor, newest: HourManifest): Promise<void> {
  await ownedEpoch(compactor);
  for (const { key, sizeBytes } of liveOutputs(newest.manifest)) {
    const info = await compactor.deps.store.head(key);
    if (info?.length === sizeBytes) continue;
    const found = info === null ? "it does not exist" : `it has ${info.length} bytes, expected ${sizeBytes} bytes`;
    throw new FirnError("corrupt_object", `Cannot delete the sources of output "${key}": ${found}`);
  }
}

/**
 * Empties the trash of what is due: uploads are aborted, objects deleted. What a store refuses to delete is tried again
 * later, since nothing else has to wait for it: its keys never come back.
 * @returns whether there was anything
 */
export async function emptyTrash(compactor: Compactor): Promise<boolean> {
  const { storage, store, now } = compactor.deps;
  const rows = readTrash(storage, now(), DELETE_MAX_KEYS);
  if (rows.length === 0) return false;
  try {
    for (const { key, uploadId } of rows) if (uploadId !== null) await store.abortMultipart({ key, uploadId });
    await store.delete(rows.map(({ key }) => key));
  } catch (error) {
    if (!(error instanceof FirnError) || error.kind !== "store_refused") throw error;
    await postpone(compactor, rows, error);
    return true;
  }
  const counters = { ...compactor.counters, deletedObjects: compactor.counters.deletedObjects + rows.length };
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
  return true;
}

async function postpone(compactor: Compactor, rows: readonly TrashRow[], error: FirnError): Promise<void> {
  const { storage, now } = compactor.deps;
  log("error", "compact.trash_refused", { objects: rows.length, error: error.message });
  compactor.lastError = { at: now(), message: error.message };
  const dueAt = now() + COMPACT_SET_ASIDE_WAIT;
  await commit(compactor, () => {
    for (const { key } of rows) exec(storage, "UPDATE trash SET due_at = ? WHERE key = ?", dueAt, key);
  });
}
