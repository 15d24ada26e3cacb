/** `POST /admin/flush`: every shard of a tenant seals and stores what it holds, now. */
import type { FlushReport } from "../buffer/contract.ts";
import { toErrorMessage } from "../errors.ts";
import type { Signal } from "../signal.ts";
import { askShards, type ShardAccess } from "./fan-out.ts";

/** The answer's shape. */
export interface FlushDocument {
  /** Everything that was acknowledged before the call stands in the store. */
  readonly complete: boolean;
  readonly sealed_batches: number;
  readonly stored_objects: number;
  readonly stored_bytes: number;
  readonly remaining_batches: number;
  readonly errors: readonly { readonly signal: Signal; readonly shard: number; readonly message: string }[];
}

/**
 * Flushes a tenant's shards.
 * @param signal - only this one; all without it
 * @throws FirnError `unavailable` when nobody can say which shards there are
 */
export async function flushShards(access: ShardAccess, tenant: string, signal: Signal | null): Promise<FlushDocument> {
  const filter = signal === null ? { tenant } : { tenant, signal };
  const answers = await askShards(access, filter, (shard) => shard.flush());
  const reports = answers.flatMap((answer) => (answer.kind === "answer" ? [answer.value] : []));
  const sum = (pick: (report: FlushReport) => number): number => reports.reduce((total, r) => total + pick(r), 0);
  const errors = answers.flatMap((answer) => {
    const { signal: of, shard } = answer.identity;
    if (answer.kind === "failed") return [{ signal: of, shard, message: toErrorMessage(answer.error) }];
    const { failedBatches, lastError } = answer.value;
    const message = lastError ?? `${failedBatches} batches are not stored`;
    return failedBatches > 0 ? [{ signal: of, shard, message }] : [];
  });
  return {
    complete: errors.length === 0,
    sealed_batches: sum((report) => report.sealedBatches),
    stored_objects: sum((report) => report.storedObjects),
    stored_bytes: sum((report) => report.storedBytes),
    remaining_batches: sum((report) => report.remainingBatches),
    errors,
  };
}
