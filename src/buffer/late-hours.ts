/**
 * What a shard knows of closed hours (protocol 4.6, 5.1): up to when it promised to seal nothing any more, and the
 * hours into which an object was stored in spite of that, until the Compactor knows. Both stand where a release that
 * does not know them leaves them alone: a row of `meta` and a table of their own.
 */
import { HOUR } from "../units.ts";
import { readMeta, run, writeMeta, type RowMeter, type ShardStorage } from "./schema.ts";

/** Closed hours, as memory knows them. */
export interface Closing {
  /** The highest end of an hour that was promised; 0 before the first promise. */
  closedUntil: number;
  /** First instant of an hour → sequence of the object that was stored into it last. */
  readonly lateHours: Map<number, number>;
  /** The report that is under way. */
  reporting: Promise<void> | null;
  /** Reports that failed in a row, and the moment before which none is tried again. */
  failures: number;
  retryAt: number;
}

const CLOSED_UNTIL = "closed_until";

/** Reads what storage knows. */
export function loadClosing(storage: ShardStorage): Closing {
  storage.sql.exec("CREATE TABLE IF NOT EXISTS late_hours (hour INTEGER PRIMARY KEY, sequence INTEGER NOT NULL)");
  const rows = storage.sql.exec("SELECT hour, sequence FROM late_hours ORDER BY hour").toArray();
  const closedUntil = readMeta(storage, CLOSED_UNTIL);
  return {
    closedUntil: typeof closedUntil === "number" ? closedUntil : 0,
    lateHours: new Map(rows.map((row) => [Number(row["hour"]), Number(row["sequence"])])),
    reporting: null,
    failures: 0,
    retryAt: 0,
  };
}

/** Notes a promise; part of its transaction. */
export function writeClosedUntil(storage: ShardStorage, meter: RowMeter, closedUntil: number): void {
  writeMeta(storage, meter, CLOSED_UNTIL, closedUntil);
}

/** The hour of an instant, by its first instant. */
export function toHour(at: number): number {
  return at - (at % HOUR);
}

/** Notes an hour; part of the transaction that notes the object as stored. */
export function writeLateHour(storage: ShardStorage, meter: RowMeter, hour: number, sequence: number): void {
  const query = "INSERT INTO late_hours VALUES (?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence";
  run(storage, meter, query, hour, sequence);
}

/**
 * Forgets an hour that was reported, unless another object was stored into it meanwhile.
 * @param sequence - as it was when the report began
 */
export function deleteLateHour(storage: ShardStorage, meter: RowMeter, hour: number, sequence: number): void {
  run(storage, meter, "DELETE FROM late_hours WHERE hour = ? AND sequence = ?", hour, sequence);
}
