/** Root of the crons: which event starts what. */
import { sweepShards } from "./admin/sweep.ts";
import type { Bindings, Config } from "./config.ts";
import { openShardClient } from "./durable-objects/clients.ts";
import { log } from "./log.ts";

/** Every five minutes: wakes shards that have data and no alarm. */
const SWEEP_CRON = "*/5 * * * *";

/** Runs what a cron stands for; one that this release does not know is noted, not an error. */
export async function runCron(cron: string, bindings: Bindings, config: Config): Promise<void> {
  if (cron === SWEEP_CRON) return sweepShards(openShardClient(bindings, config));
  log("warn", "cron.unknown", { cron });
}
