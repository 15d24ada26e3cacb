/**
 * Group commit (protocol 3.2): appends gather while the write of the previous group is being made durable, and commit
 * together next, in one transaction and few rows. There is no timer: an idle shard commits on the next tick, a busy one
 * as fast as its disk.
 */
import { BATCH_MAX_MEMBERS } from "../limits.ts";
import { armAlarm } from "./alarm.ts";
import { packChunks } from "./chunks.ts";
import { commit } from "./commit.ts";
import type { MemberForm } from "./contract.ts";
import { remember } from "./dedupe.ts";
import { insertBatch, insertChunk, type ChunkRow } from "./schema.ts";
import { writeSelf, type Batch, type Shard, type Waiting } from "./shard.ts";

/** What one commit writes into one batch. */
interface BatchWrite {
  readonly batch: Batch;
  readonly isNew: boolean;
  readonly chunks: readonly ChunkRow[];
}

/** Adds a member to the next group; resolves once it is durable, rejects with the group's failure. */
export function commitMember(shard: Shard, member: Pick<Waiting, "form" | "entry" | "member">): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  shard.gathering.push({ ...member, resolve, reject });
  // The loop never rejects: each group's outcome goes to those who wait for it.
  shard.committing ??= commitGroups(shard);
  return promise;
}

async function commitGroups(shard: Shard): Promise<void> {
  // The next tick: calls that arrived together are in one group, also on an idle shard.
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 0);
  });
  while (shard.gathering.length > 0) {
    const group = shard.gathering;
    shard.gathering = [];
    try {
      await commitGroup(shard, group);
      for (const waiting of group) waiting.resolve();
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
    }
  }
  shard.committing = null;
}

/** One transaction for data and hashes; the hashes enter the index only when it is durable (protocol 3.1). */
async function commitGroup(shard: Shard, group: readonly Waiting[]): Promise<void> {
  const at = shard.deps.now();
  const writes = planWrites(shard, group, at);
  let armed: Promise<void> | undefined;
  await commit(
    shard,
    () => {
      if (!shard.isSelfWritten && shard.identity !== null) writeSelf(shard, shard.identity);
      for (const write of writes) writeBatch(shard, write);
    },
    () => {
      shard.isSelfWritten = true;
      for (const write of writes) applyWrite(shard, write);
      // In the same breath as the rows: the platform makes both durable together.
      armed = armAlarm(shard);
    },
  );
  await armed;
  shard.tally.commits += 1;
  try {
    for (const { entry } of group) remember(shard.index, at, entry);
  } catch (error) {
    // The group is durable and memory does not know it: a retry would be stored again.
    shard.deps.abandon(error);
    throw error;
  }
}

function planWrites(shard: Shard, group: readonly Waiting[], at: number): BatchWrite[] {
  const byForm = Map.groupBy(group, ({ form }) => toFormKey(form));
  let nextId = shard.nextBatchId;
  return [...byForm.values()].flatMap((members): BatchWrite[] => {
    const [first] = members;
    if (first === undefined) return [];
    const chunks = packChunks(members, at);
    const open = findOpenBatch(shard, first.form);
    if (open !== null && hasRoom(shard, open, members)) return [{ batch: open, isNew: false, chunks }];
    if (open !== null) open.isClosed = true;
    const batch = newBatch(nextId, first.form, at);
    nextId += 1;
    return [{ batch, isNew: true, chunks }];
  });
}

function findOpenBatch(shard: Shard, form: MemberForm): Batch | null {
  for (const batch of shard.batches.values()) {
    if (!batch.isClosed && toFormKey(batch.form) === toFormKey(form)) return batch;
  }
  return null;
}

function toFormKey({ marshaler, compression }: MemberForm): string {
  return `${marshaler}+${compression}`;
}

function hasRoom(shard: Shard, batch: Batch, members: readonly Waiting[]): boolean {
  const bytes = members.reduce((sum, { member }) => sum + member.byteLength, batch.memberBytes);
  return bytes <= shard.deps.settings.flushMaxBytes && batch.requestCount + members.length <= BATCH_MAX_MEMBERS;
}

function newBatch(id: number, form: MemberForm, openedAt: number): Batch {
  return {
    id,
    form,
    openedAt,
    memberBytes: 0,
    itemCount: 0,
    requestCount: 0,
    seal: null,
    isClosed: false,
    attempts: 0,
    nextAttemptAt: 0,
  };
}

function writeBatch(shard: Shard, { batch, isNew, chunks }: BatchWrite): void {
  const { storage } = shard.deps;
  if (isNew) insertBatch(storage, shard.meter, batch);
  for (const chunk of chunks) insertChunk(storage, shard.meter, batch.id, chunk);
}

/** Lets memory follow what the transaction did. */
function applyWrite(shard: Shard, { batch, isNew, chunks }: BatchWrite): void {
  if (isNew) {
    shard.batches.set(batch.id, batch);
    shard.nextBatchId = batch.id + 1;
  }
  for (const chunk of chunks) {
    batch.memberBytes += chunk.data.byteLength;
    batch.itemCount += chunk.itemCount;
    batch.requestCount += chunk.requestCount;
    shard.backlogBytes += chunk.data.byteLength;
  }
}
