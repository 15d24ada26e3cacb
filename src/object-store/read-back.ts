/** Reads an object whole for the sake of its digest: what is kept of it are a number and a hash. */
import { openBoundedReader } from "../bounded-reader.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import type { Millis } from "../units.ts";
import type { ObjectStore } from "./contract.ts";

/** What reading an object gave. */
export interface FoundBytes {
  readonly length: number;
  readonly sha256Hex: string;
}

/** How to read. */
export interface ReadBackOptions {
  /** How long a read may give nothing. */
  readonly timeout: Millis;
  /** Only the version with this ETag. */
  readonly ifMatch?: string;
}

/**
 * Reads an object to its end.
 * @throws FirnError of any kind that `get` has; `store_unavailable` where the object is gone, another one or breaks off
 */
export async function readBack(
  store: ObjectStore,
  key: string,
  { timeout, ifMatch }: ReadBackOptions,
): Promise<FoundBytes> {
  const reader = openBoundedReader(await openObject(store, key, ifMatch), timeout);
  const digest = new crypto.DigestStream("SHA-256");
  const writer = digest.getWriter();
  let length = 0;
  try {
    for (let piece = await reader.read(); piece !== null; piece = await reader.read()) {
      length += piece.length;
      await writer.write(piece);
    }
    await writer.close();
  } catch (error) {
    await reader.cancel();
    if (error instanceof FirnError) throw error;
    throw unproven(key, `its body broke off: ${toErrorMessage(error)}`);
  }
  return { length, sha256Hex: new Uint8Array(await digest.digest).toHex() };
}

async function openObject(
  store: ObjectStore,
  key: string,
  ifMatch: string | undefined,
): Promise<ReadableStream<Uint8Array>> {
  try {
    return await store.get(key, ifMatch === undefined ? {} : { ifMatch });
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    if (error.kind === "object_not_found") throw unproven(key, "it does not exist");
    if (error.kind === "object_changed") throw unproven(key, "it is another one than the store described");
    throw error;
  }
}

function unproven(key: string, found: string): FirnError {
  return new FirnError("store_unavailable", `Cannot prove object "${key}" by reading it back: ${found}`);
}
