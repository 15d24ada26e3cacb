/**
 * The chain of an hour's manifests: generation 1, 2, 3 …, each naming the bytes of the one before and holding all that
 * it held (protocol 5.2). {@link findNewest} reads names, {@link checkNewest} holds a manifest against its name,
 * {@link checkSuccessor} one against its parent. Two of a generation or a missing one are an error, never a choice:
 * whoever chose could show items twice, or delete the only copy.
 */
import { FirnError } from "../errors.ts";
import type { ItemSignal } from "../signal.ts";
import type { Millis } from "../units.ts";
import { parseManifestKey, type ManifestName } from "./firn-keys.ts";
import { parseKey, type Layout } from "./key.ts";
import type { Manifest } from "./manifest.ts";
import type { ManifestOutput } from "./manifest-output.ts";
import { isSupersetOf } from "./sequence-ranges.ts";

/** An hour of a tenant and signal. */
export interface ChainPlace {
  /** Of the tenant. */
  readonly layout: Layout;
  readonly signal: ItemSignal;
  /** First instant of the hour. */
  readonly hour: Millis;
}

/** A manifest as a listing names it. */
export interface ListedManifest extends ManifestName {
  readonly key: string;
}

/** The newest manifest of a chain, by names alone. */
export interface NewestManifest extends ListedManifest {
  /** The one before; `null` for generation 1. */
  readonly parent: ListedManifest | null;
}

/** A decoded manifest and the SHA-256 of the bytes that it was decoded from, in hex. */
export interface HashedManifest {
  readonly manifest: Manifest;
  readonly sha256Hex: string;
}

/**
 * Finds the newest generation in a listing of the hour's manifest folder. Keys that are no manifest's are passed over.
 * @param keys the whole folder, in any order
 * @returns `null` when there is no manifest
 * @throws FirnError `corrupt_object` when a generation stands there twice, or one below the newest is missing
 */
export function findNewest(keys: readonly string[], { layout, signal, hour }: ChainPlace): NewestManifest | null {
  const generations: ListedManifest[] = [];
  for (const key of keys) {
    const name = parseManifestKey(key, layout, signal, hour);
    if (name !== null) generations.push({ key, ...name });
  }
  generations.sort((left, right) => left.generation - right.generation);
  generations.forEach(({ key, generation }, index) => {
    if (generation === index + 1) return;
    if (generation <= index) throw refusal(key, `generation ${generation} stands there twice`, "one manifest of each");
    throw refusal(key, `generation ${index + 1} is missing`, `all from 1 to ${generations.at(-1)?.generation ?? 0}`);
  });
  const newest = generations.at(-1);
  return newest === undefined ? null : { ...newest, parent: generations.at(-2) ?? null };
}

/**
 * Checks a decoded manifest against its name, its place and the name of its parent.
 * @throws FirnError `corrupt_object`
 */
export function checkNewest({ manifest, sha256Hex }: HashedManifest, name: NewestManifest, place: ChainPlace): void {
  const { key, generation, sha16, parent } = name;
  if (!sha256Hex.startsWith(sha16)) throw refusal(key, "its bytes are others than its name says", `SHA-256 ${sha16}…`);
  if (manifest.generation !== generation) {
    throw refusal(key, `it says generation ${manifest.generation}`, `generation ${generation}, as in its name`);
  }
  if (parent === null ? manifest.parent !== null : manifest.parent?.startsWith(parent.sha16) !== true) {
    throw refusal(key, "its parent is not the generation before", `SHA-256 ${parent?.sha16 ?? ""}… as parent`);
  }
  const isInPlace =
    manifest.hour === place.hour && manifest.signal === place.signal && manifest.tenant === place.layout.tenant;
  if (!isInPlace) throw refusal(key, "it is of another hour, signal or tenant", "those of its folder");
  for (const output of manifest.outputs) {
    const own = parseKey(output.key, place.layout);
    if (own?.kind === "compacted" && own.hour === place.hour && own.signal === place.signal) continue;
    throw refusal(key, `its output "${output.key}" is none of the hour`, "a compacted object of the hour and signal");
  }
}

/**
 * Checks that a manifest can follow another one: it names its bytes and is cumulative. Outputs may go, since compaction
 * rewrites them, but no source is forgotten, and what was retired stays so.
 * @param key the newer one's key, for the error
 * @throws FirnError `corrupt_object`
 */
export function checkSuccessor(newer: Manifest, older: HashedManifest, key: string): void {
  const { manifest: parent, sha256Hex } = older;
  if (newer.generation !== parent.generation + 1 || newer.parent !== sha256Hex) {
    throw refusal(key, "it does not name the generation before", `generation ${parent.generation + 1} of its bytes`);
  }
  if (newer.hour !== parent.hour || newer.signal !== parent.signal || newer.tenant !== parent.tenant) {
    throw refusal(key, "it is of another hour, signal or tenant", "those of its parent");
  }
  if (newer.epoch < parent.epoch || (newer.epoch === parent.epoch && newer.deployment !== parent.deployment)) {
    throw refusal(
      key,
      `a deployment of epoch ${newer.epoch} wrote it`,
      `the owner, epoch ${parent.epoch} or a higher one`,
    );
  }
  if (!isSupersetOf(newer.sources, parent.sources)) throw refusal(key, "it forgets sources", "all of its parent's");
  if (!hasForeignOf(newer, parent)) throw refusal(key, "it forgets foreign sources", "all of its parent's");
  for (const output of newer.outputs) {
    const before = parent.outputs.find((candidate) => candidate.key === output.key);
    if (before === undefined || isSameOutput(output, before)) continue;
    throw refusal(key, `its output "${output.key}" has changed`, "outputs that never change, but to retired");
  }
}

/** Says whether no foreign source went, but from the head into a part: parts themselves are not read here. */
function hasForeignOf(newer: Manifest, parent: Manifest): boolean {
  const parts = new Map(newer.foreignSources.map((part) => [part.key, part.sha256]));
  if (!parent.foreignSources.every((part) => parts.get(part.key) === part.sha256)) return false;
  const inline = new Map(newer.foreign.map((source) => [source.key, source]));
  const gone = parent.foreign.filter(({ key, etag, sizeBytes }) => {
    const source = inline.get(key);
    return source?.etag !== etag || source.sizeBytes !== sizeBytes;
  });
  const parted = countParted(newer) - countParted(parent);
  return gone.length <= parted;
}

function countParted({ foreignSources }: Manifest): number {
  return foreignSources.reduce((sum, { count }) => sum + count, 0);
}

function isSameOutput(output: ManifestOutput, before: ManifestOutput): boolean {
  return (
    output.sha256 === before.sha256 &&
    output.sizeBytes === before.sizeBytes &&
    output.itemCount === before.itemCount &&
    output.digest === before.digest &&
    (output.retired || !before.retired)
  );
}

function refusal(key: string, found: string, expected: string): FirnError {
  return new FirnError("corrupt_object", `Cannot read manifest "${key}": ${found}, expected ${expected}`);
}
