/**
 * Proves that a taken key holds other bytes (reliability F-13). What a store says of the object that stands there is an
 * answer to a HEAD, whose every header can be missing: taken for the truth, it would make a conflict of a put whose own
 * answer was lost, and whoever put would store the same bytes once more under another key. So the object is read, which
 * costs a get where a key is taken by something else, and that is rare.
 */
import { FirnError } from "../errors.ts";
import { STORE_CALL_TIMEOUT } from "../limits.ts";
import type { Millis } from "../units.ts";
import type { ObjectInfo, ObjectStore, PutSource } from "./contract.ts";
import { readBack } from "./read-back.ts";

/** Wraps a store: `exists` tells what was read. @param timeout how long a read may give nothing */
export function withConflictProof(store: ObjectStore, timeout: Millis = STORE_CALL_TIMEOUT): ObjectStore {
  return {
    ...store,
    put: async (key, source) => {
      const outcome = await store.put(key, source);
      if (outcome.kind === "stored" || isSame(outcome.info, source)) return outcome;
      return { kind: "exists", info: await readInfo(store, outcome.info, timeout) };
    },
  };
}

function isSame(info: ObjectInfo, source: PutSource): boolean {
  return info.length === source.length && info.sha256Hex === source.sha256.toHex();
}

/** Two answers must agree: one that was made up has no ETag, or the object behind it has another length. */
async function readInfo(store: ObjectStore, info: ObjectInfo, timeout: Millis): Promise<ObjectInfo> {
  const { key, etag, length } = info;
  if (etag === null) throw unclear(key, "the store describes it without an ETag");
  const found = await readBack(store, key, { timeout, ifMatch: etag });
  if (found.length !== length) throw unclear(key, `it has ${found.length} bytes, and the store says ${length}`);
  return { ...info, sha256Hex: found.sha256Hex };
}

function unclear(key: string, found: string): FirnError {
  return new FirnError("store_unavailable", `Cannot tell what stands under the taken key "${key}": ${found}`);
}
