/**
 * The newest generation of an hour as the bucket has it, which is where every decision begins: a Compactor that lost
 * its storage goes on from there (protocol 5.2). A claim without its manifest is a publication that broke off, by
 * whomever, and is finished first.
 */
import { checkSuccessor, type ChainPlace } from "../archive/chain.ts";
import { formatClaimKey, formatManifestKey } from "../archive/firn-keys.ts";
import { decodeManifest } from "../archive/manifest.ts";
import { sha256HexOf } from "../bytes.ts";
import { FirnError } from "../errors.ts";
import { CHAIN_MAX_UNFINISHED, MANIFEST_MAX_BYTES } from "../limits.ts";
import { readNewestManifest, type HourManifest } from "../reader/manifests.ts";
import { openUsage } from "../reader/usage.ts";
import type { Millis } from "../units.ts";
import { placeOf, type Compactor } from "./compactor.ts";
import { putOwn, readOwn } from "./firn-object.ts";

/**
 * Reads the newest generation; `null` when the hour has none.
 * @throws FirnError `corrupt_object` for a broken chain and for claims without end, `unknown_format`, what the store
 * throws
 */
export async function readNewest(compactor: Compactor, hour: Millis): Promise<HourManifest | null> {
  const { store, layout, identity } = compactor.deps;
  const place = placeOf(compactor, hour);
  for (let round = 0; round < CHAIN_MAX_UNFINISHED; round += 1) {
    const source = { store, layout, usage: openUsage() };
    const newest = await readNewestManifest(source, { signal: identity.signal, hour, known: null });
    const isFinished = await finishClaim(compactor, newest, place);
    if (!isFinished) return newest;
  }
  const found = `${CHAIN_MAX_UNFINISHED} generations one after another were claimed and not published`;
  throw new FirnError("corrupt_object", `Cannot read the chain of ${new Date(hour).toISOString()}: ${found}`);
}

/** @returns whether there was one */
async function finishClaim(compactor: Compactor, newest: HourManifest | null, place: ChainPlace): Promise<boolean> {
  const { store, layout } = compactor.deps;
  const { signal, hour } = place;
  const generation = (newest?.manifest.generation ?? 0) + 1;
  const key = formatClaimKey(generation, layout, signal, hour);
  const info = await store.head(key);
  if (info === null) return false;
  if (info.length > MANIFEST_MAX_BYTES) throw corruptClaim(key, `it has ${info.length} bytes`);
  const bytes = await readOwn(store, key, info.length);
  const manifest = decodeManifest(bytes);
  if (newest === null) {
    if (manifest.generation !== 1 || manifest.hour !== hour) throw corruptClaim(key, "it is of another place");
  } else checkSuccessor(manifest, newest, key);
  const sha256Hex = await sha256HexOf(bytes);
  await putOwn(store, formatManifestKey({ generation, sha256Hex }, layout, signal, hour), bytes);
  return true;
}

function corruptClaim(key: string, found: string): FirnError {
  return new FirnError("corrupt_object", `Cannot read claim "${key}": ${found}, expected the manifest it stands for`);
}
