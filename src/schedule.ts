/** Root of the crons: which event starts what. */
import { wakeCompactors } from "./admin/compaction-cron.ts";
import { sweepShards } from "./admin/sweep.ts";
import type { Bindings, Config } from "./config.ts";
import { openShardClient } from "./durable-objects/clients.ts";
import { log } from "./log.ts";
import { millis } from "./units.ts";

/** Every hour: wakes the Compactors, once the hour before has had its delay. */
const COMPACT_CRON = "7 * * * *";
/** Every five minutes: wakes shards that have data and no alarm. */
const SWEEP_CRON = "*/5 * * * *";

/** What the platform says about a cron event. */
export interface CronEvent {
  readonly cron: string;
  /** The moment for which it was planned, in milliseconds. */
  readonly scheduledTime: number;
}

/** Runs what a cron stands for; one that this release does not know is noted, not an error. */
export async function runCron(event: CronEvent, bindings: Bindings, config: Config): Promise<void> {
  const client = openShardClient(bindings, config);
  if (event.cron === SWEEP_CRON) return sweepShards(client);
  if (event.cron !== COMPACT_CRON) return log("warn", "cron.unknown", { cron: event.cron });
  if (config.compaction.rules.isEnabled) return wakeCompactors(client, millis(event.scheduledTime));
}
