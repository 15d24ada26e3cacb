/** Asking many objects at once, shards above all, but never more than the platform gives connections for. */
import type {
  DirectoryContract,
  DirectoryFilter,
  DirectoryPage,
  ShardBufferContract,
  ShardIdentity,
} from "../buffer/contract.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { SHARD_FAN_OUT } from "../limits.ts";

/** How to reach the shards; the roots know. */
export interface ShardAccess {
  shard(identity: ShardIdentity): ShardBufferContract;
  directory(): DirectoryContract;
}

/** Walks the Directory, page by page. @throws FirnError `unavailable` when it cannot be asked. */
export async function* walkShards(access: ShardAccess, filter: DirectoryFilter): AsyncGenerator<ShardIdentity> {
  let after: string | undefined;
  do {
    const page = await listPage(access, after === undefined ? filter : { ...filter, after });
    yield* page.shards;
    after = page.cursor;
  } while (after !== undefined);
}

async function listPage(access: ShardAccess, filter: DirectoryFilter): Promise<DirectoryPage> {
  try {
    return await access.directory().list(filter);
  } catch (error) {
    const message = `Cannot list the shards: the Directory failed, ask again (${toErrorMessage(error)})`;
    throw new FirnError("unavailable", message, { cause: error });
  }
}

/** What became of one question. */
export type Answer<T, Identity = ShardIdentity> =
  | { readonly kind: "answer"; readonly identity: Identity; readonly value: T }
  | { readonly kind: "failed"; readonly identity: Identity; readonly error: unknown };

/**
 * Asks every shard of a walk, `SHARD_FAN_OUT` at a time.
 * @returns one answer a shard, in the order of the walk; a shard that fails doesn't keep the others from being asked
 * @throws FirnError `unavailable` when the Directory cannot be asked: an answer about some of the shards would mislead
 */
export function askShards<T>(
  access: ShardAccess,
  filter: DirectoryFilter,
  ask: (shard: ShardBufferContract, identity: ShardIdentity) => Promise<T>,
): Promise<Answer<T>[]> {
  return askEach(walkShards(access, filter), (identity) => ask(access.shard(identity), identity));
}

/**
 * Asks each of a sequence, `SHARD_FAN_OUT` at a time.
 * @returns one answer each, in their order; one that fails doesn't keep the others from being asked
 * @throws what the sequence throws
 */
export async function askEach<T, Identity>(
  identities: Iterable<Identity> | AsyncIterable<Identity>,
  ask: (identity: Identity) => Promise<T>,
): Promise<Answer<T, Identity>[]> {
  const answers: Promise<Answer<T, Identity>>[] = [];
  const running = new Set<Promise<unknown>>();
  for await (const identity of identities) {
    if (running.size >= SHARD_FAN_OUT) await Promise.race(running);
    const answer = askOne(identity, ask);
    answers.push(answer);
    running.add(answer);
    void answer.then(() => running.delete(answer));
  }
  return Promise.all(answers);
}

async function askOne<T, Identity>(
  identity: Identity,
  ask: (identity: Identity) => Promise<T>,
): Promise<Answer<T, Identity>> {
  try {
    return { kind: "answer", identity, value: await ask(identity) };
  } catch (error) {
    return { kind: "failed", identity, error };
  }
}
