/**
 * The one way in which a Compactor writes. Memory follows storage at once, and when it is unknown whether a transaction
 * took effect the instance is abandoned: only storage knows.
 */
import { writeSelf, type Compactor } from "./compactor.ts";

/**
 * Runs a transaction and waits until it is durable.
 * @param write changes storage, and throws to change nothing
 * @param apply lets memory follow
 * @throws what `write` throws, with nothing changed; anything else after the instance was abandoned
 */
export async function commit(
  compactor: Compactor,
  write: () => void,
  apply: () => void = () => undefined,
): Promise<void> {
  const { storage, abandon } = compactor.deps;
  if (compactor.isAbandoned) throw new Error("Cannot write: the Compactor is to be started again");
  let isWritten = false;
  try {
    storage.transactionSync(() => {
      if (!compactor.isWritten) writeSelf(compactor);
      write();
      isWritten = true;
    });
    compactor.isWritten = true;
    apply();
    await storage.sync();
  } catch (error) {
    if (isWritten) {
      compactor.isAbandoned = true;
      abandon(error);
    }
    throw error;
  }
}
