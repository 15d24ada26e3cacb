/**
 * Shards, Compactors and a Directory that answer or fail as a test says, since real Durable Objects don't fail when
 * asked to.
 */
import type { ShardAccess } from "../../src/admin/fan-out.ts";
import type { CompactorAccess } from "../../src/admin/compactors.ts";
import type { CompactorContract, CompactorIdentity } from "../../src/compaction/contract.ts";
import type { DirectoryContract, FlushReport, ShardBufferContract, ShardIdentity } from "../../src/buffer/contract.ts";

/** Shards 0 to `count - 1` of the tenant "acme". */
export function makeShards(count: number, signal: ShardIdentity["signal"] = "logs"): readonly ShardIdentity[] {
  return Array.from({ length: count }, (_, shard) => ({ tenant: "acme", signal, shard }));
}

export interface FakeShards {
  readonly shards: readonly ShardIdentity[];
  /** The calls that a test expects; any other one fails. */
  readonly answer?: (identity: ShardIdentity) => Partial<ShardBufferContract>;
  readonly compact?: (identity: CompactorIdentity) => Partial<CompactorContract>;
  /** Shards that one page of the Directory names. */
  readonly pageSize?: number;
}

/** Opens the fake. */
export function openFakeShards({
  shards,
  answer = () => ({}),
  compact = () => ({}),
  pageSize = 3,
}: FakeShards): ShardAccess & CompactorAccess {
  return {
    compactor: (identity) => ({ ...REFUSING_COMPACTOR, ...compact(identity) }),
    shard: (identity) => ({ ...REFUSING_SHARD, ...answer(identity) }),
    directory: () => ({
      ...REFUSING_DIRECTORY,
      list: async ({ tenant, signal, after = "0" }) => {
        const found = shards.filter(
          (shard) => (tenant ?? shard.tenant) === shard.tenant && (signal ?? shard.signal) === shard.signal,
        );
        const end = Number(after) + pageSize;
        const page = found.slice(Number(after), end);
        return end < found.length ? { shards: page, cursor: String(end) } : { shards: page };
      },
    }),
  };
}

/** A Directory that can't be reached. */
export function openLostDirectory(): ShardAccess & CompactorAccess {
  return {
    shard: () => REFUSING_SHARD,
    compactor: () => REFUSING_COMPACTOR,
    directory: () => REFUSING_DIRECTORY,
  };
}

/** A flush that had nothing to do. */
export const EMPTY_FLUSH: FlushReport = {
  sealedBatches: 0,
  storedObjects: 0,
  storedBytes: 0,
  failedBatches: 0,
  remainingBatches: 0,
  lastError: null,
};

async function refuse(): Promise<never> {
  throw new Error("Network connection lost.");
}

const REFUSING_SHARD: ShardBufferContract = {
  append: refuse,
  appendStream: refuse,
  flush: refuse,
  wake: refuse,
  status: refuse,
  watermark: refuse,
  closeHour: refuse,
};
const REFUSING_DIRECTORY: DirectoryContract = { register: refuse, list: refuse, deploymentId: refuse };
const REFUSING_COMPACTOR: CompactorContract = {
  work: refuse,
  queueOrder: refuse,
  takeOver: refuse,
  reportLate: refuse,
  status: refuse,
  describeHour: refuse,
};
