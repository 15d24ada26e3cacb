/**
 * Closing an hour (protocol 5.1): every shard of a tenant and signal that the Directory knows is asked for its promise.
 * Waiting for shards has an end; what they store after it is late, and they or a later look at the hour find it.
 */
import type { CompactorIdentity } from "../compaction/contract.ts";
import { toErrorMessage } from "../errors.ts";
import { COMPACT_CLOSE_MAX_DELAY } from "../limits.ts";
import { log } from "../log.ts";
import { HOUR, type Millis } from "../units.ts";
import { askShards, type ShardAccess } from "./fan-out.ts";

/**
 * Asks the shards to close an hour.
 * @param hour - its first instant
 * @returns `closed` when every shard promised and has nothing left to store in it. A shard that cannot be reached, that
 * is of a release without this promise, whose clock is more than five minutes behind the hour's end, or whose store is
 * away leaves it `open`, and so does a Directory that cannot be asked, but for no longer than six hours after its end
 */
export async function closeHour(
  access: ShardAccess,
  { tenant, signal }: CompactorIdentity,
  { hour, now }: { readonly hour: Millis; readonly now: number },
): Promise<"closed" | "open"> {
  const reasons = new Set<string>();
  try {
    // All of them, whatever the first ones say: a promise counts by itself, and the next try finds it kept.
    const answers = await askShards(access, { tenant, signal }, (shard) => shard.closeHour(hour + HOUR));
    for (const answer of answers) {
      if (answer.kind === "failed") reasons.add(toErrorMessage(answer.error));
      else if (answer.value.kind === "refused") reasons.add("the hour's end is ahead of the shard's clock");
      // A kind that a newer release adds is no promise either.
      else if (answer.value.kind !== "promised" || answer.value.pendingBefore) reasons.add("a batch is not stored");
    }
  } catch (error) {
    reasons.add(toErrorMessage(error));
  }
  if (reasons.size === 0) return "closed";
  const isOverdue = now >= hour + HOUR + COMPACT_CLOSE_MAX_DELAY;
  const fields = { tenant, signal, hour: new Date(hour).toISOString(), reasons: [...reasons].join("; ") };
  log(isOverdue ? "warn" : "info", isOverdue ? "hour.closed_late" : "hour.open", fields);
  return isOverdue ? "closed" : "open";
}
