/** Stores that break a promise, and the way to probe them, for the tests of the doctor. */
import type { StepName, StepReport } from "../../../src/admin/doctor/document.ts";
import { permissionsOf } from "../../../src/admin/doctor/permissions.ts";
import { probeStore, type ProbeOptions, type ProbeReport } from "../../../src/admin/doctor/probe.ts";
import type { StoreAccess } from "../../../src/config/storage-config.ts";
import { FirnError } from "../../../src/errors.ts";
import type { ObjectStore, StoreCall } from "../../../src/object-store/contract.ts";
import { openMemoryStore } from "../../../src/object-store/memory/memory-store.ts";
import { kindOf, S3 } from "./groups.ts";

/** One store for everybody. */
export function shared(store: ObjectStore): ProbeOptions["stores"] {
  return { write: store, read: store, compact: store };
}

/** Probes with names and times that do not change, and finds steps by name. */
export async function probe(
  stores: ProbeOptions["stores"],
  options: Partial<ProbeOptions> = {},
): Promise<ProbeReport & { readonly by: (access: StoreAccess, step: StepName) => StepReport | undefined }> {
  const report = await probeStore({
    stores,
    prefix: "firn/",
    id: "probe-1",
    now: () => 0,
    permissionsOf: (calls) => permissionsOf(kindOf(S3, "aws"), calls),
    hide: (text) => text.replaceAll("hush", "…"),
    ...options,
  });
  return {
    ...report,
    by: (access, step) => report.steps.find((each) => each.access === access && each.step === step),
  };
}

async function refuse(call: StoreCall): Promise<never> {
  throw new FirnError("store_refused", `Cannot ${call} in S3: AccessDenied for hush`);
}

/** A store that refuses some calls for good, as one does without the permission. */
export function refusing(store: ObjectStore, calls: readonly StoreCall[]): ObjectStore {
  return { ...store, ...Object.fromEntries(calls.map((call) => [call, () => refuse(call)])) };
}

/** A store that enforces no digest: whatever arrives is kept as if it were what was meant. */
export function openGullible(memory: ObjectStore = openMemoryStore()): ObjectStore {
  return {
    ...memory,
    put: async (key, source) => {
      const whole = await new Blob(await Array.fromAsync(source.open())).bytes();
      const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
      return memory.put(key, { ...source, sha256 });
    },
  };
}
