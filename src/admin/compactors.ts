/** Finding Compactors and asking many at once, as many as the platform gives connections for. */
import type { DirectoryFilter } from "../buffer/contract.ts";
import type { CompactorContract, CompactorIdentity } from "../compaction/contract.ts";
import { SHARD_FAN_OUT } from "../limits.ts";
import { isItemSignal } from "../signal.ts";
import { walkShards, type ShardAccess } from "./fan-out.ts";

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

/** What became of one question. */
export type CompactorAnswer<T> =
  | { readonly kind: "answer"; readonly identity: CompactorIdentity; readonly value: T }
  | { readonly kind: "failed"; readonly identity: CompactorIdentity; readonly error: unknown };

/**
 * Asks Compactors, `SHARD_FAN_OUT` at a time.
 * @returns one answer each, in their order; one that fails doesn't keep the others from being asked
 */
export async function askCompactors<T>(
  access: CompactorAccess,
  identities: readonly CompactorIdentity[],
  ask: (compactor: CompactorContract, identity: CompactorIdentity) => Promise<T>,
): Promise<readonly CompactorAnswer<T>[]> {
  const answers: Promise<CompactorAnswer<T>>[] = [];
  const running = new Set<Promise<unknown>>();
  for (const identity of identities) {
    if (running.size >= SHARD_FAN_OUT) await Promise.race(running);
    const answer = askCompactor(access, identity, ask);
    answers.push(answer);
    running.add(answer);
    void answer.then(() => running.delete(answer));
  }
  return Promise.all(answers);
}

async function askCompactor<T>(
  access: CompactorAccess,
  identity: CompactorIdentity,
  ask: (compactor: CompactorContract, identity: CompactorIdentity) => Promise<T>,
): Promise<CompactorAnswer<T>> {
  try {
    return { kind: "answer", identity, value: await ask(access.compactor(identity), identity) };
  } catch (error) {
    return { kind: "failed", identity, error };
  }
}
