/**
 * Looks a trace up in the index of an output, as its manifest names it, {@link findTraceMembers}, or as it is listed,
 * {@link askListedIndex}. An index is a help and never a need: one that is missing, damaged or frozen makes its output
 * be read through its members.
 */
import type { ManifestOutput, TraceIndexRef } from "../archive/manifest-output.ts";
import {
  findInPages,
  guessTraceIndexShape,
  placeOfPages,
  planPages,
  shapeOfTraceIndex,
  type PageRange,
  type TraceIndexShape,
} from "../archive/trace-index.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import type { FileSource } from "./firn-file.ts";
import { openBody } from "./object-body.ts";

/** An output and its index. */
export interface IndexedOutput {
  readonly output: ManifestOutput;
  readonly index: TraceIndexRef;
}

/** An index that was asked as it is listed. */
export interface AskedIndex {
  /** As its size says. */
  readonly shape: TraceIndexShape;
  /** Members that may hold the trace. */
  readonly members: ReadonlySet<number>;
}

/** No page, of an index whose shape is guessed. */
const HEADER_ALONE: PageRange = { first: 0, end: 0 };

/**
 * Finds the members of an output that may hold a trace.
 * @param hash of its id, as `hashTraceId` makes it
 * @param asked indexes that need not be asked again, by their keys
 * @returns their numbers; `null` when the index does not say
 * @throws FirnError what the store throws when it fails itself
 */
export async function findTraceMembers(
  { output, index }: IndexedOutput,
  hash: number,
  source: FileSource,
  asked: ReadonlyMap<string, AskedIndex>,
): Promise<ReadonlySet<number> | null> {
  if (index.count === 0) return new Set();
  try {
    const { sizeBytes, count } = index;
    const shape = shapeOfTraceIndex({ sizeBytes, count, memberCount: output.members.count });
    const before = asked.get(index.key);
    if (before !== undefined && isSameShape(before.shape, shape)) return before.members;
    return await findMembers(index.key, shape, hash, source);
  } catch (error) {
    if (!isOfIndex(error)) throw error;
    log("warn", "trace_index.unreadable", { key: index.key, error: toErrorMessage(error) });
    return null;
  }
}

/**
 * Asks an index of which no more is known than that it is listed.
 * @param hash as in {@link findTraceMembers}
 * @returns `null` when it does not say; why is told by whoever reads it as the manifest names it
 * @throws FirnError what the store throws when it fails itself
 */
export async function askListedIndex(
  { key, length }: ObjectInfo,
  hash: number,
  source: FileSource,
): Promise<AskedIndex | null> {
  const shape = guessTraceIndexShape(length);
  if (shape === null) return null;
  try {
    return { shape, members: await findMembers(key, shape, hash, source) };
  } catch (error) {
    if (!isOfIndex(error)) throw error;
    return null;
  }
}

async function findMembers(
  key: string,
  guessed: TraceIndexShape,
  hash: number,
  source: FileSource,
): Promise<ReadonlySet<number>> {
  let shape = guessed;
  for (let attempt = 0; ; attempt += 1) {
    const pages = planPages(shape, hash, attempt);
    const read = await readPages(key, { shape, pages }, source);
    const found = findInPages(shape, pages, read, hash);
    if (found !== null) return found;
    if (!shape.isGuessed || pages.first === 0 || pages.end < shape.pageCount) continue;
    // Wider and wider, an id behind the last entry would have all of the file read for its header.
    findInPages(shape, HEADER_ALONE, await readPages(key, { shape, pages: HEADER_ALONE }, source), hash);
    shape = { ...shape, isGuessed: false };
    const foundAtEnd = findInPages(shape, pages, read, hash);
    if (foundAtEnd !== null) return foundAtEnd;
  }
}

function isSameShape(left: TraceIndexShape, right: TraceIndexShape): boolean {
  return left.count === right.count && left.hashBytes === right.hashBytes && left.memberBytes === right.memberBytes;
}

async function readPages(
  key: string,
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
