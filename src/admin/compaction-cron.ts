/**
 * The hourly cron of compaction: wakes every Compactor and does not wait for its work, which its alarm goes on with.
 * Once a month the older hours are walked through, too (protocol 5.9).
 */
import type { WorkOrder } from "../compaction/contract.ts";
import { toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import type { Millis } from "../units.ts";
import { askCompactors, listCompactors, type CompactorAccess } from "./compactors.ts";
import type { ShardAccess } from "./fan-out.ts";

/**
 * Wakes the Compactors of all tenants and signals in the Directory; one that fails is asked again an hour later.
 * @param now - the time that the event was scheduled for: it says which hours are due, so that a test need not wait for
 * them. Whether an hour is over and closed is the clock's and the shards' word: a time far ahead compacts nothing early
 */
export async function wakeCompactors(access: ShardAccess & CompactorAccess, now: Millis): Promise<void> {
  const orders = planOrders(now);
  const identities = await listCompactors(access, {});
  const answers = await askCompactors(access, identities, async (compactor, identity) => {
    for (const order of orders) await compactor.queueOrder(identity, order);
  });
  for (const answer of answers) {
    if (answer.kind === "answer") continue;
    log("error", "compaction.not_woken", { ...answer.identity, error: toErrorMessage(answer.error) });
  }
  log("info", "compaction.woken", { compactors: answers.length });
}

function planOrders(now: Millis): readonly WorkOrder[] {
  const at = new Date(now);
  const isMonthly = at.getUTCDate() === 1 && at.getUTCHours() === 0;
  return isMonthly
    ? [
        { kind: "recent", now },
        { kind: "older", now },
      ]
    : [{ kind: "recent", now }];
}
