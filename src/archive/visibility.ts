/**
 * Which objects of an hour a reader sees once the hour has a manifest: its live outputs, and every fresh object that it
 * does not name as a source (protocol 6.1). The one place of that rule; readers, compaction and verify ask here.
 *
 * The hour is listed before its manifest is read. The other way round, an item could be in neither: its source deleted
 * before the listing, its output published after the manifest was read.
 */
import { unreachable } from "../errors.ts";
import { HOUR } from "../units.ts";
import type { ForeignSource } from "./foreign-part.ts";
import type { ArchiveKey, FreshKey } from "./key.ts";
import type { Manifest } from "./manifest.ts";
import type { ManifestOutput } from "./manifest-output.ts";
import { hasSequence } from "./sequence-ranges.ts";

/** What a listing says of an object; the store contract's `ObjectInfo` is one. */
export interface ListedObject {
  readonly key: string;
  /** Bytes as stored. */
  readonly length: number;
  /** `null` when the store lists none. */
  readonly etag: string | null;
}

/** The sources of an hour, ready to be asked. */
export interface HourSources {
  /**
   * Says whether the outputs hold this object. A foreign one is held only if it is the same still, in length and,
   * where both are known, ETag: its writer may have put another there, which no output holds.
   */
  isNamed(key: ArchiveKey, info: ListedObject): boolean;
}

/**
 * Opens the sources that a manifest names.
 * @param foreignParts what its `foreignSources` list, decoded; a reader of hours without foreign sources passes none
 */
export function openHourSources(manifest: Manifest, foreignParts: readonly (readonly ForeignSource[])[]): HourSources {
  const foreign = new Map<string, ForeignSource[]>();
  for (const source of [manifest.foreign, ...foreignParts].flat()) {
    const versions = foreign.get(source.key);
    if (versions === undefined) foreign.set(source.key, [source]);
    else versions.push(source);
  }

  function isNamed(key: ArchiveKey, info: ListedObject): boolean {
    if (key.signal !== manifest.signal) return false;
    switch (key.kind) {
      case "fresh":
        return isOfHour(key, manifest) && hasSequence(manifest.sources, key);
      case "foreign":
        return foreign.get(info.key)?.some((source) => isSameObject(source, info)) === true;
      case "compacted":
        return false;
      default:
        return unreachable(key, "key");
    }
  }

  return { isNamed };
}

/** Lists the outputs that a reader reads, in their order in the manifest. */
export function liveOutputs(manifest: Manifest): readonly ManifestOutput[] {
  return manifest.outputs.filter(({ retired }) => !retired);
}

function isOfHour(key: FreshKey, { hour }: Manifest): boolean {
  return key.sealTime >= hour && key.sealTime < hour + HOUR;
}

function isSameObject({ etag, sizeBytes }: ForeignSource, info: ListedObject): boolean {
  return sizeBytes === info.length && (etag === null || info.etag === null || etag === info.etag);
}
