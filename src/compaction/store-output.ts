/**
 * From an output whose parts are all sent to an object with its member table and index. What stands in the bucket
 * decides: storage may have been set back to a moment before what was done last.
 */
import { formatMembersKey } from "../archive/firn-keys.ts";
import { parseKey } from "../archive/key.ts";
import type { FileRef } from "../archive/manifest-output.ts";
import { encodeMemberTable } from "../archive/member-table.ts";
import { sha256HexOf } from "../bytes.ts";
import { FirnError } from "../errors.ts";
import type { MultipartUpload, ObjectInfo, ObjectStore } from "../object-store/contract.ts";
import { openUsage } from "../reader/usage.ts";
import { bytes } from "../units.ts";
import { commit } from "./commit.ts";
import type { Compactor, Run } from "./compactor.ts";
import { putOwn } from "./firn-object.ts";
import { readMembers, readOutputs, writeOutput, type OutputRow } from "./output-rows.ts";
import { readSha256Hex } from "./prove-outputs.ts";
import { writeProgress } from "./schema.ts";
import { storeTraceIndex } from "./trace-index.ts";

/** Makes one output that was sent an object, and puts its member table and index. @returns whether there was one */
export async function storeOutput(compactor: Compactor, run: Run): Promise<boolean> {
  const { storage, store, layout } = compactor.deps;
  const output = readOutputs(storage).find(({ state }) => state === "sent");
  if (output === undefined) return false;
  const { key, uploadId, progress } = output;
  const own = parseKey(key, layout);
  if (uploadId === null || own?.kind !== "compacted") throw new Error(`Cannot complete "${key}": it was never begun`);
  const info = await completeOnce(store, { key, uploadId }, progress);
  const table = encodeMemberTable({ output: key, members: readMembers(storage, output.number) });
  const tableKey = formatMembersKey(own, layout);
  if ((await putOwn(store, tableKey, table)) === "other") {
    throw new FirnError("object_changed", `Cannot put member table "${tableKey}": another one stands there`);
  }
  const members: FileRef = {
    key: tableKey,
    sizeBytes: bytes(table.length),
    sha256: await sha256HexOf(table),
    count: progress.memberCount,
  };
  const index = await storeTraceIndex(compactor, run, { output, own });
  const stored: OutputRow = { ...output, state: "stored", progress: { ...progress, etag: info.etag, members, index } };
  await commit(compactor, () => {
    writeOutput(storage, stored);
    writeProgress(storage, run.hour);
  });
  return true;
}

/**
 * Completes an upload, unless its key is taken: a Compactor that was set back to an earlier moment may meet what its
 * later life made there, and not every store keeps a completion from overwriting. What stands there counts if its
 * bytes are those of the output, as after a lost answer.
 * @throws FirnError `object_changed` when it is another object
 */
async function completeOnce(
  store: ObjectStore,
  upload: MultipartUpload,
  { parts, sha256, storedBytes }: OutputRow["progress"],
): Promise<ObjectInfo> {
  const { key } = upload;
  if (sha256 === null) throw new Error(`Cannot complete "${key}": its last part was not sent`);
  const standing = await store.head(key);
  const outcome =
    standing === null
      ? await store.completeMultipart(upload, parts, sha256)
      : { kind: "exists" as const, info: standing };
  const { kind, info } = outcome;
  if (kind === "stored") {
    if (info.length === storedBytes) return info;
    const found = `it has ${info.length} bytes, expected ${storedBytes}`;
    throw new FirnError("store_unavailable", `Cannot prove output "${key}": ${found}`);
  }
  const isSame = info.length === storedBytes && (await readSha256Hex({ store, usage: openUsage() }, info)) === sha256;
  if (!isSame) throw new FirnError("object_changed", `Cannot complete output "${key}": another object stands there`);
  await store.abortMultipart(upload);
  return info;
}

/** Says whether all outputs of the run stand in the bucket as they were stored. */
export async function isAllStored({ deps }: Compactor): Promise<boolean> {
  const { storage, store } = deps;
  for (const { key, progress } of readOutputs(storage)) {
    if (progress.memberCount === 0) continue;
    const info = await store.head(key);
    if (info?.length !== progress.storedBytes) return false;
    if (info.etag !== null && progress.etag !== null && info.etag !== progress.etag) return false;
  }
  return true;
}
