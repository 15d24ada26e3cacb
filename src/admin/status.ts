/** `GET /status`: what a tenant's shards and Compactors hold, have done and complain about. */
import type { ShardStatus } from "../buffer/contract.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import type { Signal } from "../signal.ts";
import { millis, MINUTE, type Millis } from "../units.ts";
import { readCompactionStatus } from "./compaction-status.ts";
import type { CompactorAccess } from "./compactors.ts";
import { askShards, type Answer, type ShardAccess } from "./fan-out.ts";

/** The answer's shape; a field that counts or measures ends in its unit. */
export interface StatusDocument {
  readonly tenant: string;
  /** Up to when each signal's archive is complete (protocol 6.6). */
  readonly watermark: Readonly<Record<Signal, string>>;
  readonly backlog_bytes: number;
  readonly backlog_items: number;
  readonly shards: readonly object[];
  readonly compaction: readonly object[];
}

/**
 * Asks all shards and Compactors of a tenant.
 * @throws FirnError `unavailable` when nobody can say which shards there are
 */
export async function readStatus(
  access: ShardAccess & CompactorAccess,
  tenant: string,
  now: number,
): Promise<StatusDocument> {
  const answers = await askShards(access, { tenant }, (shard, identity) => shard.status(identity));
  const statuses = answers.flatMap((answer) => (answer.kind === "answer" ? [answer.value] : []));
  return {
    tenant,
    watermark: {
      traces: formatWatermark(answers, "traces", now),
      metrics: formatWatermark(answers, "metrics", now),
      logs: formatWatermark(answers, "logs", now),
      profiles: formatWatermark(answers, "profiles", now),
    },
    backlog_bytes: statuses.reduce((sum, status) => sum + status.backlogBytes, 0),
    backlog_items: statuses.reduce((sum, status) => sum + status.backlogItems, 0),
    shards: answers.map(toShardDocument),
    compaction: await readCompactionStatus(access, tenant),
  };
}

/**
 * The earliest minute into which a tenant's signal may still publish: the least of its shards' and of the current
 * minute, in which a shard that does not exist yet may begin.
 * @returns milliseconds, or `"unknown"` when a shard or the Directory could not be asked (protocol 6.6)
 */
export async function readWatermark(
  access: ShardAccess,
  { tenant, signal, now }: { readonly tenant: string; readonly signal: Signal; readonly now: number },
): Promise<Millis | "unknown"> {
  try {
    return earliest(await askShards(access, { tenant, signal }, (shard) => shard.watermark()), now);
  } catch (error) {
    if (!(error instanceof FirnError) || error.kind !== "unavailable") throw error;
    log("warn", "watermark.unknown", { tenant, signal, error: error.message });
    return "unknown";
  }
}

function earliest(answers: readonly Answer<number>[], now: number): Millis | "unknown" {
  let watermark = now - (now % MINUTE);
  for (const answer of answers) {
    if (answer.kind === "failed") return "unknown";
    watermark = Math.min(watermark, answer.value);
  }
  return millis(watermark);
}

function formatWatermark(answers: readonly Answer<ShardStatus>[], signal: Signal, now: number): string {
  const ofSignal = answers
    .filter(({ identity }) => identity.signal === signal)
    .map((answer) => (answer.kind === "failed" ? answer : { ...answer, value: answer.value.watermark }));
  const watermark = earliest(ofSignal, now);
  return watermark === "unknown" ? watermark : formatTime(watermark);
}

function toShardDocument(answer: Answer<ShardStatus>): object {
  const { signal, shard } = answer.identity;
  if (answer.kind === "failed") return { signal, shard, error: toErrorMessage(answer.error) };
  const { counters, lastError, ...status } = answer.value;
  return {
    signal,
    shard,
    incarnation: status.incarnation,
    next_sequence: status.nextSequence,
    backlog_bytes: status.backlogBytes,
    backlog_items: status.backlogItems,
    backlog_batches: status.backlogBatches,
    set_aside_batches: status.setAsideBatches,
    in_flight_bytes: status.inFlightBytes,
    alarm_at: formatTimeOrNull(status.alarmAt),
    watermark: formatTime(status.watermark),
    last_flush_at: formatTimeOrNull(status.lastFlushAt),
    last_object_key: status.lastObjectKey,
    closed_until: formatTimeOrNull(status.closedUntil === 0 ? null : (status.closedUntil ?? null)),
    late_hours: status.lateHours ?? 0,
    last_error: lastError === null ? null : { at: formatTime(lastError.at), message: lastError.message },
    counters: {
      objects_stored: counters.objectsStored,
      bytes_stored: counters.bytesStored,
      items_stored: counters.itemsStored,
      requests_stored: counters.requestsStored,
      appends_since_start: counters.appendsSinceStart,
      copies_since_start: counters.copiesSinceStart,
      refused_since_start: counters.refusedSinceStart,
      commits_since_start: counters.commitsSinceStart,
      rows_written_since_start: counters.rowsWrittenSinceStart,
      store_errors_since_start: counters.storeErrorsSinceStart,
    },
  };
}

function formatTime(at: number): string {
  return new Date(at).toISOString();
}

function formatTimeOrNull(at: number | null): string | null {
  return at === null ? null : formatTime(at);
}
