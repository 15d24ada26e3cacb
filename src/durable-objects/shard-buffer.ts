/** A shard of the buffer as a Durable Object: storage, RPC and alarm. All rules are in `buffer/`. */
import { DurableObject } from "cloudflare:workers";
import { formatKey, toLayout } from "../archive/key.ts";
import { formatContentType } from "../archive/object-form.ts";
import { append } from "../buffer/append.ts";
import { armAlarm } from "../buffer/alarm.ts";
import type {
  AppendHead,
  AppendOutcome,
  CloseOutcome,
  FlushReport,
  ShardBufferContract,
  ShardIdentity,
  ShardStatus,
} from "../buffer/contract.ts";
import { closeHour } from "../buffer/closing.ts";
import { drain, onAlarm } from "../buffer/flush.ts";
import { readMember } from "../buffer/member-stream.ts";
import { openShard, type FreshObject, type Shard, type ShardDeps } from "../buffer/shard.ts";
import { claimWatermark, toShardStatus } from "../buffer/status.ts";
import { readBindings, readConfig, type Config } from "../config.ts";
import { toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import { isItemSignal } from "../signal.ts";
import { millis, secondsToMillis } from "../units.ts";
import { toFrame } from "./batch-frame.ts";
import { openArchiveStore, openShardClient } from "./clients.ts";

export class ShardBuffer extends DurableObject<Env> implements ShardBufferContract {
  readonly #shard: Promise<Shard>;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#shard = ctx.blockConcurrencyWhile(() => openShard(toShardDeps(ctx, env), newIncarnation));
  }

  async append(head: AppendHead, member: Uint8Array): Promise<AppendOutcome> {
    return append(await this.#shard, head, () => member);
  }

  async appendStream(head: AppendHead, member: ReadableStream<Uint8Array>): Promise<AppendOutcome> {
    try {
      return await append(await this.#shard, head, () => readMember(member, head.memberBytes));
    } finally {
      // Read to its end, or not wanted: a copy, a refusal, a failure. The sender must not wait for a reader.
      if (!member.locked) await member.cancel().catch(() => undefined);
    }
  }

  async flush(): Promise<FlushReport> {
    return drain(await this.#shard, "all");
  }

  async wake(): Promise<{ hasData: boolean; wasAsleep: boolean }> {
    const shard = await this.#shard;
    const hasData = shard.batches.size > 0 || shard.closing.lateHours.size > 0;
    shard.alarmAt = await this.ctx.storage.getAlarm();
    const wasAsleep = hasData && shard.alarmAt === null && shard.draining === null;
    await armAlarm(shard);
    return { hasData, wasAsleep };
  }

  async status(identity: ShardIdentity): Promise<ShardStatus> {
    return toShardStatus(await this.#shard, identity);
  }

  async watermark(): Promise<number> {
    return claimWatermark(await this.#shard);
  }

  async closeHour(end: number): Promise<CloseOutcome> {
    return closeHour(await this.#shard, end);
  }

  override async alarm(): Promise<void> {
    await onAlarm(await this.#shard);
  }
}

function toShardDeps(ctx: DurableObjectState, env: Env): ShardDeps {
  const config = readConfig({ ...env });
  const bindings = readBindings(env);
  const client = openShardClient(bindings, config);
  return {
    storage: ctx.storage,
    settings: {
      flushIntervalMillis: secondsToMillis(config.flushInterval),
      flushMaxBytes: config.flushMaxBytes,
      backlogMaxBytes: config.backlogMaxBytes,
      dedupeWindowMillis: secondsToMillis(config.dedupeWindow),
    },
    now: () => Date.now(),
    random: () => Math.random(),
    store: openArchiveStore(bindings, config, "write"),
    formatObjectKey: (identity, object) => formatFreshKey(config, identity, object),
    toContentType: formatContentType,
    toFrame,
    register: (identity) => client.directory().register(identity),
    reportLate: async ({ tenant, signal }, hours) => {
      // Profiles are not compacted: none of their hours is ever closed.
      if (!isItemSignal(signal)) return;
      for (const hour of hours) await client.compactor({ tenant, signal }).reportLate({ tenant, signal }, hour);
    },
    abandon: (error) => {
      log("error", "shard.abandoned", { name: ctx.id.name ?? "", error: toErrorMessage(error) });
      ctx.abort("Cannot tell whether a write is durable: starting again from storage");
    },
  };
}

function formatFreshKey(config: Config, identity: ShardIdentity, object: FreshObject): string {
  const layout = toLayout(config.archive, identity.tenant);
  const { form, incarnation, sequence } = object;
  const { signal, shard } = identity;
  return formatKey(
    { kind: "fresh", signal, form, sealTime: millis(object.sealedAt), shard, incarnation, sequence },
    layout,
  );
}

/** 32 random bits in hex (protocol 1). */
function newIncarnation(): string {
  return crypto.getRandomValues(new Uint8Array(4)).toHex();
}
