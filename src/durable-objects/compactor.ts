/** The Compactor of a tenant and signal as a Durable Object: storage, RPC and alarm. All rules are in `compaction/`. */
import { DurableObject } from "cloudflare:workers";
import { closeHour } from "../admin/close-hour.ts";
import { toLayout } from "../archive/key.ts";
import { COMPACTION_BOUNDS } from "../compaction/bounds.ts";
import { openCompactor, type Compactor as State, type CompactorDeps } from "../compaction/compactor.ts";
import type {
  CompactorContract,
  CompactorIdentity,
  CompactorStatus,
  WorkOrder,
  WorkReport,
} from "../compaction/contract.ts";
import { reportLate } from "../compaction/late.ts";
import { openMergers } from "../compaction/merge.ts";
import { takeOwnership } from "../compaction/owner.ts";
import { toStatus } from "../compaction/status.ts";
import type { HourKnowledge } from "../compaction/verify/contract.ts";
import { describeHour } from "../compaction/verify/hour-knowledge.ts";
import { onAlarm, queueOrder, work } from "../compaction/work.ts";
import { readBindings, readConfig } from "../config.ts";
import { compactionOf } from "../config/compact-settings.ts";
import { toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import { openArchiveStore, openShardClient } from "./clients.ts";
import { parseCompactorName } from "./compactor-name.ts";

export class Compactor extends DurableObject<Env> implements CompactorContract {
  readonly #compactor: Promise<State>;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#compactor = ctx.blockConcurrencyWhile(() => openCompactor(toCompactorDeps(ctx, env), newIncarnation));
  }

  async work(_identity: CompactorIdentity, order: WorkOrder | null): Promise<WorkReport> {
    return work(await this.#compactor, order);
  }

  async queueOrder(_identity: CompactorIdentity, order: WorkOrder): Promise<void> {
    const compactor = await this.#compactor;
    // The sweep of Compactors: an alarm that was lost is missed here, and what refused may have been put right.
    compactor.alarmAt = await this.ctx.storage.getAlarm();
    compactor.refusal = null;
    await queueOrder(compactor, order);
  }

  async takeOver(_identity: CompactorIdentity): Promise<void> {
    await takeOwnership(await this.#compactor);
  }

  async reportLate(_identity: CompactorIdentity, hour: number): Promise<void> {
    await reportLate(await this.#compactor, hour);
  }

  async status(_identity: CompactorIdentity): Promise<CompactorStatus> {
    return toStatus(await this.#compactor);
  }

  async describeHour(_identity: CompactorIdentity, hour: number): Promise<HourKnowledge> {
    return describeHour(await this.#compactor, hour);
  }

  override async alarm(): Promise<void> {
    await onAlarm(await this.#compactor);
  }
}

function toCompactorDeps(ctx: DurableObjectState, env: Env): CompactorDeps {
  const identity = parseCompactorName(ctx.id.name ?? "");
  if (identity === null)
    throw new Error("Cannot start the Compactor: its name does not say of which tenant and signal");
  const config = readConfig({ ...env });
  const bindings = readBindings(env);
  const client = openShardClient(bindings, config);
  return {
    identity,
    storage: ctx.storage,
    settings: compactionOf(config.compaction, identity.tenant, identity.signal),
    store: openArchiveStore(bindings, config, "compact"),
    layout: toLayout(config.archive, identity.tenant),
    now: () => Date.now(),
    random: () => Math.random(),
    deployment: () => client.directory().deploymentId(),
    closeHour: (hour) => closeHour(client, identity, { hour, now: Date.now() }),
    openMerger: openMergers(),
    bounds: COMPACTION_BOUNDS,
    abandon: (error) => {
      log("error", "compactor.abandoned", { ...identity, error: toErrorMessage(error) });
      ctx.abort("Cannot tell whether a write is durable: starting again from storage");
    },
  };
}

/** 32 random bits in hex (protocol 1). */
function newIncarnation(): string {
  return crypto.getRandomValues(new Uint8Array(4)).toHex();
}
