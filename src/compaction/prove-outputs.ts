/**
 * Proves, at the moment of a deletion, that what a generation keeps stands in the bucket (protocol 5.6): each live
 * output is looked at afresh. Length and ETag are those of the object whose parts were proven when they were sent; an
 * object with another ETag, as a copied bucket has, is read and proven by its SHA-256.
 */
import type { ManifestOutput } from "../archive/manifest-output.ts";
import type { Manifest } from "../archive/manifest.ts";
import { liveOutputs } from "../archive/visibility.ts";
import { FirnError } from "../errors.ts";
import type { ObjectInfo, ObjectStore } from "../object-store/contract.ts";
import { openBody } from "../reader/object-body.ts";
import type { RunningUsage } from "../reader/usage.ts";
import { openSha256 } from "./verify/sha256-sink.ts";

/** Whom outputs are asked of, and where it is counted. */
export interface OutputStore {
  readonly store: ObjectStore;
  readonly usage: RunningUsage;
}

/** Proves all live outputs of a manifest. @throws FirnError `corrupt_object`; what the store throws */
export async function proveOutputs(source: OutputStore, manifest: Manifest): Promise<void> {
  for (const output of liveOutputs(manifest)) {
    source.usage.storeCalls += 1;
    const fault = await findFault(source, output, await source.store.head(output.key));
    if (fault === null) continue;
    throw new FirnError("corrupt_object", `Cannot delete what output "${output.key}" holds: ${fault}`);
  }
}

/** Reads an object to its end. @returns its SHA-256 in hex */
export async function readSha256Hex({ store, usage }: OutputStore, { key, length, etag }: ObjectInfo): Promise<string> {
  const sha256 = openSha256();
  usage.storeCalls += 1;
  const body = openBody(await store.get(key, etag === null ? {} : { ifMatch: etag }), length);
  let isRead = false;
  try {
    for await (const piece of body.read()) await sha256.add(piece);
    isRead = true;
  } finally {
    await body.close();
    if (!isRead) await sha256.abort();
  }
  return sha256.end();
}

async function findFault(source: OutputStore, output: ManifestOutput, info: ObjectInfo | null): Promise<string | null> {
  const { sizeBytes, etag, sha256 } = output;
  if (info === null) return "it does not exist";
  if (info.length !== sizeBytes) return `it has ${info.length} bytes, expected ${sizeBytes} bytes`;
  if (etag !== null && info.etag === etag) return null;
  const found = await readSha256Hex(source, info);
  return found === sha256 ? null : `it has SHA-256 ${found}, expected ${sha256}`;
}
