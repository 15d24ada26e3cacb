/**
 * The members of an output, as its member table lists them: {@link loadMembers}. The table is a copy of what stands in
 * the object itself; one that is missing or wrong is made again from there, at the price of a pass over the object.
 */
import type { ManifestOutput } from "../archive/manifest-output.ts";
import { decodeMemberTable, type TableMember } from "../archive/member-table.ts";
import { FirnError, toErrorMessage, type ErrorKind } from "../errors.ts";
import { MEMBER_TABLE_MAX_BYTES } from "../limits.ts";
import { log } from "../log.ts";
import { readFirnFile, type FileSource } from "./firn-file.ts";
import type { VisibleOutput } from "./hour-view.ts";
import { scanMembers } from "./member-scan.ts";

/** What is wrong with one object alone. */
const OF_OBJECT: ReadonlySet<ErrorKind> = new Set(["corrupt_object", "object_not_found", "object_frozen"]);

/** What was found of an output's members. */
export type LoadedMembers =
  | { readonly kind: "members"; readonly members: readonly TableMember[] }
  /** Neither its table nor the object itself says what it holds. */
  | { readonly kind: "lost"; readonly error: FirnError };

/**
 * Loads the members of an output.
 * @throws FirnError `unknown_format` for a table of another format, and what the store throws
 */
export async function loadMembers(visible: VisibleOutput, source: FileSource): Promise<LoadedMembers> {
  const { output } = visible;
  try {
    return { kind: "members", members: await readTable(output, source) };
  } catch (error) {
    if (!isOfObject(error)) throw error;
    log("warn", "member_table.unreadable", { key: output.members.key, error: toErrorMessage(error) });
  }
  try {
    const members = await scanMembers(visible, source);
    checkMembers(members, output);
    return { kind: "members", members };
  } catch (error) {
    if (!isOfObject(error)) throw error;
    return { kind: "lost", error };
  }
}

async function readTable(output: ManifestOutput, source: FileSource): Promise<readonly TableMember[]> {
  const { key, sizeBytes, sha256 } = output.members;
  const file = { key, length: sizeBytes, sha256Hex: sha256 };
  const table = decodeMemberTable(await readFirnFile(source, file, MEMBER_TABLE_MAX_BYTES));
  if (table.output !== output.key) throw corrupt(`the table is of "${table.output}"`, `"${output.key}"`);
  checkMembers(table.members, output);
  return table.members;
}

/** A table that does not fit its output would cut its bytes at the wrong places, or leave some out. */
function checkMembers(members: readonly TableMember[], output: ManifestOutput): void {
  const itemCount = members.reduce((sum, member) => sum + member.itemCount, 0);
  const rawBytes = members.reduce((sum, member) => sum + member.rawBytes, 0);
  const last = members.at(-1);
  const end = last === undefined ? 0 : last.offset + last.storedBytes;
  if (itemCount !== output.itemCount) throw corrupt(`its members have ${itemCount} items`, `${output.itemCount}`);
  // The end of a JSON document is in no member.
  if (rawBytes > output.rawBytes) throw corrupt(`its members have ${rawBytes} raw bytes`, `${output.rawBytes}`);
  if (end > output.sizeBytes) throw corrupt(`its members have ${end} bytes`, `${output.sizeBytes}`);
  const firstMinute = members[0]?.runs[0]?.minute ?? output.firstMinute;
  const lastMinute = last?.runs.at(-1)?.minute ?? output.lastMinute;
  if (firstMinute === output.firstMinute && lastMinute === output.lastMinute) return;
  throw corrupt(`its minutes are ${firstMinute} to ${lastMinute}`, `${output.firstMinute} to ${output.lastMinute}`);
}

function isOfObject(error: unknown): error is FirnError {
  return error instanceof FirnError && OF_OBJECT.has(error.kind);
}

function corrupt(found: string, expected: string): FirnError {
  return new FirnError("corrupt_object", `Cannot read members of output: ${found}, expected ${expected}`);
}
