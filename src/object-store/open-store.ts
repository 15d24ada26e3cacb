/**
 * Opens the store that a group's settings name, with everything around it that every user wants: calls bounded in time,
 * conflicts proven, passing faults of reading calls tried again, and, where the store enforces no digest, every object
 * read back.
 */
import type { StorageGroup, StoreAccess } from "../config/storage-config.ts";
import { FirnError, unreachable } from "../errors.ts";
import { STORE_PUT_PATIENCE } from "../limits.ts";
import { millis, type Millis } from "../units.ts";
import { openAzureStore } from "./azure/azure-store.ts";
import type { ObjectStore } from "./contract.ts";
import { openR2Store } from "./r2/r2-store.ts";
import { openS3Store } from "./s3/s3-store.ts";
import { withConflictProof } from "./with-conflict-proof.ts";
import { withRetry } from "./with-retry.ts";
import { withTimeout, type Timeouts } from "./with-timeout.ts";
import { withVerify } from "./with-verify.ts";

/** What a store is opened with. */
export interface OpenStoreOptions {
  readonly access: StoreAccess;
  /** The R2 binding of the group's name, where `wrangler.toml` declares one. */
  readonly bucket: R2Bucket | undefined;
  /** A store that is silent for so long does not answer any more. */
  readonly timeout: Millis;
}

/**
 * Opens a group's store with the rights of one of its users.
 * @throws FirnError `misconfigured` when the settings name R2 and there is no binding
 */
export function openStore(group: StorageGroup, { access, bucket, timeout }: OpenStoreOptions): ObjectStore {
  const timeouts = { call: timeout, put: millis(STORE_PUT_PATIENCE * timeout) };
  const bounded = withTimeout(openPlainStore(group, { access, bucket, timeouts }), timeouts);
  const verified = group.isVerifiedByReading ? withVerify(bounded, timeout) : bounded;
  return withRetry(withConflictProof(verified, timeout), { sleep, random: () => Math.random() });
}

type PlainOptions = Pick<OpenStoreOptions, "access" | "bucket"> & { readonly timeouts: Timeouts };

function openPlainStore(group: StorageGroup, { access, bucket, timeouts }: PlainOptions): ObjectStore {
  const storage = group[access];
  switch (storage.kind) {
    case "r2":
      if (bucket === undefined) throw noBinding(group.name);
      return openR2Store(bucket, storage.bucket, storage.storageClass ?? undefined);
    case "s3":
      return openS3Store(storage, { now: readClock, timeouts });
    case "azure":
      return openAzureStore(storage, { now: readClock, timeouts });
    default:
      return unreachable(storage, "store");
  }
}

function readClock(): number {
  return Date.now();
}

function sleep(duration: Millis): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}

function noBinding(name: StorageGroup["name"]): FirnError {
  const expected = `expected [[r2_buckets]] with binding = "${name}" in wrangler.toml, or another ${name}_STORE`;
  const message = `Cannot use the setting ${name}_STORE: it is "r2" and there is no binding "${name}", ${expected}`;
  return new FirnError("misconfigured", message, { field: `${name}_STORE` });
}
