/**
 * Deletes sources that a verified manifest names (protocol 5.6). A listing alone is never a reason: the manifest was
 * read back from the bucket, and its outputs are proven before the first source goes.
 */
import type { ArchiveKey } from "../archive/key.ts";
import { DELETE_MAX_KEYS } from "../limits.ts";
import { isExpiredHour } from "../reader/expired-hour.ts";
import type { HourManifest } from "../reader/manifests.ts";
import { openUsage } from "../reader/usage.ts";
import { millis, type Millis } from "../units.ts";
import type { Compactor } from "./compactor.ts";
import { deleteSources, type NamedSource } from "./delete-sources.ts";
import { ownedEpoch } from "./owner.ts";
import { proveOutputs } from "./prove-outputs.ts";
import type { HourRow } from "./schema.ts";

/** Deletes the sources of one visit. */
export interface Deleter {
  /** Says whether the grace of the newest generation has passed. */
  isDue(newest: HourManifest): boolean;
  /** When it will have. */
  dueAt(newest: HourManifest): number;
  /** Says whether a source stays even so: another writer's, unless the operator wants it deleted. */
  isKept(key: ArchiveKey): boolean;
  /** Deletes a source, with others. @param newest names it */
  add(source: NamedSource, newest: HourManifest): Promise<void>;
  /** Deletes those that are left. */
  end(): Promise<void>;
}

/** Opens a deleter for an hour. */
export function openDeleter(compactor: Compactor, { deleteAt, hour }: HourRow): Deleter {
  const { store, settings, layout, now } = compactor.deps;
  let sources: NamedSource[] = [];
  let isProven = false;

  async function flush(): Promise<void> {
    if (sources.length === 0) return;
    const gone = await deleteSources(store, sources);
    compactor.counters = {
      ...compactor.counters,
      deletedObjects: compactor.counters.deletedObjects + gone.length,
    };
    sources = [];
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
    add: async (source, newest) => {
      if (!isProven) {
        await ownedEpoch(compactor);
        await proveOutputs({ store, usage: openUsage() }, newest.manifest);
      }
      isProven = true;
      sources.push(source);
      if (sources.length === DELETE_MAX_KEYS) await flush();
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
  return bucketExpiration !== null && isExpiredHour(hour, millis(deps.now() - bucketExpiration));
}
