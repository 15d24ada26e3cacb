/**
 * The trace index of an output, made from the hashes that its members brought: {@link storeTraceIndex}. Put create-only
 * before the manifest that names it, as member tables are. An output may go without one: readers then read its members.
 */
import { formatTraceIndexKey } from "../archive/firn-keys.ts";
import type { CompactedKey } from "../archive/key.ts";
import type { FileRef, TraceIndexRef } from "../archive/manifest-output.ts";
import { encodeTraceIndex } from "../archive/trace-index.ts";
import { releaseBytes, sha256HexOf } from "../bytes.ts";
import { FirnError } from "../errors.ts";
import { MANIFEST_MAX_INDEXES } from "../limits.ts";
import { bytes } from "../units.ts";
import type { Compactor, Run } from "./compactor.ts";
import { putOwn } from "./firn-object.ts";
import { readOutputs, readTraceHashes, type OutputRow } from "./output-rows.ts";

/** What an index is stored as. */
export const TRACE_INDEX_TYPE = "application/octet-stream";

/** Puts the index of an output; `null` when it gets none. */
export async function storeTraceIndex(
  { deps }: Compactor,
  run: Run,
  { output, own }: { readonly output: OutputRow; readonly own: CompactedKey },
): Promise<FileRef | null> {
  const { storage, store, layout } = deps;
  const place = run.keptOutputs + readOutputs(storage).findIndex(({ number }) => number === output.number);
  // A manifest has room for so many.
  if (place >= MANIFEST_MAX_INDEXES) return null;
  const members = readTraceHashes(storage, output);
  const encoded = members === null ? null : encodeTraceIndex(members);
  for (const hashes of members ?? []) releaseBytes(hashes);
  if (encoded === null) return null;
  const { file, count } = encoded;
  const key = formatTraceIndexKey(own, layout);
  if ((await putOwn(store, key, file, TRACE_INDEX_TYPE)) === "other") {
    throw new FirnError("object_changed", `Cannot put trace index "${key}": another one stands there`);
  }
  const ref = { key, sizeBytes: bytes(file.length), sha256: await sha256HexOf(file), count };
  releaseBytes(file);
  return ref;
}

/** Lists the indexes of a run's outputs, as the manifest names them. */
export function toTraceIndexRefs(outputs: readonly OutputRow[]): readonly TraceIndexRef[] {
  return outputs.flatMap(({ key, progress }) => {
    const { index = null } = progress;
    return index === null || progress.memberCount === 0 ? [] : [{ output: key, ...index }];
  });
}
