/** Outputs of a run as they stand in storage between two steps: how far their upload is, and what they hold. */
import type { FileRef } from "../archive/manifest-output.ts";
import { decodeMemberEntry, encodeMemberEntry, type MemberEntry, type TableMember } from "../archive/member-table.ts";
import { releaseBytes } from "../bytes.ts";
import { CHUNK_MAX_BYTES } from "../limits.ts";
import type { UploadedPart } from "../object-store/contract.ts";
import { bytes } from "../units.ts";
import type { MergedMember, MinuteSum } from "./merger.ts";
import { run, select, toBuffer, toBytes, toNullableText, toText, type CompactorStorage } from "./schema.ts";
import { SHA256_START, type Sha256State } from "./sha256.ts";

type Sql = Pick<CompactorStorage, "sql">;

/** How far an output is. */
export interface OutputProgress {
  readonly parts: readonly UploadedPart[];
  /** Of the parts, which are all of one size until the last. */
  readonly hash: Sha256State;
  /** Bytes of its members so far, in parts or not. */
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly sum: MinuteSum;
  readonly firstMinute: number;
  readonly lastMinute: number;
  /** Nanoseconds as text, as JSON has no such numbers. */
  readonly minTimeUnixNano: string | null;
  readonly maxTimeUnixNano: string | null;
  /** `null`: too many to name. */
  readonly services: readonly string[] | null;
  readonly memberCount: number;
  /** Known once its last part was sent. */
  readonly sha256: string | null;
  /** Known once it is complete. */
  readonly etag: string | null;
  readonly members: FileRef | null;
  /** Its trace index; absent where there is none, and in rows of releases that knew of none. */
  readonly index?: FileRef | null;
}

/** An output of the run. */
export interface OutputRow {
  readonly number: number;
  readonly key: string;
  readonly uploadId: string | null;
  /** `sent`: all its parts are with the store; `stored`: it is an object, and its member table another one. */
  readonly state: "open" | "sent" | "stored";
  readonly progress: OutputProgress;
}

/** An output without anything in it. */
export const NO_PROGRESS: OutputProgress = {
  parts: [],
  hash: SHA256_START,
  storedBytes: 0,
  rawBytes: 0,
  sum: { itemCount: 0, digest: "0".repeat(32) },
  firstMinute: 0,
  lastMinute: 0,
  minTimeUnixNano: null,
  maxTimeUnixNano: null,
  services: [],
  memberCount: 0,
  sha256: null,
  etag: null,
  members: null,
};

/** Reads the outputs of the run, in their order. */
export function readOutputs(storage: Sql): readonly OutputRow[] {
  return select(storage, "SELECT * FROM outputs ORDER BY number").map((row) => ({
    number: Number(row["number"]),
    key: toText(row["key"]),
    uploadId: toNullableText(row["upload_id"]),
    state: toState(toText(row["state"])),
    progress: JSON.parse(toText(row["progress"])),
  }));
}

function toState(state: string): OutputRow["state"] {
  if (state === "open" || state === "sent" || state === "stored") return state;
  throw new Error(`Cannot read an output: found the state "${state}"`);
}

/** Writes an output. */
export function writeOutput(storage: Sql, { number, key, uploadId, state, progress }: OutputRow): void {
  const text = JSON.stringify(progress);
  run(storage, "INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?)", number, key, uploadId, state, text);
}

/** Notes an upload, and nothing of what the step under way did. */
export function writeUploadId(storage: Sql, number: number, uploadId: string): void {
  run(storage, "UPDATE outputs SET upload_id = ? WHERE number = ?", uploadId, number);
}

/** A member of an output, by its place in it. */
export interface MemberRow {
  readonly output: number;
  readonly number: number;
  readonly storedBytes: number;
  readonly entry: MemberEntry;
  readonly traceHashes: MergedMember["traceHashes"];
}

/** Adds a member. */
export function insertMember(storage: Sql, { output, number, storedBytes, entry, traceHashes }: MemberRow): void {
  const encoded = encodeMemberEntry(entry);
  run(storage, "INSERT INTO members VALUES (?, ?, ?, ?)", output, number, storedBytes, encoded);
  // A list that fits no row is left out, and with it the index of the output.
  if (traceHashes === null || traceHashes.byteLength > CHUNK_MAX_BYTES) return;
  run(storage, "INSERT INTO traces VALUES (?, ?, ?)", output, number, new Uint8Array(traceHashes.buffer));
}

/** Reads the hashes of the traces of each member; `null` when they are not known of all. */
export function readTraceHashes(storage: Sql, { number, progress }: OutputRow): readonly Uint32Array[] | null {
  const rows = select(storage, "SELECT hashes FROM traces WHERE output = ? ORDER BY number", number);
  if (rows.length !== progress.memberCount) return null;
  return rows.map((row) => new Uint32Array(toBuffer(row["hashes"])));
}

/** Reads the members of an output, in the form of its table. */
export function readMembers(storage: Sql, output: number): readonly TableMember[] {
  let offset = 0;
  const query = "SELECT stored_bytes, entry FROM members WHERE output = ? ORDER BY number";
  return select(storage, query, output).map((row) => {
    const storedBytes = Number(row["stored_bytes"]);
    const member = {
      offset: bytes(offset),
      storedBytes: bytes(storedBytes),
      ...decodeMemberEntry(toBytes(row["entry"])),
    };
    offset += storedBytes;
    return member;
  });
}

/** Keeps the bytes that no part took yet, instead of those that were kept before. */
export function writeRemainder(storage: Sql, output: number, data: Uint8Array): void {
  run(storage, "DELETE FROM remainder");
  for (let at = 0, number = 0; at < data.length; at += CHUNK_MAX_BYTES, number += 1) {
    run(storage, "INSERT INTO remainder VALUES (?, ?, ?)", output, number, data.subarray(at, at + CHUNK_MAX_BYTES));
  }
}

/** Reads the bytes that no part took yet, row by row. @param take copies them */
export function readRemainder(storage: Sql, output: number, take: (data: Uint8Array) => void): void {
  for (let number = 0; ; number += 1) {
    const [row] = select(storage, "SELECT data FROM remainder WHERE output = ? AND number = ?", output, number);
    if (row === undefined) return;
    const data = toBytes(row["data"]);
    take(data);
    releaseBytes(data);
  }
}

/** Forgets everything of a run but its row in `meta`. */
export function clearRun(storage: Sql): void {
  for (const table of ["sources", "outputs", "members", "traces", "remainder"]) run(storage, `DELETE FROM ${table}`);
}
