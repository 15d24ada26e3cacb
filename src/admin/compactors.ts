/** Finding Compactors, and asking many at once. */
import type { DirectoryFilter } from "../buffer/contract.ts";
import type { CompactorContract, CompactorIdentity } from "../compaction/contract.ts";
import { isItemSignal } from "../signal.ts";
import { askEach, walkShards, type Answer, type ShardAccess } from "./fan-out.ts";

/** How to reach the Compactors; the roots know. */
export interface CompactorAccess {
  compactor(identity: CompactorIdentity): CompactorContract;
}

/**
 * Lists the Compactors that have something to look after: each tenant and signal of which there is a shard.
 * @throws FirnError `unavailable` when the Directory cannot be asked
 */
export async function listCompactors(
  access: ShardAccess,
  filter: DirectoryFilter,
): Promise<readonly CompactorIdentity[]> {
  const found = new Map<string, CompactorIdentity>();
  for await (const { tenant, signal } of walkShards(access, filter)) {
    if (isItemSignal(signal)) found.set(`${tenant}/${signal}`, { tenant, signal });
  }
  return [...found.values()];
}

/** Asks Compactors as {@link askEach} does. */
export function askCompactors<T>(
  access: CompactorAccess,
  identities: readonly CompactorIdentity[],
  ask: (compactor: CompactorContract, identity: CompactorIdentity) => Promise<T>,
): Promise<Answer<T, CompactorIdentity>[]> {
  return askEach(identities, (identity) => ask(access.compactor(identity), identity));
}
