/** The manifest of the next generation: all that the one before held, and what is added, taken away or retired. */
import { sha256HexOf } from "../bytes.ts";
import { formatForeignPartKey } from "../archive/firn-keys.ts";
import { encodeForeignPart, type ForeignSource } from "../archive/foreign-part.ts";
import { parseKey, type CompactedKey } from "../archive/key.ts";
import { encodeManifest, type Manifest, type UnreadableSource } from "../archive/manifest.ts";
import {
  toTraceIndexDocument,
  type FileRef,
  type ManifestOutput,
  type TraceIndexRef,
} from "../archive/manifest-output.ts";
import { NO_SEQUENCES, uniteSequences, type SequenceSet } from "../archive/sequence-ranges.ts";
import {
  COMPACT_INLINE_FOREIGN_BYTES,
  COMPACT_MAX_UNREADABLE,
  MANIFEST_MAX_BYTES,
  MANIFEST_MAX_INLINE_FOREIGN,
  MANIFEST_MAX_RETIRED,
} from "../limits.ts";
import type { HourManifest } from "../reader/manifests.ts";
import { bytes, millis, type Millis } from "../units.ts";
import type { Compactor } from "./compactor.ts";
import type { UnreadableRow } from "./ledger.ts";
import type { MinuteSums } from "./merger.ts";
import { addSums, fromMinuteTotals, toMinuteTotals } from "./minute-sums.ts";

/** What a generation changes. */
export interface Additions {
  readonly hour: Millis;
  /** The generation before; `null` for the first one. */
  readonly newest: HourManifest | null;
  readonly outputs: readonly ManifestOutput[];
  /** Trace indexes of these outputs. */
  readonly indexes: readonly TraceIndexRef[];
  /** Outputs of the generation before that are left out, since new ones hold their items. */
  readonly removed: ReadonlySet<string>;
  /** All outputs are retired: nothing of the hour is left. */
  readonly isRetiring: boolean;
  /** Items that come to those of the generation before. */
  readonly sums: MinuteSums;
  readonly sources: SequenceSet;
  readonly foreign: readonly ForeignSource[];
  readonly unreadable: readonly UnreadableRow[];
  readonly sourceCount: number;
  /** Stored bytes of the sources. */
  readonly sourceBytes: number;
}

/** Changes nothing; what does is put over it. */
export const NO_ADDITIONS: Omit<Additions, "hour" | "newest"> = {
  outputs: [],
  indexes: [],
  removed: new Set(),
  isRetiring: false,
  sums: new Map(),
  sources: [],
  foreign: [],
  unreadable: [],
  sourceCount: 0,
  sourceBytes: 0,
};

/** A manifest, and what must stand in the bucket before it. */
export interface BuiltManifest {
  readonly manifest: Manifest;
  readonly parts: readonly { readonly key: string; readonly part: Uint8Array }[];
  /** Keys of outputs, their tables and indexes that nobody needs once it is published. */
  readonly replaced: readonly string[];
}

/** Who publishes. */
export interface Publisher {
  readonly deployment: string;
  readonly epoch: number;
}

/** Foreign sources of one part: with keys of 1 KiB they stay below its 1 MiB. */
const SOURCES_PER_PART = 500;

/** Builds the manifest of the next generation. */
export async function buildManifest(
  compactor: Compactor,
  additions: Additions,
  publisher: Publisher,
): Promise<BuiltManifest> {
  const { identity, now } = compactor.deps;
  const { hour, newest, outputs, removed, isRetiring } = additions;
  const before = newest?.manifest ?? null;
  const kept = (before?.outputs ?? []).filter(({ key }) => !removed.has(key));
  const gone = (before?.outputs ?? []).filter(({ key, retired }) => removed.has(key) || (isRetiring && !retired));
  const all = isRetiring ? retireAll(kept) : [...kept, ...outputs];
  const goneKeys = new Set(gone.map(({ key }) => key));
  const keptIndexes = (before?.indexes ?? []).filter(({ output }) => !goneKeys.has(output));
  const goneIndexes = (before?.indexes ?? []).filter(({ output }) => goneKeys.has(output));
  const sums = addSums(fromMinuteTotals(before?.minutes ?? []), additions.sums);
  const foreign = await placeForeign(compactor, additions);
  const manifest: Manifest = {
    ...publisher,
    tenant: identity.tenant,
    signal: identity.signal,
    hour,
    generation: (before?.generation ?? 0) + 1,
    parent: newest?.sha256Hex ?? null,
    created: millis(now()),
    outputs: all,
    minutes: isRetiring ? [] : toMinuteTotals(sums),
    sources: uniteSequences(before?.sources ?? NO_SEQUENCES, additions.sources),
    foreignSources: foreign.refs,
    foreign: foreign.inline,
    unreadable: uniteUnreadable(before?.unreadable ?? [], additions.unreadable),
    indexes: isRetiring ? [] : [...keptIndexes, ...additions.indexes],
  };
  const replaced = [...gone.flatMap(({ key, members }) => [key, members.key]), ...goneIndexes.map(({ key }) => key)];
  return { manifest, parts: foreign.parts, replaced };
}

