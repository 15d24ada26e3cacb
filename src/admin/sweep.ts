/** The sweep (protocol 1): wakes every shard that has data and no alarm, whatever the settings say today. */
import { toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import { askShards, type ShardAccess } from "./fan-out.ts";

/** Asks every shard of the Directory to look after its alarm; one that fails is asked again by the next sweep. */
export async function sweepShards(access: ShardAccess): Promise<void> {
  const answers = await askShards(access, {}, (shard) => shard.wake());
  for (const answer of answers) {
    const { tenant, signal, shard } = answer.identity;
    if (answer.kind === "failed") {
      log("error", "sweep.failed", { tenant, signal, shard, error: toErrorMessage(answer.error) });
    } else if (answer.value.wasAsleep) {
      log("warn", "sweep.woken", { tenant, signal, shard });
    }
  }
  log("info", "sweep.done", { shards: answers.length });
}
