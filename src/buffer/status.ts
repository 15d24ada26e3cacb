/** What a shard says about itself: its watermark (protocol 6.6) and the numbers of `/status`. */
import { MINUTE } from "../units.ts";
import type { ShardIdentity, ShardStatus } from "./contract.ts";
import { commit } from "./commit.ts";
import { toSealTime } from "./seal.ts";
import { isSetAside, isStranded, writeTotals, type Shard } from "./shard.ts";

/**
 * First instant of the earliest minute into which the shard may still publish: the minute of the oldest sealed batch
 * that is not stored, else the minute in which a seal would fall now.
 */
export function toWatermark(shard: Shard): number {
  let earliest = toSealTime(shard);
  for (const { seal } of shard.batches.values()) {
    if (seal !== null) earliest = Math.min(earliest, seal.sealedAt);
  }
  return earliest - (earliest % MINUTE);
}

/**
 * Tells the watermark and holds the shard to it: whatever the clock does, nothing is sealed below what was told. Costs
 * a row when a new minute is told.
 */
export async function claimWatermark(shard: Shard): Promise<number> {
  const watermark = toWatermark(shard);
  if (watermark > shard.totals.floor && shard.writtenFormat > 0) {
    const totals = { ...shard.totals, floor: watermark };
    await commit(
      shard,
      () => writeTotals(shard, totals),
      () => {
        shard.totals = totals;
      },
    );
  }
  return watermark;
}

/** Describes the shard. @param identity - as the caller knows it, for a shard that has no data yet */
export function toShardStatus(shard: Shard, identity: ShardIdentity): ShardStatus {
  const { totals, tally } = shard;
  const batches = [...shard.batches.values()];
  return {
    identity: shard.identity ?? identity,
    incarnation: shard.incarnation,
    nextSequence: totals.nextSequence,
    backlogBytes: shard.backlogBytes,
    backlogItems: batches.reduce((sum, { itemCount }) => sum + itemCount, 0),
    backlogBatches: batches.length,
    setAsideBatches: batches.filter((batch) => isSetAside(batch) || isStranded(shard, batch)).length,
    inFlightBytes: shard.inFlightBytes,
    alarmAt: shard.alarmAt,
    watermark: toWatermark(shard),
    lastFlushAt: totals.lastFlushAt,
    lastObjectKey: totals.lastObjectKey,
    lastError: shard.lastError,
    closedUntil: shard.closing.closedUntil,
    lateHours: shard.closing.lateHours.size,
    counters: {
      objectsStored: totals.objectsStored,
      bytesStored: totals.bytesStored,
      itemsStored: totals.itemsStored,
      requestsStored: totals.requestsStored,
      appendsSinceStart: tally.appends,
      copiesSinceStart: tally.copies,
      refusedSinceStart: tally.refused,
      commitsSinceStart: tally.commits,
      rowsWrittenSinceStart: tally.rowsWritten,
      storeErrorsSinceStart: tally.storeErrors,
    },
  };
}
