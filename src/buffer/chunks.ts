/**
 * Packs the members of a group into rows: as few as possible, none above `CHUNK_MAX_BYTES`. Members keep their order
 * and their bytes; one that is larger than a row goes on in rows of its own, which carry no entries.
 */
import { joinBytes } from "../bytes.ts";
import { CHUNK_MAX_BYTES } from "../limits.ts";
import { encodeEntries, ENTRY_BYTES, type Entry } from "./entries.ts";
import type { ChunkRow } from "./schema.ts";

/** A member with what is remembered of its request. */
export interface PackedMember {
  readonly entry: Entry;
  /** What its batch puts before the member: its head or its separator; tiny, often empty. */
  readonly prefix: Uint8Array;
  readonly member: Uint8Array;
}

/** Bytes that a member takes in the rows of its batch. */
export function packedBytes({ prefix, member }: PackedMember): number {
  return prefix.byteLength + member.byteLength;
}

/** Plans the rows for some members. @param committedAt - the moment of the commit, in milliseconds */
export function packChunks(members: readonly PackedMember[], committedAt: number): ChunkRow[] {
  const rows: ChunkRow[] = [];
  let run: PackedMember[] = [];
  let runBytes = 0;
  const flushRun = (): void => {
    if (run.length > 0) rows.push(toRow(run, toData(run.flatMap(toPieces)), committedAt));
    run = [];
    runBytes = 0;
  };
  for (const packed of members) {
    const bytes = packedBytes(packed) + ENTRY_BYTES;
    if (runBytes + bytes > CHUNK_MAX_BYTES) flushRun();
    if (bytes > CHUNK_MAX_BYTES) {
      rows.push(...splitMember(packed, committedAt));
      continue;
    }
    run.push(packed);
    runBytes += bytes;
  }
  flushRun();
  return rows;
}

function splitMember(packed: PackedMember, committedAt: number): ChunkRow[] {
  const { prefix, member } = packed;
  const first = CHUNK_MAX_BYTES - ENTRY_BYTES - prefix.byteLength;
  const rows = [toRow([packed], toData([prefix, member.subarray(0, first)]), committedAt)];
  for (let from = first; from < member.byteLength; from += CHUNK_MAX_BYTES) {
    rows.push(toRow([], member.subarray(from, from + CHUNK_MAX_BYTES), committedAt));
  }
  return rows;
}

function toPieces({ prefix, member }: PackedMember): readonly Uint8Array[] {
  return [prefix, member];
}

/** A member that stands alone in its row is the row's data as it came. */
function toData(pieces: readonly Uint8Array[]): Uint8Array {
  const filled = pieces.filter(({ byteLength }) => byteLength > 0);
  const [only] = filled;
  return filled.length === 1 && only !== undefined ? only : joinBytes(filled);
}

function toRow(members: readonly PackedMember[], data: Uint8Array, committedAt: number): ChunkRow {
  const entries = members.map(({ entry }) => entry);
  return {
    committedAt,
    itemCount: entries.reduce((sum, { itemCount }) => sum + itemCount, 0),
    requestCount: entries.length,
    entries: encodeEntries(entries),
    data,
  };
}
