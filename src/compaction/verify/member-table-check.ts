/**
 * Checks the member table of an output, a copy of what stands in the output itself, from where a missing or damaged one
 * is made again. The manifest names its bytes, so that it can only be made again as it was.
 */
import { decodeMemberTable, encodeMemberTable, type TableMember } from "../../archive/member-table.ts";
import { sha256HexOf } from "../../bytes.ts";
import { FirnError, toErrorMessage } from "../../errors.ts";
import { MEMBER_TABLE_MAX_BYTES } from "../../limits.ts";
import { readFirnFile } from "../../reader/firn-file.ts";
import type { VisibleOutput } from "../../reader/hour-view.ts";
import { scanMembers } from "../../reader/member-scan.ts";
import { putOwn } from "../firn-object.ts";
import { proveOutputs } from "../prove-outputs.ts";
import type { RepairOutcome } from "./findings.ts";
import { proveOwner, readAgain, report, type ItemHourContext } from "./hour-context.ts";

/**
 * Checks a table.
 * @returns its members; when it is faulty and the output is read deeply, those that the object itself names
 * @throws FirnError `corrupt_object`, `object_not_found` when the object names none either
 */
export async function checkMemberTable(
  context: ItemHourContext,
  visible: VisibleOutput,
): Promise<readonly TableMember[]> {
  const { key, sizeBytes, sha256, count } = visible.output.members;
  let isMissing = false;
  let message: string;
  try {
    const file = { key, length: sizeBytes, sha256Hex: sha256 };
    const table = decodeMemberTable(await readFirnFile(context.source, file, MEMBER_TABLE_MAX_BYTES));
    if (table.output === visible.output.key && table.members.length === count) return table.members;
    message = `"${key}" is the table of "${table.output}" with ${table.members.length} members`;
  } catch (error) {
    if (!isOfFile(error)) throw error;
    isMissing = error.kind === "object_not_found";
    message = toErrorMessage(error);
  }
  const kind = isMissing ? "missing_member_table" : "damaged_member_table";
  await report(context, { kind, key, message, repair: () => rebuild(context, visible) });
  return context.order.isDeep ? scanMembers(visible, context.source) : [];
}

function isOfFile(error: unknown): error is FirnError {
  return error instanceof FirnError && (error.kind === "corrupt_object" || error.kind === "object_not_found");
}

async function rebuild(context: ItemHourContext, visible: VisibleOutput): Promise<RepairOutcome> {
  const { output } = visible;
  const { key, sha256 } = output.members;
  const table = encodeMemberTable({ output: output.key, members: await scanMembers(visible, context.source) });
  if ((await sha256HexOf(table)) !== sha256) {
    const found = "the table that its object gives is another one than the manifest names";
    throw new FirnError("corrupt_object", `Cannot make "${key}" again: ${found}`);
  }
  await proveOwner(context);
  const newest = await readAgain(context);
  if (newest?.manifest.outputs.find((other) => other.key === output.key)?.members.sha256 !== sha256) return "not_now";
  await proveOutputs(context.source, newest.manifest);
  const { store } = context.source;
  await store.delete([key]);
  if ((await putOwn(store, key, table)) === "stored") return "repaired";
  throw new FirnError("object_changed", `Cannot put "${key}": other bytes stand there`);
}
