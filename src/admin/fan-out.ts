/** Asking many shards at once, but never more than the platform gives connections for. */
import type { DirectoryContract, DirectoryFilter, ShardBufferContract, ShardIdentity } from "../buffer/contract.ts";
import { SHARD_FAN_OUT } from "../limits.ts";

/** How to reach the shards; the roots know. */
export interface ShardAccess {
  shard(identity: ShardIdentity): ShardBufferContract;
  directory(): DirectoryContract;
}

/** Walks the Directory, page by page. */
export async function* walkShards(access: ShardAccess, filter: DirectoryFilter): AsyncGenerator<ShardIdentity> {
  let after: string | undefined;
  do {
    const page = await access.directory().list(after === undefined ? filter : { ...filter, after });
    yield* page.shards;
    after = page.cursor;
  } while (after !== undefined);
}

/** What became of one question. */
export type Answer<T> =
  | { readonly kind: "answer"; readonly identity: ShardIdentity; readonly value: T }
  | { readonly kind: "failed"; readonly identity: ShardIdentity; readonly error: unknown };

/**
 * Asks every shard of a walk, `SHARD_FAN_OUT` at a time.
 * @returns one answer a shard, in the order of the walk; a shard that fails doesn't keep the others from being asked
 */
export async function askShards<T>(
  access: ShardAccess,
  filter: DirectoryFilter,
  ask: (shard: ShardBufferContract, identity: ShardIdentity) => Promise<T>,
): Promise<Answer<T>[]> {
  const answers: Promise<Answer<T>>[] = [];
  const running = new Set<Promise<unknown>>();
  for await (const identity of walkShards(access, filter)) {
    if (running.size >= SHARD_FAN_OUT) await Promise.race(running);
    const answer = askShard(access, identity, ask);
    answers.push(answer);
    running.add(answer);
    void answer.then(() => running.delete(answer));
  }
  return Promise.all(answers);
}

async function askShard<T>(
  access: ShardAccess,
  identity: ShardIdentity,
  ask: (shard: ShardBufferContract, identity: ShardIdentity) => Promise<T>,
): Promise<Answer<T>> {
  try {
    return { kind: "answer", identity, value: await ask(access.shard(identity), identity) };
  } catch (error) {
    return { kind: "failed", identity, error };
  }
}
