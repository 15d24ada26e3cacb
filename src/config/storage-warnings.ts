/** What works and is probably not what the operator wants, in sentences for the log and the doctor. */
import type { StorageConfig, StorageGroup } from "./storage-config.ts";

/** Must be restored, for hours, before anything reads them. */
const FROZEN_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE", "Archive"]);

/** Looks at one group. */
export function findStorageWarnings({ name, write }: StorageGroup): readonly string[] {
  const warnings: string[] = [];
  const endpoint = write.kind === "r2" ? null : write.endpoint;
  if (endpoint?.startsWith("http://") === true) {
    warnings.push(`${name}_ENDPOINT is plain http: everybody on the way can read and change what is stored`);
  }
  const storageClass = classOf(write);
  if (storageClass !== null && FROZEN_CLASSES.has(storageClass)) {
    warnings.push(
      `${name}_STORAGE_CLASS is "${storageClass}": objects must be restored before they can be replayed ` +
        "or compacted; let a lifecycle rule move them later",
    );
  }
  if (write.kind === "s3" && write.acl?.startsWith("public-") === true) {
    warnings.push(`${name}_ACL is "${write.acl}": everybody can read the archive`);
  }
  if (write.kind === "s3" && write.encryption.kind === "sse-c") {
    warnings.push(`${name}_SSE_C_KEY is set: no Collector can read these objects, and without the key nobody can`);
  }
  return warnings;
}

function classOf(storage: StorageConfig): string | null {
  return storage.kind === "azure" ? storage.accessTier : storage.storageClass;
}
