/**
 * Which hours are looked at without anyone having named them: stretches that are walked through hour by hour, stretches
 * without any key in one step where the partitions sort by time (protocol 5.9).
 */
import { manifestFolder } from "../archive/firn-keys.ts";
import { hourListPrefix } from "../archive/key.ts";
import { FirnError } from "../errors.ts";
import { COMPACT_MAX_SCANS, COMPACT_RECENT_HOURS } from "../limits.ts";
import { hoursOf } from "../reader/hours.ts";
import { seekHour } from "../reader/seek.ts";
import { openUsage } from "../reader/usage.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import { noteFailure } from "./attempts.ts";
import { commit } from "./commit.ts";
import { writeCounters, type Compactor, type Scan } from "./compactor.ts";
import type { WorkOrder } from "./contract.ts";
import { retentionEnd } from "./retention.ts";
import { newHour, readHour, writeMeta } from "./schema.ts";
import { visitHour } from "./visit.ts";

/** Where partitions do not sort by time, every hour costs a listing: older ones than these are visited on request. */
const UNORDERED_HOURS: number = 366 * 24;

/** A row is written after so many hours without work: a walk over quiet hours costs little, and repeats little. */
const UNWRITTEN_HOURS = 24;

/** Notes an order durably. @throws FirnError `unavailable` while too many wait */
export async function addOrder(compactor: Compactor, order: WorkOrder): Promise<void> {
  const added = toScans(compactor, order);
  // The cron's own walks are the same each time: what is left of the last one is in the next.
  const others = compactor.scans.filter(({ kind }) => kind === "window" || !added.some((scan) => scan.kind === kind));
  const scans = [...others, ...added];
  if (scans.length > COMPACT_MAX_SCANS) {
    throw new FirnError("unavailable", `Cannot compact the window: ${others.length} others wait`, {
      retryAfterSeconds: 60,
    });
  }
  compactor.isAtGap = scans[0]?.kind !== "recent";
  await writeScans(compactor, scans);
}

function toScans(compactor: Compactor, order: WorkOrder): readonly Scan[] {
  const { now, settings, layout } = compactor.deps;
  const ripe = (order.kind === "window" ? now() : (order.now ?? now())) - settings.delay;
  const recentEnd = ripe - (ripe % HOUR);
  const recentStart = Math.max(0, recentEnd - COMPACT_RECENT_HOURS * HOUR);
  const plain = { isForced: false, isForeign: false };
  if (order.kind === "window") {
    const { start, end, force, foreign } = order;
    const last = Math.min(end, now() + 1);
    if (start >= last) return [];
    return [{ kind: "window", next: start - (start % HOUR), end: last, isForced: force, isForeign: foreign }];
  }
  const kept = retentionEnd(compactor);
  const { retiredUntil } = compactor.counters;
  const retention: Scan[] = kept > retiredUntil ? [{ kind: "retention", next: retiredUntil, end: kept, ...plain }] : [];
  if (order.kind === "recent") return [{ kind: "recent", next: recentStart, end: recentEnd, ...plain }, ...retention];
  const first = layout.partition.isTimeOrdered ? 0 : Math.max(0, recentStart - UNORDERED_HOURS * HOUR);
  return [{ kind: "older", next: first, end: recentStart, ...plain }, ...retention];
}

/** Goes on to the next hour of a walk that has keys, and visits it. An hour that fails is noted, and passed. */
export async function stepScan(compactor: Compactor, scan: Scan): Promise<void> {
  const hour = await seek(compactor, scan);
  if (hour < scan.end) await visit(compactor, scan, hour);
  if (compactor.isAbandoned) return;
  await advance(compactor, scan, hour + HOUR);
}

/** An order may have come meanwhile that replaces the walk, so that it is looked for again. */
async function advance(compactor: Compactor, scan: Scan, next: number): Promise<void> {
  if (!compactor.scans.includes(scan)) return;
  const isOver = next >= scan.end;
  const scans = compactor.scans.flatMap((each) => (each !== scan ? [each] : isOver ? [] : [{ ...scan, next }]));
  if (isOver && scan.kind === "retention") await endRetention(compactor, scan.end, scans);
  else if (isOver || compactor.run !== null || compactor.unwrittenHours >= UNWRITTEN_HOURS) {
    await writeScans(compactor, scans);
  } else {
    compactor.unwrittenHours += 1;
    compactor.scans = scans;
  }
}

async function visit(compactor: Compactor, scan: Scan, hour: number): Promise<void> {
  const { storage, now } = compactor.deps;
  const known = readHour(storage, hour);
  const isOrdered = scan.kind === "window";
  // What failed waits for its time, unless an operator asks.
  if (known !== null && known.nextAttemptAt > now() && !isOrdered) return;
  const row = known ?? newHour(hour);
  const isForced = row.isForced || scan.isForced;
  const isForeign = row.isForeign || scan.isForeign;
  try {
    await visitHour(compactor, { ...row, isWanted: true, isForced, isForeign });
  } catch (error) {
    if (compactor.isAbandoned) throw error;
    if (error instanceof FirnError && (error.kind === "misconfigured" || error.kind === "store_unavailable"))
      throw error;
    await noteFailure(compactor, hour, error);
  }
}

/** The next hour of a walk that has a key, or a manifest in the walk of retention; the end when there is none. */
async function seek({ deps, isAtGap }: Compactor, { next, end, kind }: Scan): Promise<number> {
  const { store, layout, identity } = deps;
  // Where there is data nearly every hour has some.
  if (!isAtGap && kind !== "retention") return next;
  const hours = hoursOf(layout, millis(next), millis(end));
  if (hours.first >= hours.end) return end;
  const prefixOf = (hour: Millis): string =>
    kind === "retention" ? manifestFolder(layout, identity.signal, hour) : hourListPrefix(layout, hour);
  return seekHour({ store, layout, usage: openUsage() }, hours, prefixOf);
}

async function endRetention(compactor: Compactor, end: number, scans: readonly Scan[]): Promise<void> {
  const { storage } = compactor.deps;
  const counters = { ...compactor.counters, retiredUntil: end };
  await commit(
    compactor,
    () => {
      writeCounters(storage, counters);
      writeMeta(storage, "scans", scans);
    },
    () => {
      compactor.counters = counters;
      compactor.scans = scans;
      compactor.unwrittenHours = 0;
    },
  );
}

async function writeScans(compactor: Compactor, scans: readonly Scan[]): Promise<void> {
  await commit(
    compactor,
    () => writeMeta(compactor.deps.storage, "scans", scans),
    () => {
      compactor.scans = scans;
      compactor.unwrittenHours = 0;
    },
  );
}
