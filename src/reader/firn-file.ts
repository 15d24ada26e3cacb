/** A file of Firn's own, read whole: manifests, member tables, parts with foreign sources. */
import { sha256HexOf } from "../bytes.ts";
import { FirnError } from "../errors.ts";
import type { ObjectStore } from "../object-store/contract.ts";
import type { Bytes, Millis } from "../units.ts";
import { openBody, type ObjectBody } from "./object-body.ts";
import type { RunningUsage } from "./usage.ts";

/** A file as it is listed, or as a manifest names it. */
export interface FirnFile {
  readonly key: string;
  readonly length: number;
  /** Of its bytes, where that is known beforehand. */
  readonly sha256Hex?: string;
}

/** Whom a file is asked of, and where the call is counted. */
export interface FileSource {
  readonly store: ObjectStore;
  readonly usage: RunningUsage;
  /** How long a body may give nothing; `STORE_CALL_TIMEOUT` if absent. */
  readonly bodyTimeout?: Millis | undefined;
}

/**
 * Reads a file.
 * @param maxBytes - a longer one is not read
 * @throws FirnError `corrupt_object` when it is not the one that is named, and what the store throws
 */
export async function readFirnFile(
  { store, usage, bodyTimeout }: FileSource,
  { key, length, sha256Hex }: FirnFile,
  maxBytes: Bytes,
): Promise<Uint8Array> {
  if (length > maxBytes) throw corrupt(key, `it has ${length} bytes, expected at most ${maxBytes}`);
  usage.storeCalls++;
  const file = await readWhole(key, openBody(await store.get(key), length, bodyTimeout));
  if (sha256Hex === undefined || (await sha256HexOf(file)) === sha256Hex) return file;
  throw corrupt(key, "its bytes have another SHA-256 than the manifest says");
}

async function readWhole(key: string, body: ObjectBody): Promise<Uint8Array> {
  try {
    return await body.readWhole();
  } catch (error) {
    throw error instanceof FirnError && error.kind === "corrupt_object" ? corrupt(key, error.message, error) : error;
  } finally {
    await body.close();
  }
}

function corrupt(key: string, found: string, cause?: unknown): FirnError {
  const message = `Cannot read "${key}": ${found}`;
  return new FirnError("corrupt_object", message, cause === undefined ? {} : { cause });
}
