/**
 * The newest manifest of an hour, {@link readNewestManifest}, and which objects it names as sources, {@link
 * findSources}. What makes a manifest the newest, and what it names, is `archive/`'s; here it is fetched.
 */
import { checkNewest, findNewest, type NewestManifest } from "../archive/chain.ts";
import { manifestFolder } from "../archive/firn-keys.ts";
import { decodeForeignPart } from "../archive/foreign-part.ts";
import { classifyKey } from "../archive/key.ts";
import { decodeManifest, type Manifest } from "../archive/manifest.ts";
import { openHourSources, type HourSources, type ListedObject } from "../archive/visibility.ts";
import { sha256HexOf } from "../bytes.ts";
import { FirnError } from "../errors.ts";
import { FOREIGN_PART_MAX_BYTES, HOUR_MAX_MANIFEST_KEYS, MANIFEST_MAX_BYTES } from "../limits.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import type { ItemSignal } from "../signal.ts";
import type { Millis } from "../units.ts";
import { readFirnFile } from "./firn-file.ts";
import { listAll, type ListingSource } from "./listing.ts";

/** The newest manifest of an hour, when it was looked for. */
export interface HourManifest {
  readonly name: NewestManifest;
  readonly manifest: Manifest;
  /** Of its bytes. */
  readonly sha256Hex: string;
  /** What it names by itself; foreign sources in its parts are {@link findSources}'s. */
  readonly sources: HourSources;
}

/** Of which hour a manifest is wanted. */
export interface ManifestPlace {
  readonly signal: ItemSignal;
  readonly hour: Millis;
  /** One that was read before: if it still is the newest, it is not fetched again. */
  readonly known: HourManifest | null;
  /** Its folder, if that was listed already, after the objects of the hour. */
  readonly listed?: readonly ObjectInfo[];
}

/**
 * Reads the newest manifest of an hour; `null` when the hour has none.
 * @throws FirnError `corrupt_object` for a broken chain or manifest, and for one that is listed and not given;
 * `too_large` above `HOUR_MAX_MANIFEST_KEYS`; `unknown_format`; what the store throws
 */
export async function readNewestManifest(
  source: ListingSource,
  { signal, hour, known, listed: given }: ManifestPlace,
): Promise<HourManifest | null> {
  const { layout } = source;
  const listed = new Map<string, ObjectInfo>();
  for await (const page of given === undefined ? listAll(source, manifestFolder(layout, signal, hour)) : [given]) {
    for (const info of page) listed.set(info.key, info);
    if (listed.size > HOUR_MAX_MANIFEST_KEYS) throw tooManyKeys(hour);
  }
  const place = { layout, signal, hour };
  const name = findNewest([...listed.keys()], place);
  if (name === null || name.key === known?.name.key) return name === null ? null : known;
  const length = listed.get(name.key)?.length ?? 0;
  const encoded = await fetchManifest(source, name.key, length);
  const manifest = naming(name.key, () => decodeManifest(encoded));
  const sha256Hex = await sha256HexOf(encoded);
  checkNewest({ manifest, sha256Hex }, name, place);
  return { name, manifest, sha256Hex, sources: openHourSources(manifest, []) };
}

function tooManyKeys(hour: Millis): FirnError {
  const found = `it has more than ${HOUR_MAX_MANIFEST_KEYS} manifests and claims`;
  return new FirnError("too_large", `Cannot read hour ${new Date(hour).toISOString()}: ${found}`);
}

async function fetchManifest(source: ListingSource, key: string, length: number): Promise<Uint8Array> {
  try {
    return await readFirnFile(source, { key, length }, MANIFEST_MAX_BYTES);
  } catch (error) {
    // Without it nothing of the hour can be decided, so that no reader may skip it.
    if (!(error instanceof FirnError) || error.kind !== "object_not_found") throw error;
    const message = `Cannot read "${key}": the store lists it and does not give it`;
    throw new FirnError("corrupt_object", message, { cause: error });
  }
}

/**
 * Finds which of some objects a manifest names as sources. Its parts are read one at a time, and none unless there is a
 * foreign object that the manifest itself does not name.
 * @returns their keys
 */
export async function findSources(
  source: ListingSource,
  { manifest, sources }: HourManifest,
  objects: readonly ListedObject[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let foreign: ListedObject[] = [];
  for (const object of objects) {
    const key = classifyKey(object.key, source.layout);
    if (key?.signal !== manifest.signal) continue;
    if (sources.isNamed(key, object)) found.add(object.key);
    else if (key.kind === "foreign") foreign.push(object);
  }
  for (const part of manifest.foreignSources) {
    if (foreign.length === 0) break;
    const file = { key: part.key, length: part.sizeBytes, sha256Hex: part.sha256 };
    const encoded = await readFirnFile(source, file, FOREIGN_PART_MAX_BYTES);
    const partSources = openHourSources(manifest, [naming(part.key, () => decodeForeignPart(encoded))]);
    foreign = foreign.filter((object) => {
      const key = classifyKey(object.key, source.layout);
      const isNamed = key !== null && partSources.isNamed(key, object);
      if (isNamed) found.add(object.key);
      return !isNamed;
    });
  }
  return found;
}

function naming<T>(key: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw new FirnError(error.kind, `Cannot read "${key}": ${error.message}`, { cause: error });
  }
}
