/**
 * Checks the chain of an hour from its first generation: {@link checkChain}. Every manifest has the bytes that its name
 * says, follows the one before, and stands beside a claim of the same bytes, from which it can be put back.
 */
import { checkNewest, checkSuccessor, type HashedManifest, type NewestManifest } from "../../archive/chain.ts";
import { formatClaimKey, formatManifestKey } from "../../archive/firn-keys.ts";
import { openHourSources } from "../../archive/visibility.ts";
import { FirnError, toErrorMessage } from "../../errors.ts";
import type { HourManifest } from "../../reader/manifests.ts";
import { putOwn } from "../firn-object.ts";
import { listChain, readChainFile, type ChainFile, type ChainFolder, type ListedManifest } from "./chain-files.ts";
import type { Found, RepairOutcome } from "./findings.ts";
import { chainPlaceOf, proveOwner, report, type ItemHourContext } from "./hour-context.ts";

/** What the chain says of its hour. */
export type ChainState =
  | { readonly kind: "none" }
  | { readonly kind: "newest"; readonly newest: HourManifest }
  /** It decides nothing. */
  | { readonly kind: "broken" }
  /** A manifest was put back: the hour is to be looked at again. */
  | { readonly kind: "repaired" };

/** Checks the chain. */
export async function checkChain(context: ItemHourContext): Promise<ChainState> {
  const folder = await listChain(context);
  for (const key of folder.others) {
    await report(context, { kind: "unknown_file", key, message: `"${key}" is neither a manifest nor a claim` });
  }
  let parent: { readonly file: HashedManifest; readonly listed: ListedManifest } | null = null;
  let newest: HourManifest | null = null;
  for (let generation = 1; generation <= folder.highest; generation += 1) {
    const link = await checkLink(context, folder, { generation, parent });
    if (link.kind !== "newest") return link;
    newest = link.newest;
    const listed = folder.manifests.get(generation)?.[0];
    if (listed !== undefined) parent = { file: newest, listed };
  }
  if (await checkLaterClaims(context, folder, newest)) return { kind: "repaired" };
  return newest === null ? { kind: "none" } : { kind: "newest", newest };
}

interface Link {
  readonly generation: number;
  readonly parent: { readonly file: HashedManifest; readonly listed: ListedManifest } | null;
}

/** Checks one generation. */
async function checkLink(context: ItemHourContext, folder: ChainFolder, link: Link): Promise<ChainState> {
  const { generation, parent } = link;
  const [listed, twin] = folder.manifests.get(generation) ?? [];
  const claimed = await readClaim(context, folder, generation);
  if (listed === undefined) return restore(context, claimed, link);
  if (twin !== undefined) {
    const claimKey = claimed === null ? null : findClaimed(claimed, [listed, twin]);
    const which = claimKey === null ? "its claim names neither" : `its claim is "${claimKey}"`;
    const message = `Generation ${generation} stands there twice, as "${listed.key}" and "${twin.key}"; ${which}`;
    return broken(context, { kind: "doubled_generation", key: listed.key, message });
  }
  const file = await readChainFile(context, listed);
  if (file === null) return restore(context, claimed, link);
  if (!file.sha256Hex.startsWith(listed.sha16)) return replace(context, listed, claimed);
  const { manifest, sha256Hex, fault } = file;
  if (manifest === null) return broken(context, toFound(fault, listed.key));
  const name: NewestManifest = { ...listed, parent: parent?.listed ?? null };
  try {
    checkNewest({ manifest, sha256Hex }, name, chainPlaceOf(context));
    if (parent !== null) checkSuccessor(manifest, parent.file, listed.key);
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    return broken(context, { kind: "broken_chain", key: listed.key, message: error.message });
  }
  await checkClaim(context, { file, claimed, generation });
  return { kind: "newest", newest: { name, manifest, sha256Hex, sources: openHourSources(manifest, []) } };
}

function findClaimed({ sha256Hex }: ChainFile, twins: readonly ListedManifest[]): string | null {
  return twins.find(({ sha16 }) => sha256Hex.startsWith(sha16))?.key ?? null;
}

async function readClaim(
  context: ItemHourContext,
  { claims }: ChainFolder,
  generation: number,
): Promise<ChainFile | null> {
  const claim = claims.get(generation);
  return claim === undefined ? null : readChainFile(context, claim);
}

/** A generation that is missing below the highest, or vanished. */
async function restore(context: ItemHourContext, claimed: ChainFile | null, link: Link): Promise<ChainState> {
  const { generation, parent } = link;
  const message = `Generation ${generation} is missing, though a later one names it`;
  const found: Found = { kind: "missing_manifest", key: null, message };
  if (claimed?.manifest?.generation !== generation) return broken(context, found);
  const { encoded, sha256Hex, manifest } = claimed;
  if (manifest.parent !== (parent?.file.sha256Hex ?? null)) return broken(context, found);
  const { layout, signal, hour } = chainPlaceOf(context);
  const key = formatManifestKey({ generation, sha256Hex }, layout, signal, hour);
  return broken(context, { ...found, key, repair: () => putBack(context, key, encoded) });
}

