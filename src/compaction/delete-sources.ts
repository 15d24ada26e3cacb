/**
 * The one way in which sources are deleted once their outputs are proven. Firn's own keys never come back with other
 * bytes; another writer may put its next object under a key at any time, so that of a foreign source only the very
 * version goes that was listed and found named.
 */
import { FirnError } from "../errors.ts";
import { DELETE_CONCURRENCY, DELETE_MAX_KEYS } from "../limits.ts";
import { log } from "../log.ts";
import type { ObjectInfo, ObjectStore } from "../object-store/contract.ts";

/** A source that a manifest names. */
export interface NamedSource {
  readonly kind: "fresh" | "foreign";
  /** As it was listed when it was found to be named. */
  readonly info: ObjectInfo;
}

/** Deletes sources. @returns keys of those that are gone */
export async function deleteSources(store: ObjectStore, sources: readonly NamedSource[]): Promise<readonly string[]> {
  const own = sources.flatMap(({ kind, info }) => (kind === "fresh" ? [info.key] : []));
  const foreign = sources.flatMap(({ kind, info }) => (kind === "foreign" ? [info] : []));
  const gone: string[] = [];
  for (let at = 0; at < own.length; at += DELETE_MAX_KEYS) {
    const keys = own.slice(at, at + DELETE_MAX_KEYS);
    await store.delete(keys);
    gone.push(...keys);
  }
  for (let at = 0; at < foreign.length; at += DELETE_CONCURRENCY) {
    const some = foreign.slice(at, at + DELETE_CONCURRENCY);
    const outcomes = await Promise.all(some.map((info) => deleteForeign(store, info)));
    gone.push(...some.filter((_info, index) => outcomes[index]).map(({ key }) => key));
  }
  return gone;
}

/** @returns `false` for what stays: another object stands there now, or nothing tells the two apart */
async function deleteForeign(store: ObjectStore, { key, etag }: ObjectInfo): Promise<boolean> {
  if (etag === null) {
    log("warn", "compact.foreign_kept", { key, reason: "the store lists no ETag" });
    return false;
  }
  try {
    await store.delete([key], { ifMatch: etag });
    return true;
  } catch (error) {
    if (!(error instanceof FirnError) || error.kind !== "object_changed") throw error;
    // Its items are in no output: it is fresh again, and late.
    log("info", "compact.foreign_changed", { key });
    return false;
  }
}
