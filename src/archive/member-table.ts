/**
 * What the members of an output hold. The entry of a member stands in the object itself, before the member, and again
 * in the member table, a file beside the manifest; so the table can be rebuilt from the object, and a minute can be
 * read without decompressing its neighbours. Both are JSON with the members that docs/archive-format.md lists; where an
 * entry stands in a gzip or zstd stream is `compression/`'s.
 */
import { MEMBER_ENTRY_MAX_BYTES, MEMBER_MAX_RUNS, MEMBER_TABLE_MAX_BYTES } from "../limits.ts";
import { bytes, type Bytes } from "../units.ts";
import {
  corrupt,
  decodeDocument,
  decodeJson,
  encodeDocument,
  FORMAT,
  memberOf,
  toCount,
  toInteger,
  toList,
  toName,
  type JsonField,
} from "./json-fields.ts";
import { LAST_MINUTE, readEventTimes } from "./manifest-output.ts";

/** The items of one minute in a member, which stand together. */
export interface MemberRun {
  /** Minute of the hour, 0 to 59. */
  readonly minute: number;
  /** 0 when it holds nothing but fields that no item owns. */
  readonly itemCount: number;
  /** Its share of the member's raw bytes: what comes before it is that of the runs before. */
  readonly rawBytes: Bytes;
}

/** What a member holds. */
export interface MemberEntry {
  readonly rawBytes: Bytes;
  readonly itemCount: number;
  /** At least one, at most 60, minutes ascending; their items and raw bytes add up to the member's. */
  readonly runs: readonly MemberRun[];
  /** Event times of its items, those without one left out; both `null` when no item has one. */
  readonly minTimeUnixNano: bigint | null;
  readonly maxTimeUnixNano: bigint | null;
}

/** A member, and where it stands in its object. */
export interface TableMember extends MemberEntry {
  /** First byte, which is that of the skippable frame in zstd. */
  readonly offset: Bytes;
  /** Bytes up to the next member. */
  readonly storedBytes: Bytes;
}

/** The members of an output. */
export interface MemberTable {
  /** Key of the output. */
  readonly output: string;
  /** In the order of the object: each begins where the one before ends, no minute comes back. */
  readonly members: readonly TableMember[];
}

/**
 * Encodes an entry, without a line end.
 * @throws RangeError when it would be refused by {@link decodeMemberEntry}
 */
export function encodeMemberEntry(entry: MemberEntry): Uint8Array {
  return encodeDocument(toEntryDocument(entry), "member entry", { decode: decodeMemberEntry, end: "" });
}

/** Decodes an entry and checks every value in it. @throws FirnError `corrupt_object` with the field that is wrong */
export function decodeMemberEntry(encoded: Uint8Array): MemberEntry {
  return readEntry(decodeJson(encoded, "member entry", MEMBER_ENTRY_MAX_BYTES));
}

/**
 * Encodes a table.
 * @throws RangeError when it is longer than 16 MiB, or would be refused by {@link decodeMemberTable}
 */
export function encodeMemberTable({ output, members }: MemberTable): Uint8Array {
  const document = { format: FORMAT, output, members: members.map(toMemberDocument) };
  return encodeDocument(document, "member table", { decode: decodeMemberTable, end: "\n" });
}

/**
 * Decodes a table and checks every value in it.
 * @throws FirnError `unknown_format` for a format other than 1, `corrupt_object` with the field that is wrong otherwise
 */
export function decodeMemberTable(encoded: Uint8Array): MemberTable {
  const field = decodeDocument(encoded, "member table", MEMBER_TABLE_MAX_BYTES);
  const membersField = memberOf(field, "members");
  const members = toList(membersField, readMember);
  let offset = 0;
  let minute = 0;
  members.forEach((member, index) => {
    if (member.offset !== offset) throw corrupt(membersField, `has a gap before ${index}`, `offset ${offset}`);
    if ((member.runs[0]?.minute ?? 0) < minute)
      throw corrupt(membersField, `goes back at ${index}`, "minutes ascending");
    offset = member.offset + member.storedBytes;
    minute = member.runs.at(-1)?.minute ?? minute;
  });
  return { output: toName(memberOf(field, "output")), members };
}

function toMemberDocument(member: TableMember): object {
  return { offset: member.offset, stored_bytes: member.storedBytes, ...toEntryDocument(member) };
}

function toEntryDocument(entry: MemberEntry): object {
  return {
    raw_bytes: entry.rawBytes,
    item_count: entry.itemCount,
    runs: entry.runs.map(({ minute, itemCount, rawBytes }) => [minute, itemCount, rawBytes]),
    min_time_unix_nano: entry.minTimeUnixNano?.toString() ?? null,
    max_time_unix_nano: entry.maxTimeUnixNano?.toString() ?? null,
  };
}

function readMember(field: JsonField): TableMember {
  return {
    offset: bytes(toCount(memberOf(field, "offset"))),
    storedBytes: bytes(toCount(memberOf(field, "stored_bytes"), 1)),
    ...readEntry(field),
  };
}

function readEntry(field: JsonField): MemberEntry {
  const runs = readRuns(memberOf(field, "runs"));
  return {
    rawBytes: bytes(
      toSum(
        memberOf(field, "raw_bytes"),
        runs.map((run) => run.rawBytes),
      ),
    ),
    itemCount: toSum(
      memberOf(field, "item_count"),
      runs.map((run) => run.itemCount),
    ),
    runs,
    ...readEventTimes(field),
  };
}

function readRuns(field: JsonField): readonly MemberRun[] {
  const runs = toList(field, readRun, MEMBER_MAX_RUNS);
  if (runs.length === 0) throw corrupt(field, "is empty", "at least one run");
  runs.forEach(({ minute }, index) => {
    const before = runs[index - 1];
    if (before !== undefined && before.minute >= minute) {
      throw corrupt(field, `is out of order at ${index}`, "minutes ascending, each once");
    }
  });
  return runs;
}

function readRun(field: JsonField): MemberRun {
  const [minute, itemCount, rawBytes, ...rest] = toList(field, (number) => toCount(number));
  if (minute === undefined || itemCount === undefined || rawBytes === undefined || rest.length > 0) {
    throw corrupt(field, "is not right", "a minute, a number of items and a number of bytes");
  }
  if (minute > LAST_MINUTE) throw corrupt(field, `has minute ${minute}`, `at most ${LAST_MINUTE}`);
  return { minute, itemCount, rawBytes: bytes(rawBytes) };
}

/** Reads what must be the sum of what the runs hold. */
function toSum(field: JsonField, parts: readonly number[]): number {
  const sum = parts.reduce((total, part) => total + part, 0);
  return toInteger(field, { min: sum, max: sum });
}
