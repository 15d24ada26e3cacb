/**
 * Checks the outputs that the newest manifest names: that they stand there, that retired ones do not, and, read deeply,
 * that they hold what the manifest says, to the digest of each minute.
 */
import { parseKey } from "../../archive/key.ts";
import type { ManifestOutput, TraceIndexRef } from "../../archive/manifest-output.ts";
import { FirnError, toErrorMessage } from "../../errors.ts";
import type { ObjectInfo } from "../../object-store/contract.ts";
import type { VisibleOutput } from "../../reader/hour-view.ts";
import { isExpiredHour } from "../../reader/expired-hour.ts";
import type { HourManifest } from "../../reader/manifests.ts";
import { millis } from "../../units.ts";
import { VERIFY_DELETE_SLACK } from "../../limits.ts";
import type { MinuteSums } from "../merger.ts";
import { addSums, findDifference, fromMinuteTotals, totalOf } from "../minute-sums.ts";
import type { RepairOutcome } from "./findings.ts";
import {
  deletionEnd,
  isExpected,
  isIdle,
  proveOwner,
  readAgain,
  report,
  type ItemHourContext,
} from "./hour-context.ts";
import { checkMemberTable } from "./member-table-check.ts";
import { checkTraceIndex } from "./trace-index-check.ts";
import { walkOutput, type WalkResult } from "./output-walk.ts";

/** Compacted objects of the hour as they are listed, by key. */
export type CompactedObjects = ReadonlyMap<string, ObjectInfo>;

/** Checks all outputs. @returns what each that is sound holds by minute; only of those that were read */
export async function checkOutputs(
  context: ItemHourContext,
  newest: HourManifest,
  compacted: CompactedObjects,
): Promise<readonly MinuteSums[]> {
  const read: MinuteSums[] = [];
  let isWhole = context.order.isDeep;
  for (const output of newest.manifest.outputs) {
    if (output.retired) {
      if (compacted.has(output.key)) await checkRetired(context, newest, output.key);
      continue;
    }
    const index = newest.manifest.indexes.find((other) => other.output === output.key) ?? null;
    const found = await checkOutput(context, { output, index }, compacted.get(output.key));
    if (found === null) isWhole = false;
    else read.push(found);
  }
  if (!isWhole) return read;
  const sums = read.reduce<MinuteSums>(addSums, new Map());
  const minute = findDifference(fromMinuteTotals(newest.manifest.minutes), sums);
  if (minute === null) return read;
  const message = `The outputs hold other items of minute ${minute} than "${newest.name.key}" says`;
  await report(context, { kind: "wrong_manifest", key: newest.name.key, message });
  return read;
}

/** @returns what it holds by minute; `null` when it was not read to its end */
async function checkOutput(
  context: ItemHourContext,
  { output, index }: { readonly output: ManifestOutput; readonly index: TraceIndexRef | null },
  listed: ObjectInfo | undefined,
): Promise<MinuteSums | null> {
  const { key, sizeBytes } = output;
  const { source, deps, order, signal } = context;
  if (listed === undefined) source.usage.storeCalls += 1;
  // The listing may be older than the manifest.
  const info = listed ?? (await source.store.head(key));
  if (info === null) {
    await reportMissing(context, key);
    return null;
  }
  if (info.length !== sizeBytes) {
    const message = `"${key}" has ${info.length} bytes, but its manifest names ${sizeBytes} bytes`;
    await report(context, { kind: "damaged_output", key, message });
    return null;
  }
  const form = parseKey(key, deps.layout)?.form;
  if (form === undefined) throw new Error(`Cannot verify output "${key}": it is no output of this hour`);
  const visible: VisibleOutput = { output, form, etag: info.etag, fault: null };
  try {
    const members = await checkMemberTable(context, visible);
    if (!order.isDeep) {
      if (index !== null) await checkTraceIndex(context, { index, visible, members, traceHashes: null });
      return null;
    }
    const gathersTraces = index !== null;
    const { traceHashes, ...result } = await walkOutput(context, { output, form, signal, members, gathersTraces });
    if (index !== null) await checkTraceIndex(context, { index, visible, members, traceHashes });
    const fault = findFault(output, result);
    if (fault === null) return result.minutes;
    await report(context, { kind: "damaged_output", key, message: `"${key}": ${fault}` });
  } catch (error) {
    await reportUnread(context, key, error);
  }
  return null;
}

async function reportMissing(context: ItemHourContext, key: string): Promise<void> {
  const { deps, hour } = context;
  const { bucketExpiration } = deps;
  const isExpired = bucketExpiration !== null && isExpiredHour(hour, millis(deps.now() - bucketExpiration));
  const kind = isExpired ? "expired_output" : "missing_output";
  await report(context, { kind, key, message: `"${key}" does not exist, but the newest manifest names it` });
}

async function reportUnread(context: ItemHourContext, key: string, error: unknown): Promise<void> {
  if (!(error instanceof FirnError)) throw error;
  const message = `Cannot read "${key}": ${toErrorMessage(error)}`;
  if (error.kind === "corrupt_object") await report(context, { kind: "damaged_output", key, message });
  else if (error.kind === "object_not_found") await reportMissing(context, key);
  else if (error.kind === "object_frozen") await report(context, { kind: "frozen_object", key, message });
  else throw error;
}

/** What of an output is not as the manifest says; `null` when all is. */
function findFault(output: ManifestOutput, result: Omit<WalkResult, "traceHashes">): string | null {
  const { itemCount, digest } = totalOf(result.minutes);
  const minutes = [...result.minutes.keys()];
  const facts: readonly (readonly [what: string, found: unknown, expected: unknown])[] = [
    ["SHA-256", result.sha256Hex, output.sha256],
    ["raw bytes", result.rawBytes, output.rawBytes],
    ["items", itemCount, output.itemCount],
    ["digest of items", digest, output.digest],
    ["first minute", Math.min(...minutes), output.firstMinute],
    ["last minute", Math.max(...minutes), output.lastMinute],
    ["earliest event time", result.minTimeUnixNano, output.minTimeUnixNano],
    ["latest event time", result.maxTimeUnixNano, output.maxTimeUnixNano],
    // A manifest without room for the names leaves them out, however few there are.
    ["services", toText(output.services === null ? null : result.services), toText(output.services)],
  ];
  const wrong = facts.find(([, found, expected]) => found !== expected);
  if (wrong === undefined) return null;
  const [what, found, expected] = wrong;
  return `its ${what}: found ${String(found)}, but its manifest names ${String(expected)}`;
}

function toText(services: readonly string[] | null): string {
  return services?.join(", ") ?? "more than 200";
}

async function checkRetired(context: ItemHourContext, newest: HourManifest, key: string): Promise<void> {
  if (deletionEnd(context, newest) + VERIFY_DELETE_SLACK > context.deps.now() || (await isExpected(context, key)))
    return;
  const message = `"${key}" is retired, and still stands there`;
  await report(context, { kind: "retired_output", key, message, repair: () => deleteRetired(context, key) });
}

async function deleteRetired(context: ItemHourContext, key: string): Promise<RepairOutcome> {
  await proveOwner(context);
  if (!(await isIdle(context, key))) return "not_now";
  const newest = await readAgain(context);
  if (newest?.manifest.outputs.find((output) => output.key === key)?.retired !== true) return "not_now";
  await context.source.store.delete([key]);
  return "repaired";
}
