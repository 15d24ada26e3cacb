/**
 * The one way in which a shard writes. Memory follows storage at once, and when it is unknown whether a transaction
 * took effect the instance is abandoned: memory that says yes may lose something, memory that says no may double it,
 * and only storage knows.
 */
import type { Shard } from "./shard.ts";

/**
 * Runs a transaction and waits until it is durable.
 * @param write - changes storage, and throws to change nothing
 * @param apply - lets memory follow; called as soon as the transaction took effect, before it is durable
 * @throws what `write` throws, with nothing changed; anything else after the instance was abandoned
 */
export async function commit(shard: Shard, write: () => void, apply: () => void): Promise<void> {
  const { storage, abandon } = shard.deps;
  let isWritten = false;
  try {
    storage.transactionSync(() => {
      write();
      isWritten = true;
    });
    apply();
    await storage.sync();
  } catch (error) {
    if (isWritten) abandon(error);
    throw error;
  }
}
