/**
 * Looks a trace up in the index of an output: {@link findTraceMembers}. An index is a help and never a need: one that
 * is missing, damaged or frozen makes its output be read through its members.
 */
import type { ManifestOutput, TraceIndexRef } from "../archive/manifest-output.ts";
import {
  findInPages,
  placeOfPages,
  planPages,
  shapeOfTraceIndex,
  type PageRange,
  type TraceIndexShape,
} from "../archive/trace-index.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import type { FileSource } from "./firn-file.ts";
import { openBody } from "./object-body.ts";

/** An output and its index. */
export interface IndexedOutput {
  readonly output: ManifestOutput;
  readonly index: TraceIndexRef;
}

/**
 * Finds the members of an output that may hold a trace.
 * @param hash of its id, as `hashTraceId` makes it
 * @returns their numbers; `null` when the index does not say
 * @throws FirnError what the store throws when it fails itself
 */
export async function findTraceMembers(
  { output, index }: IndexedOutput,
  hash: number,
  source: FileSource,
): Promise<ReadonlySet<number> | null> {
  if (index.count === 0) return new Set();
  try {
    const { sizeBytes, count } = index;
    const shape = shapeOfTraceIndex({ sizeBytes, count, memberCount: output.members.count });
    for (let attempt = 0; ; attempt += 1) {
      const pages = planPages(shape, hash, attempt);
      const found = findInPages(shape, pages, await readPages(index, { shape, pages }, source), hash);
      if (found !== null) return found;
    }
  } catch (error) {
    if (!isOfIndex(error)) throw error;
    log("warn", "trace_index.unreadable", { key: index.key, error: toErrorMessage(error) });
    return null;
  }
}

async function readPages(
  { key }: TraceIndexRef,
  { shape, pages }: { readonly shape: TraceIndexShape; readonly pages: PageRange },
  { store, usage, bodyTimeout }: FileSource,
): Promise<Uint8Array> {
  const range = placeOfPages(shape, pages);
  usage.storeCalls++;
  const body = openBody(await store.get(key, { range }), range.length, bodyTimeout);
  try {
    return await body.readWhole();
  } finally {
    await body.close();
  }
}

/** A range that begins behind the end of a file is a `RangeError`. */
function isOfIndex(error: unknown): boolean {
  if (!(error instanceof FirnError)) return error instanceof RangeError;
  return error.kind === "corrupt_object" || error.kind === "object_not_found" || error.kind === "object_frozen";
}
