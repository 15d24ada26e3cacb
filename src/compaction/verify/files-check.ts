/**
 * Checks the files beside an hour's manifests: parts with foreign sources are as the manifest names them, and nothing
 * stands in the folder that no manifest names.
 */
import { formatMembersKey, formatTraceIndexKey, indexesFolder, membersFolder } from "../../archive/firn-keys.ts";
import { decodeForeignPart } from "../../archive/foreign-part.ts";
import { parseKey, type Layout } from "../../archive/key.ts";
import type { FileRef } from "../../archive/manifest-output.ts";
import { FirnError, toErrorMessage } from "../../errors.ts";
import { FOREIGN_PART_MAX_BYTES } from "../../limits.ts";
import { readFirnFile } from "../../reader/firn-file.ts";
import { listAll } from "../../reader/listing.ts";
import type { HourManifest } from "../../reader/manifests.ts";
import type { RepairOutcome } from "./findings.ts";
import { isExpected, isIdle, proveOwner, readAgain, report, type ItemHourContext } from "./hour-context.ts";
import type { CompactedObjects } from "./outputs-check.ts";

const TABLE = /^\d{8}T\d{9}Z-c[0-9a-f]{2}-[0-9a-f]{8}-[0-9a-f]{8}\.json$/;
const TRACE_INDEX = /^\d{8}T\d{9}Z-c[0-9a-f]{2}-[0-9a-f]{8}-[0-9a-f]{8}\.trace$/;
const FOREIGN_PART = /^\d{8}T\d{9}Z-c[0-9a-f]{2}-[0-9a-f]{8}-[0-9a-f]{8}-foreign-\d+\.json$/;

/** Checks the parts. @returns whether all of them can be read */
export async function checkForeignParts(context: ItemHourContext, { manifest }: HourManifest): Promise<boolean> {
  let isSound = true;
  for (const part of manifest.foreignSources) {
    const fault = await findPartFault(context, part);
    if (fault === null) continue;
    isSound = false;
    await report(context, { kind: "damaged_foreign_part", key: part.key, message: fault });
  }
  return isSound;
}

async function findPartFault({ source }: ItemHourContext, part: FileRef): Promise<string | null> {
  const { key, sizeBytes, sha256, count } = part;
  try {
    const encoded = await readFirnFile(source, { key, length: sizeBytes, sha256Hex: sha256 }, FOREIGN_PART_MAX_BYTES);
    const found = decodeForeignPart(encoded).length;
    return found === count ? null : `"${key}" lists ${found} objects, but its manifest names ${count}`;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    if (error.kind !== "corrupt_object" && error.kind !== "object_not_found") throw error;
    return toErrorMessage(error);
  }
}

/**
 * Checks that each file of the folders is named. Those of an output that stands there unnamed are told of with it.
 * @param newest `null` when the hour has no manifest
 */
export async function checkFiles(
  context: ItemHourContext,
  newest: HourManifest | null,
  compacted: CompactedObjects,
): Promise<void> {
  const { deps, signal, hour } = context;
  const { layout } = deps;
  const expected = new Set([...namedFiles(newest), ...filesOfUnnamed(compacted, newest, layout)]);
  await checkFolder(context, {
    folder: membersFolder(layout, signal, hour),
    remade: TABLE,
    others: FOREIGN_PART,
    expected,
  });
  // No data point is of a trace.
  if (signal === "metrics") return;
  await checkFolder(context, {
    folder: indexesFolder(layout, signal, hour),
    remade: TRACE_INDEX,
    others: null,
    expected,
  });
}

interface FileFolder {
  readonly folder: string;
  /** Names of files that can be made again from their output, if it turns out that there is one. */
  readonly remade: RegExp;
  readonly others: RegExp | null;
  readonly expected: ReadonlySet<string>;
}

async function checkFolder(context: ItemHourContext, { folder, remade, others, expected }: FileFolder): Promise<void> {
  for await (const page of listAll(context.source, folder)) {
    for (const { key } of page) {
      const name = key.slice(folder.length);
      if (expected.has(key)) continue;
      if (!remade.test(name) && others?.test(name) !== true) {
        await report(context, { kind: "unknown_file", key, message: `"${key}" is no file of an output` });
      } else if (!(await isExpected(context, key))) {
        const message = `"${key}" belongs to no output that the newest manifest names`;
        const repair = (): Promise<RepairOutcome> => deleteFile(context, key);
        await report(context, { kind: "orphan_file", key, message, ...(remade.test(name) ? { repair } : {}) });
      }
    }
  }
}

function filesOfUnnamed(compacted: CompactedObjects, newest: HourManifest | null, layout: Layout): readonly string[] {
  const named = new Set(newest?.manifest.outputs.map(({ key }) => key));
  return [...compacted.keys()].flatMap((key) => {
    const own = named.has(key) ? null : parseKey(key, layout);
    return own?.kind === "compacted" ? [formatMembersKey(own, layout), formatTraceIndexKey(own, layout)] : [];
  });
}

function namedFiles(newest: HourManifest | null): ReadonlySet<string> {
  if (newest === null) return new Set();
  const { outputs, foreignSources, indexes } = newest.manifest;
  const files = [...outputs.map(({ members }) => members), ...foreignSources, ...indexes];
  return new Set(files.map(({ key }) => key));
}

async function deleteFile(context: ItemHourContext, key: string): Promise<RepairOutcome> {
  await proveOwner(context);
  if (!(await isIdle(context, key))) return "not_now";
  // Only after that: who worked until now has published by now.
  if (namedFiles(await readAgain(context)).has(key)) return "not_now";
  await context.source.store.delete([key]);
  return "repaired";
}
