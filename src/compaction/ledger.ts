/** Rows that say what is published, what cannot be read and what is to be deleted; their tables are in `schema.ts`. */
import type { CompactorTotals } from "./contract.ts";
import { run, select, toBytes, toNullableText, toText, type CompactorStorage } from "./schema.ts";

type Sql = Pick<CompactorStorage, "sql">;

/** An object that cannot be decoded. */
export interface UnreadableRow {
  readonly key: string;
  readonly hour: number;
  readonly length: number;
  readonly reason: string;
}

/** What a generation adds to the totals. */
export type CommitCounts = Omit<CompactorTotals, "generations" | "deletedObjects">;

/** A generation that is committed and not mirrored yet. */
export interface CommitRow {
  readonly hour: number;
  readonly generation: number;
  readonly sha256Hex: string;
  readonly manifest: Uint8Array;
  /** Keys that the generation makes superfluous, once it is mirrored. */
  readonly replaced: readonly string[];
  /** Keys that are superfluous if another Compactor was faster. */
  readonly written: readonly string[];
  readonly counts: CommitCounts;
}

/** What is to be deleted. */
export interface TrashRow {
  readonly key: string;
  readonly uploadId: string | null;
  readonly dueAt: number;
}

/** Notes an unreadable object. */
export function insertUnreadable(storage: Sql, row: UnreadableRow): void {
  run(storage, "INSERT OR REPLACE INTO unreadable VALUES (?, ?, ?, ?)", row.key, row.hour, row.length, row.reason);
}

/** Reads the unreadable objects of an hour. */
export function readUnreadable(storage: Sql, hour: number): readonly UnreadableRow[] {
  return select(storage, "SELECT * FROM unreadable WHERE hour = ? ORDER BY key", hour).map((row) => ({
    key: toText(row["key"]),
    hour: Number(row["hour"]),
    length: Number(row["length"]),
    reason: toText(row["reason"]),
  }));
}

/** Adds a commit. */
export function insertCommit(storage: Sql, commit: CommitRow): void {
  const { hour, generation, sha256Hex, manifest, replaced, written, counts } = commit;
  const notes = JSON.stringify({ replaced, written, counts });
  run(storage, "INSERT INTO commits VALUES (?, ?, ?, ?, ?)", hour, generation, sha256Hex, notes, manifest);
}

/** Reads the first commit whose hour is due, or that of an hour. */
export function findCommit(storage: Sql, now: number): CommitRow | null {
  const [row] = select(
    storage,
    `SELECT c.* FROM commits c LEFT JOIN hours USING (hour) WHERE coalesce(next_attempt_at, 0) <= ?
      ORDER BY coalesce(attempts, 0), hour LIMIT 1`,
    now,
  );
  if (row === undefined) return null;
  const notes: Pick<CommitRow, "replaced" | "written" | "counts"> = JSON.parse(toText(row["notes"]));
  return {
    hour: Number(row["hour"]),
    generation: Number(row["generation"]),
    sha256Hex: toText(row["sha256"]),
    manifest: toBytes(row["manifest"]),
    ...notes,
  };
}

/** Adds what is to be deleted; a key that stands there already keeps the earlier moment. */
export function insertTrash(storage: Sql, rows: readonly TrashRow[]): void {
  for (const { key, uploadId, dueAt } of rows) {
    run(
      storage,
      `INSERT INTO trash VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
        upload_id = coalesce(excluded.upload_id, upload_id), due_at = min(due_at, excluded.due_at)`,
      key,
      uploadId,
      dueAt,
    );
  }
}

/** Reads what may be deleted now. */
export function readTrash(storage: Sql, now: number, limit: number): readonly TrashRow[] {
  return select(storage, "SELECT * FROM trash WHERE due_at <= ? ORDER BY due_at, key LIMIT ?", now, limit).map(
    (row) => ({
      key: toText(row["key"]),
      uploadId: toNullableText(row["upload_id"]),
      dueAt: Number(row["due_at"]),
    }),
  );
}
