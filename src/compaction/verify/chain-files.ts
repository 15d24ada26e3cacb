/** The folder of an hour's manifests: which generations and claims stand in it, and reading them. */
import { parseManifestKey, formatClaimKey, manifestFolder, type ManifestName } from "../../archive/firn-keys.ts";
import { decodeManifest, type Manifest } from "../../archive/manifest.ts";
import { sha256HexOf } from "../../bytes.ts";
import { FirnError } from "../../errors.ts";
import { MANIFEST_MAX_BYTES, MANIFEST_MAX_GENERATION } from "../../limits.ts";
import { readFirnFile } from "../../reader/firn-file.ts";
import { listAll } from "../../reader/listing.ts";
import { chainPlaceOf, type ItemHourContext } from "./hour-context.ts";

/** A file as it is listed. */
export interface ListedFile {
  readonly key: string;
  readonly length: number;
}

/** A manifest as it is listed. */
export interface ListedManifest extends ListedFile, ManifestName {}

/** What stands in the folder. */
export interface ChainFolder {
  /** By generation, in the order of keys; more than one is an error. */
  readonly manifests: ReadonlyMap<number, readonly ListedManifest[]>;
  readonly claims: ReadonlyMap<number, ListedFile>;
  /** Files that are neither. */
  readonly others: readonly string[];
  /** Of manifests; 0 when there is none. */
  readonly highest: number;
}

/** Bytes of a manifest or claim. */
export interface ChainFile {
  readonly encoded: Uint8Array;
  readonly sha256Hex: string;
  /** What is wrong with it as a manifest; `null` when it is one. */
  readonly fault: FirnError | null;
  readonly manifest: Manifest | null;
}

const CLAIM_NAME = /(\d{8})\.claim$/;

/** Lists the folder. */
export async function listChain(context: ItemHourContext): Promise<ChainFolder> {
  const { layout, signal, hour } = chainPlaceOf(context);
  const manifests = new Map<number, ListedManifest[]>();
  const claims = new Map<number, ListedFile>();
  const others: string[] = [];
  for await (const page of listAll(context.source, manifestFolder(layout, signal, hour))) {
    for (const { key, length } of page) {
      const name = parseManifestKey(key, layout, signal, hour);
      const generation = name === null ? claimedGeneration(key, context) : name.generation;
      if (name !== null) manifests.set(generation, [...(manifests.get(generation) ?? []), { key, length, ...name }]);
      else if (generation > 0) claims.set(generation, { key, length });
      else others.push(key);
    }
  }
  return { manifests, claims, others, highest: Math.max(0, ...manifests.keys()) };
}

/** 0 for what is no claim. */
function claimedGeneration(key: string, context: ItemHourContext): number {
  const { layout, signal, hour } = chainPlaceOf(context);
  const generation = Number(CLAIM_NAME.exec(key)?.[1] ?? 0);
  if (generation < 1 || generation > MANIFEST_MAX_GENERATION) return 0;
  return formatClaimKey(generation, layout, signal, hour) === key ? generation : 0;
}

/**
 * Reads a manifest or claim, whatever its bytes are; `null` when it is gone.
 * @throws FirnError of any kind but what says that the bytes are wrong
 */
export async function readChainFile({ source }: ItemHourContext, file: ListedFile): Promise<ChainFile | null> {
  let encoded: Uint8Array;
  try {
    encoded = await readFirnFile(source, file, MANIFEST_MAX_BYTES);
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    if (error.kind === "object_not_found") return null;
    if (error.kind !== "corrupt_object") throw error;
    return { encoded: new Uint8Array(0), sha256Hex: "", fault: error, manifest: null };
  }
  const sha256Hex = await sha256HexOf(encoded);
  try {
    return { encoded, sha256Hex, fault: null, manifest: decodeManifest(encoded) };
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    return { encoded, sha256Hex, fault: error, manifest: null };
  }
}
