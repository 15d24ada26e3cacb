/** How a scrub reaches the store and the Compactors of a tenant. */
import { toLayout } from "../archive/key.ts";
import type { VerifyDeps, VerifyOrder } from "../compaction/verify/contract.ts";
import type { Bindings, Config } from "../config.ts";
import { toErrorMessage } from "../errors.ts";
import { VERIFY_MAX_STORE_CALLS } from "../limits.ts";
import { log } from "../log.ts";
import { secondsToMillis } from "../units.ts";
import { openArchiveStore, openShardClient } from "./clients.ts";

/** Whose archive is verified, and for whom. */
export interface VerifyPlace {
  readonly bindings: Bindings;
  readonly config: Config;
  readonly tenant: string;
  readonly client: AbortSignal;
}

/** Opens what a scrub asks; only one that repairs has rights to write and delete. */
export function openVerifyDeps(order: VerifyOrder, { bindings, config, tenant, client }: VerifyPlace): VerifyDeps {
  const durable = openShardClient(bindings, config);
  const { grace, foreign, bucketExpiration } = config.compaction.rules;
  return {
    store: openArchiveStore(bindings, config, order.isRepairing ? "compact" : "read"),
    layout: toLayout(config.archive, tenant),
    now: () => Date.now(),
    grace,
    foreign,
    bucketExpiration,
    bodyTimeout: secondsToMillis(config.storeTimeout),
    maxStoreCalls: VERIFY_MAX_STORE_CALLS,
    client,
    deployment: () => durable.directory().deploymentId(),
    askCompactor: async (signal, hour) => {
      const identity = { tenant, signal };
      try {
        return await durable.compactor(identity).describeHour(identity, hour);
      } catch (error) {
        // The bucket is verified all the same; only what needs the Compactor's word stays as it is.
        log("warn", "verify.compactor_silent", { tenant, signal, hour, error: toErrorMessage(error) });
        return null;
      }
    },
    mirror: async (signal) => {
      const identity = { tenant, signal };
      await durable.compactor(identity).work(identity, null);
    },
  };
}