/** Forgets those that were retired first where there are too many: they are gone for long, new ones need the room. */
function retireAll(outputs: readonly ManifestOutput[]): readonly ManifestOutput[] {
  const before = outputs.filter(({ retired }) => retired);
  const now = outputs.filter(({ retired }) => !retired).map((output) => ({ ...output, retired: true }));
  const room = Math.max(0, MANIFEST_MAX_RETIRED - now.length);
  return [...(room === 0 ? [] : before.slice(-room)), ...now];
}

/** What can be left out may take so much of a manifest: service names, and indexes. */
const OPTIONAL_SHARE: number = MANIFEST_MAX_BYTES / 4;

/** A manifest as it is published. */
interface EncodedManifest {
  readonly manifest: Manifest;
  readonly encoded: Uint8Array;
  /** Keys of indexes for which there was no room. */
  readonly leftOut: readonly string[];
}

/**
 * Encodes a manifest; one that is too long names no services and fewer indexes, and readers then look into the outputs.
 * These are the parts that can be left out, and take what the others leave: about 1 KiB an output.
 */
export function encodeWithinBounds(given: Manifest): EncodedManifest {
  const nameless = given.outputs.map((output) => ({ ...output, services: null }));
  let room = MANIFEST_MAX_BYTES - encodeManifest({ ...given, outputs: nameless, indexes: [] }).length;
  const serviceBytes = given.outputs.reduce((sum, { services }) => sum + jsonBytes(services), 0);
  const namesServices = serviceBytes < Math.min(OPTIONAL_SHARE, room);
  if (namesServices) room -= serviceBytes;
  const indexes = takeFitting(given.indexes, Math.min(OPTIONAL_SHARE, room));
  const manifest = { ...given, outputs: namesServices ? given.outputs : nameless, indexes };
  const named = new Set(indexes.map(({ key }) => key));
  const leftOut = given.indexes.map(({ key }) => key).filter((key) => !named.has(key));
  return { manifest, encoded: encodeManifest(manifest), leftOut };
}

/** Takes the first ones. */
function takeFitting(indexes: readonly TraceIndexRef[], maxBytes: number): readonly TraceIndexRef[] {
  let taken = 0;
  return indexes.filter((index) => {
    // With the comma behind it.
    taken += jsonBytes(toTraceIndexDocument(index)) + 1;
    return taken < maxBytes;
  });
}

function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

interface PlacedForeign {
  readonly inline: readonly ForeignSource[];
  readonly refs: readonly FileRef[];
  readonly parts: readonly { readonly key: string; readonly part: Uint8Array }[];
}

/** The newest versions of foreign objects stand in the manifest while they fit; otherwise all of them move to parts. */
async function placeForeign(compactor: Compactor, { newest, foreign, outputs }: Additions): Promise<PlacedForeign> {
  const { layout } = compactor.deps;
  const refs = newest?.manifest.foreignSources ?? [];
  const before = newest?.manifest.foreign ?? [];
  const keys = new Set(foreign.map(({ key }) => key));
  const isTwice = before.some(({ key }) => keys.has(key));
  if (foreign.length === 0) return { inline: before, refs, parts: [] };
  const all = [...before, ...foreign];
  const isSmall =
    all.length <= MANIFEST_MAX_INLINE_FOREIGN && JSON.stringify(all).length <= COMPACT_INLINE_FOREIGN_BYTES;
  if (!isTwice && isSmall) return { inline: all, refs, parts: [] };
  const first = outputs[0] === undefined ? null : parseKey(outputs[0].key, layout);
  if (first?.kind !== "compacted") throw new Error("Cannot place foreign sources: the run has no output");
  // A part names no key twice, so that what another version of is added goes into one of its own.
  const groups = [...groupsOf(before), ...groupsOf(foreign)];
  const parts = groups.map((group, number) => toPart(first, number, group, layout));
  const added = await Promise.all(
    parts.map(async ({ key, part, count }) => ({
      key,
      sizeBytes: bytes(part.length),
      sha256: await sha256HexOf(part),
      count,
    })),
  );
  return { inline: [], refs: [...refs, ...added], parts };
}

function groupsOf(sources: readonly ForeignSource[]): readonly (readonly ForeignSource[])[] {
  const groups: (readonly ForeignSource[])[] = [];
  for (let at = 0; at < sources.length; at += SOURCES_PER_PART) groups.push(sources.slice(at, at + SOURCES_PER_PART));
  return groups;
}

function toPart(
  first: CompactedKey,
  number: number,
  group: readonly ForeignSource[],
  layout: Compactor["deps"]["layout"],
): { readonly key: string; readonly part: Uint8Array; readonly count: number } {
  return { key: formatForeignPartKey(first, number, layout), part: encodeForeignPart(group), count: group.length };
}

function uniteUnreadable(
  before: readonly UnreadableSource[],
  added: readonly UnreadableRow[],
): readonly UnreadableSource[] {
  const known = new Set(before.map(({ key }) => key));
  const fresh = added
    .filter(({ key }) => !known.has(key))
    .map(({ key, length, reason }) => ({ key, sizeBytes: bytes(length), reason }));
  return [...before, ...fresh].slice(0, COMPACT_MAX_UNREADABLE);
}