/** A manifest whose bytes are not the ones of its name. */
function replace(
  context: ItemHourContext,
  { key, sha16 }: ListedManifest,
  claimed: ChainFile | null,
): Promise<ChainState> {
  const message = `The bytes of "${key}" are others than its name says`;
  const found: Found = { kind: "damaged_manifest", key, message };
  if (claimed?.sha256Hex.startsWith(sha16) !== true) return broken(context, found);
  return broken(context, { ...found, repair: () => putBack(context, key, claimed.encoded, { isReplacing: true }) });
}

async function broken(context: ItemHourContext, found: Found): Promise<ChainState> {
  return { kind: (await report(context, found)) ? "repaired" : "broken" };
}

function toFound(fault: FirnError | null, key: string): Found {
  const kind = fault?.kind === "unknown_format" ? "unknown_format" : "damaged_manifest";
  return {
    kind,
    key,
    message: `Cannot read "${key}": ${fault === null ? "it is no manifest" : toErrorMessage(fault)}`,
  };
}

interface ClaimCheck {
  readonly file: ChainFile;
  readonly claimed: ChainFile | null;
  readonly generation: number;
}

/** The manifest is sound, so that its bytes are the claim's. */
async function checkClaim(context: ItemHourContext, { file, claimed, generation }: ClaimCheck): Promise<void> {
  if (claimed?.sha256Hex === file.sha256Hex) return;
  const { layout, signal, hour } = chainPlaceOf(context);
  const key = formatClaimKey(generation, layout, signal, hour);
  const isReplacing = claimed !== null;
  const repair = (): Promise<RepairOutcome> => putBack(context, key, file.encoded, { isReplacing });
  if (claimed === null) {
    await report(context, { kind: "missing_claim", key, message: `Generation ${generation} has no claim`, repair });
    return;
  }
  const message = `The claim of generation ${generation} has other bytes than its manifest`;
  // Sound bytes of another manifest: two writers published, and which of them is right is not for a repair to say.
  await report(context, { kind: "damaged_claim", key, message, ...(claimed.manifest === null ? { repair } : {}) });
}

/** @returns whether a publication was finished */
async function checkLaterClaims(
  context: ItemHourContext,
  folder: ChainFolder,
  newest: HourManifest | null,
): Promise<boolean> {
  const { layout, signal, hour } = chainPlaceOf(context);
  for (const generation of [...folder.claims.keys()].toSorted((left, right) => left - right)) {
    if (generation <= folder.highest) continue;
    const key = formatClaimKey(generation, layout, signal, hour);
    const claimed = await readClaim(context, folder, generation);
    if (claimed === null || (await context.knowledge())?.isWorking === true) continue;
    const fault = findClaimFault(claimed, newest, key);
    if (fault !== null) {
      await report(context, { kind: "damaged_claim", key, message: fault });
      continue;
    }
    const { encoded, sha256Hex } = claimed;
    const manifestKey = formatManifestKey({ generation, sha256Hex }, layout, signal, hour);
    const message = `Generation ${generation} is claimed and has no manifest`;
    const repair = (): Promise<RepairOutcome> => putBack(context, manifestKey, encoded);
    if (await report(context, { kind: "unfinished_publication", key, message, repair })) return true;
  }
  return false;
}

/** Why a claim cannot be the next generation; `null` when it is. */
function findClaimFault({ manifest, fault }: ChainFile, newest: HourManifest | null, key: string): string | null {
  if (manifest === null) return `Cannot read "${key}": ${fault === null ? "it is no manifest" : fault.message}`;
  try {
    if (newest !== null) checkSuccessor(manifest, newest, key);
    else if (manifest.generation !== 1)
      return `Generation ${manifest.generation} is claimed, and those before it are gone`;
    return null;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    return error.message;
  }
}

/** Puts bytes whose place is proven by their digest; what stands there with a wrong one goes first. */
async function putBack(
  context: ItemHourContext,
  key: string,
  encoded: Uint8Array,
  { isReplacing = false }: { readonly isReplacing?: boolean } = {},
): Promise<RepairOutcome> {
  const { store } = context.source;
  await proveOwner(context);
  if (isReplacing) await store.delete([key]);
  if ((await putOwn(store, key, encoded)) === "stored") return "repaired";
  throw new FirnError("object_changed", `Cannot put "${key}" back: other bytes stand there`);
}
