/**
 * Checks the trace index of an output: its bytes are those that the manifest names, and, where the output is read, they
 * name the traces that it holds. Readers do without one, but a sound one that is wrong would hide traces from them.
 */
import type { TableMember } from "../../archive/member-table.ts";
import type { TraceIndexRef } from "../../archive/manifest-output.ts";
import { encodeTraceIndex } from "../../archive/trace-index.ts";
import { sha256HexOf } from "../../bytes.ts";
import { FirnError, toErrorMessage } from "../../errors.ts";
import { TRACE_INDEX_MAX_BYTES } from "../../limits.ts";
import { readFirnFile } from "../../reader/firn-file.ts";
import type { VisibleOutput } from "../../reader/hour-view.ts";
import { putOwn } from "../firn-object.ts";
import { TRACE_INDEX_TYPE } from "../trace-index.ts";
import type { FindingKind } from "./contract.ts";
import type { RepairOutcome } from "./findings.ts";
import { isIdle, proveOwner, readAgain, report, type ItemHourContext } from "./hour-context.ts";
import { walkOutput } from "./output-walk.ts";

/** An index, and the output that it is of. */
export interface CheckedIndex {
  readonly index: TraceIndexRef;
  readonly visible: VisibleOutput;
  readonly members: readonly TableMember[];
  /** What the members hold; `null` when the output was not read. */
  readonly traceHashes: readonly Uint32Array[] | null;
}

/** Checks an index. */
export async function checkTraceIndex(context: ItemHourContext, checked: CheckedIndex): Promise<void> {
  const { key, sizeBytes, sha256 } = checked.index;
  const fault = await findFileFault(context, checked.index);
  const file = checked.traceHashes === null ? null : encodeTraceIndex(checked.traceHashes)?.file;
  const isWrong = file !== null && !(file?.length === sizeBytes && (await sha256HexOf(file)) === sha256);
  if (isWrong && fault?.kind === "missing_trace_index") {
    // What the manifest names was wrong and is deleted; what its output gives nobody would read.
    await report(context, { kind: "lost_trace_index", key, message: fault.message });
    return;
  }
  if (fault !== null) {
    await report(context, { ...fault, key, repair: () => rebuild(context, checked) });
    return;
  }
  if (!isWrong) return;
  const message = `"${key}" names other traces than its output holds`;
  await report(context, { kind: "wrong_trace_index", key, message, repair: () => remove(context, checked.index) });
}

async function findFileFault(
  { source }: ItemHourContext,
  { key, sizeBytes, sha256 }: TraceIndexRef,
): Promise<{ readonly kind: FindingKind; readonly message: string } | null> {
  try {
    await readFirnFile(source, { key, length: sizeBytes, sha256Hex: sha256 }, TRACE_INDEX_MAX_BYTES);
    return null;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    const message = toErrorMessage(error);
    if (error.kind === "object_not_found") return { kind: "missing_trace_index", message };
    if (error.kind === "corrupt_object") return { kind: "damaged_trace_index", message };
    if (error.kind === "object_frozen") return { kind: "frozen_object", message };
    throw error;
  }
}

/** Makes an index again as the manifest names it. */
async function rebuild(context: ItemHourContext, checked: CheckedIndex): Promise<RepairOutcome> {
  const { key, sha256 } = checked.index;
  const encoded = encodeTraceIndex(checked.traceHashes ?? (await readTraceHashes(context, checked)));
  if (encoded === null || (await sha256HexOf(encoded.file)) !== sha256) {
    const found = "the index that its output gives is another one than the manifest names";
    throw new FirnError("corrupt_object", `Cannot make "${key}" again: ${found}`);
  }
  await proveOwner(context);
  const newest = await readAgain(context);
  if (!newest?.manifest.indexes.some((other) => other.key === key && other.sha256 === sha256)) return "not_now";
  const { store } = context.source;
  await store.delete([key]);
  if ((await putOwn(store, key, encoded.file, TRACE_INDEX_TYPE)) === "stored") return "repaired";
  throw new FirnError("object_changed", `Cannot put "${key}": other bytes stand there`);
}

async function readTraceHashes(context: ItemHourContext, checked: CheckedIndex): Promise<readonly Uint32Array[]> {
  const { visible, members } = checked;
  const { output, form } = visible;
  const walked = { output, form, signal: context.signal, members, gathersTraces: true };
  return (await walkOutput(context, walked)).traceHashes;
}

/** Deletes an index that misleads; readers then look into its output. */
async function remove(context: ItemHourContext, { key }: TraceIndexRef): Promise<RepairOutcome> {
  await proveOwner(context);
  if (!(await isIdle(context, key))) return "not_now";
  await context.source.store.delete([key]);
  return "repaired";
}
