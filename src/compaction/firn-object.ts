/** Firn's own small objects: put create-only and compared where the key is taken, read whole. */
import { sha256HexOf } from "../bytes.ts";
import { FirnError } from "../errors.ts";
import type { ObjectInfo, ObjectStore, PutSource } from "../object-store/contract.ts";
import { openBody } from "../reader/object-body.ts";

/**
 * Puts an object under a key that is its own.
 * @returns `other` when other bytes stand there
 */
export async function putOwn(
  store: ObjectStore,
  key: string,
  bytes: Uint8Array,
  contentType = "application/json",
): Promise<"stored" | "other"> {
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const source: PutSource = {
    length: bytes.length,
    sha256,
    contentType,
    async *open() {
      // A copy, since a stream of bytes takes the memory of what it is given.
      yield bytes.slice();
    },
  };
  const outcome = await store.put(key, source);
  if (outcome.kind === "stored") return "stored";
  return (await isSame(store, outcome.info, { length: bytes.length, sha256Hex: sha256.toHex() })) ? "stored" : "other";
}

async function isSame(
  store: ObjectStore,
  info: ObjectInfo,
  wanted: { readonly length: number; readonly sha256Hex: string },
): Promise<boolean> {
  if (info.length !== wanted.length) return false;
  if (info.sha256Hex !== null) return info.sha256Hex === wanted.sha256Hex;
  return (await sha256HexOf(await readOwn(store, info.key, info.length))) === wanted.sha256Hex;
}

/** Reads an object whole. @param length as listed */
export async function readOwn(store: ObjectStore, key: string, length: number): Promise<Uint8Array> {
  const body = openBody(await store.get(key), length);
  try {
    return await body.readWhole();
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw new FirnError(error.kind, `Cannot read "${key}": ${error.message}`, { cause: error });
  } finally {
    await body.close();
  }
}
