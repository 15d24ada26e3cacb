/**
 * Reads back what was put: the proof of protocol 4.3 for a store that enforces no digest. Costs a get of every object.
 */
import { FirnError } from "../errors.ts";
import { STORE_CALL_TIMEOUT } from "../limits.ts";
import type { Millis } from "../units.ts";
import type { ObjectStore, PutOutcome, PutSource } from "./contract.ts";
import { readBack, type FoundBytes } from "./read-back.ts";

/** Wraps a store. @param timeout how long a read of an object may give nothing */
export function withVerify(store: ObjectStore, timeout: Millis = STORE_CALL_TIMEOUT): ObjectStore {
  return {
    ...store,
    put: async (key, source) =>
      verifyPut(await store.put(key, source), source, () => readBack(store, key, { timeout })),
    completeMultipart: async (upload, parts, sha256Hex) => {
      const outcome = await store.completeMultipart(upload, parts, sha256Hex);
      if (outcome.kind === "exists") return outcome;
      const found = await readBack(store, upload.key, { timeout });
      if (found.length !== outcome.info.length) {
        throw unproven(upload.key, `it has ${found.length} bytes, expected ${outcome.info.length} bytes`);
      }
      if (sha256Hex === undefined || found.sha256Hex === sha256Hex) return outcome;
      throw unproven(upload.key, `it has SHA-256 ${found.sha256Hex}, expected ${sha256Hex}`);
    },
  };
}

/**
 * An object that came to stand there with other bytes than its metadata says is met again by whoever repeats the put:
 * its true digest is told then, so that it is not taken for the right one.
 */
async function verifyPut(outcome: PutOutcome, source: PutSource, read: () => Promise<FoundBytes>): Promise<PutOutcome> {
  const { kind, info } = outcome;
  const sha256Hex = source.sha256.toHex();
  if (kind === "exists" && info.sha256Hex !== sha256Hex) return outcome;
  const found = await read();
  if (found.sha256Hex === sha256Hex) return outcome;
  if (kind === "exists") return { kind, info: { ...info, length: found.length, sha256Hex: found.sha256Hex } };
  throw unproven(info.key, `it has ${found.length} bytes, SHA-256 ${found.sha256Hex}, expected SHA-256 ${sha256Hex}`);
}

function unproven(key: string, found: string): FirnError {
  return new FirnError("store_unavailable", `Cannot prove object "${key}" by reading it back: ${found}`);
}
