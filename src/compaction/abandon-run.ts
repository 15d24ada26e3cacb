/**
 * Gives an attempt up: what it wrote goes to the trash, which is emptied before anything else is begun (protocol 5.3).
 */
import { formatMembersKey, formatTraceIndexKey } from "../archive/firn-keys.ts";
import { parseKey } from "../archive/key.ts";
import { commit } from "./commit.ts";
import { writeRun, type Compactor } from "./compactor.ts";
import { insertTrash, insertUnreadable, type TrashRow, type UnreadableRow } from "./ledger.ts";
import { clearRun, readOutputs } from "./output-rows.ts";
import { writeProgress } from "./schema.ts";

/**
 * Gives the run up; its hour stays as it is.
 * @param unreadable a source because of which it is given up, noted in the same transaction
 */
export async function abandonRun(compactor: Compactor, unreadable: UnreadableRow | null = null): Promise<void> {
  const { storage, layout, now } = compactor.deps;
  const dueAt = now();
  const trash = readOutputs(storage).flatMap(({ key, uploadId }): TrashRow[] => {
    const own = parseKey(key, layout);
    const object = { key, uploadId, dueAt };
    if (own?.kind !== "compacted") return [object];
    const files = [formatMembersKey(own, layout), formatTraceIndexKey(own, layout)];
    return [object, ...files.map((file) => ({ key: file, uploadId: null, dueAt }))];
  });
  await commit(
    compactor,
    () => {
      insertTrash(storage, trash);
      if (unreadable !== null) {
        insertUnreadable(storage, unreadable);
        // One object fewer to take is progress: an hour with many damaged ones is not set aside for them.
        writeProgress(storage, unreadable.hour);
      }
      clearRun(storage);
      writeRun(storage, null);
    },
    () => {
      compactor.run = null;
    },
  );
}
