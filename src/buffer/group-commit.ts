/**
 * Group commit (protocol 3.2): appends gather while the write of the previous group is being made durable, and commit
 * together next, in one transaction and few rows. There is no timer: an idle shard commits on the next tick, a busy one
 * as fast as its disk.
 */
import { BATCH_MAX_MEMBERS } from "../limits.ts";
import { armAlarm } from "./alarm.ts";
import { packChunks, packedBytes, type PackedMember } from "./chunks.ts";
import { commit } from "./commit.ts";
import type { MemberForm, ShardIdentity } from "./contract.ts";
import { remember } from "./dedupe.ts";
import { insertBatch, insertChunk, SCHEMA_FORMAT, SCHEMA_FORMAT_PLAIN, type ChunkRow } from "./schema.ts";
import { holdsOneRequest, objectBytes, writeSelf, type Batch, type Shard, type Waiting } from "./shard.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

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
  const { identity } = shard;
  if (identity === null) throw new Error("Cannot commit members: the shard does not know who it is");
  const writes = planWrites(shard, { identity, group, at });
  const isPlain = !holdsOneRequest(identity) && writes.every(({ batch }) => batch.frame === null);
  const format = isPlain ? SCHEMA_FORMAT_PLAIN : SCHEMA_FORMAT;
  let armed: Promise<void> | undefined;
  await commit(
    shard,
    () => {
      if (format > shard.writtenFormat) writeSelf(shard, identity, format);
      for (const write of writes) writeBatch(shard, write);
    },
    () => {
      shard.writtenFormat = Math.max(shard.writtenFormat, format);
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

interface Gathered {
  readonly identity: ShardIdentity;
  readonly group: readonly Waiting[];
  readonly at: number;
}

function planWrites(shard: Shard, { identity, group, at }: Gathered): BatchWrite[] {
  let nextId = shard.nextBatchId;
  const openBatch = (form: MemberForm): Batch =>
    newBatch({ id: nextId++, form, frame: shard.deps.toFrame(identity, form), openedAt: at });
  if (holdsOneRequest(identity)) {
    return group.map((member) =>
      toWrite({ ...openBatch(member.form), isClosed: true }, true, { members: [member], at }),
    );
  }
  const byForm = Map.groupBy(group, ({ form }) => toFormKey(form));
  return [...byForm.values()].flatMap((members): BatchWrite[] => {
    const [first] = members;
    if (first === undefined) return [];
    const open = findOpenBatch(shard, first.form);
    if (open !== null && hasRoom(shard, open, members)) return [toWrite(open, false, { members, at })];
    if (open !== null) open.isClosed = true;
    return [toWrite(openBatch(first.form), true, { members, at })];
  });
}

interface Members {
  readonly members: readonly Waiting[];
  readonly at: number;
}

function toWrite(batch: Batch, isNew: boolean, { members, at }: Members): BatchWrite {
  return { batch, isNew, chunks: packChunks(frameMembers(batch, isNew, members), at) };
}

/** Puts the head before the first member of a batch, the separator before every other one. */
function frameMembers({ frame }: Batch, isNew: boolean, members: readonly Waiting[]): PackedMember[] {
  const { head, separator } = frame ?? { head: NOTHING, separator: NOTHING };
  return members.map(({ entry, member }, index) => ({
    entry,
    member,
    prefix: isNew && index === 0 ? head : separator,
  }));
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
  const added = frameMembers(batch, false, members);
  const bytes = added.reduce((sum, packed) => sum + packedBytes(packed), objectBytes(batch));
  return bytes <= shard.deps.settings.flushMaxBytes && batch.requestCount + members.length <= BATCH_MAX_MEMBERS;
}

function newBatch(opened: Pick<Batch, "id" | "form" | "frame" | "openedAt">): Batch {
  return {
    ...opened,
    memberBytes: 0,
    itemCount: 0,
    requestCount: 0,
    seal: null,
    md5: null,
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
