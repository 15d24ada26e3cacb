/**
 * Append (protocol 3): a request enters the shard, once, or not at all. Answers only after the write is durable, for a
 * copy after the write of its original.
 */
import {
  APPEND_IN_FLIGHT_MAX_BYTES,
  BACKLOG_MAX_LONE_BATCHES,
  RETRY_AFTER_BACKLOG,
  RETRY_AFTER_OVERLOAD,
} from "../limits.ts";
import type { AppendHead, AppendOutcome, ShardIdentity } from "./contract.ts";
import { recall } from "./dedupe.ts";
import { HASH_BYTES, type Entry } from "./entries.ts";
import { commitMember } from "./group-commit.ts";
import { holdsOneRequest, type Shard } from "./shard.ts";

/**
 * Stores a member.
 * @param head - what is known before the member is read
 * @param readMember - yields the member's bytes; called only after it was admitted
 * @returns `stored` or `copy` when it is durable, `unavailable` when nothing was stored
 * @throws whatever made the read or the commit fail; nothing was stored then, or a repeat finds it
 */
export async function append(
  shard: Shard,
  head: AppendHead,
  readMember: () => Uint8Array | Promise<Uint8Array>,
): Promise<AppendOutcome> {
  shard.tally.appends += 1;
  const entry = toEntry(head);
  const isDeduped = shard.index.windowMillis > 0;
  const key = toHashKey(entry.hash);
  if (isDeduped) {
    const original = shard.pending.get(key);
    if (original !== undefined) return joinOriginal(shard, entry, original);
    const known = recall(shard.index, shard.deps.storage, shard.batches.keys(), entry.hash);
    if (known !== null) return toCopy(shard, known);
  }
  const refusal = admit(shard, head);
  if (refusal !== null) return refusal;
  const durable = store(shard, head, entry, readMember);
  if (!isDeduped) {
    await durable;
    return { kind: "stored" };
  }
  shard.pending.set(key, durable);
  try {
    await durable;
  } finally {
    shard.pending.delete(key);
  }
  return { kind: "stored" };
}

/** Two requests with equal bodies at once: the second shares the first one's fate, errors included. */
async function joinOriginal(shard: Shard, entry: Entry, original: Promise<void>): Promise<AppendOutcome> {
  await original;
  return toCopy(shard, entry);
}

function toCopy(shard: Shard, { itemCount, rejectedCount }: Pick<Entry, "itemCount" | "rejectedCount">): AppendOutcome {
  shard.tally.copies += 1;
  return { kind: "copy", itemCount, rejectedCount };
}

/**
 * Refuses before a byte of the member is read. A shard that holds nothing takes any member, however low its limit; of
 * members above the limit of what may be under way, one is let in beside the others.
 */
function admit(shard: Shard, head: AppendHead): AppendOutcome | null {
  const { memberBytes } = head;
  const heldBytes = shard.backlogBytes + shard.inFlightBytes;
  const isFull = heldBytes > 0 && heldBytes + memberBytes > shard.deps.settings.backlogMaxBytes;
  if (isFull || hasTooManyBatches(shard, head)) {
    shard.tally.refused += 1;
    return { kind: "unavailable", reason: "backlog", retryAfterSeconds: RETRY_AFTER_BACKLOG };
  }
  const isBusy = isLarge(head) ? shard.isLargeInFlight : shard.inFlightBytes + memberBytes > APPEND_IN_FLIGHT_MAX_BYTES;
  if (!isBusy) return null;
  shard.tally.refused += 1;
  return { kind: "unavailable", reason: "overload", retryAfterSeconds: RETRY_AFTER_OVERLOAD };
}

/** Only where each request is a batch: elsewhere their number follows from the bytes that they hold. */
function hasTooManyBatches(shard: Shard, { identity }: AppendHead): boolean {
  return holdsOneRequest(identity) && shard.batches.size + shard.gathering.length >= BACKLOG_MAX_LONE_BATCHES;
}

function isLarge({ memberBytes }: AppendHead): boolean {
  return memberBytes > APPEND_IN_FLIGHT_MAX_BYTES;
}

/** Counts a member in, or out again. */
function countInFlight(shard: Shard, head: AppendHead, direction: 1 | -1): void {
  if (isLarge(head)) shard.isLargeInFlight = direction === 1;
  else shard.inFlightBytes += direction * head.memberBytes;
}

async function store(
  shard: Shard,
  head: AppendHead,
  entry: Entry,
  readMember: () => Uint8Array | Promise<Uint8Array>,
): Promise<void> {
  countInFlight(shard, head, 1);
  try {
    await ensureRegistered(shard, head.identity);
    const member = await readMember();
    if (member.byteLength !== head.memberBytes) {
      throw new RangeError(`Cannot append: the member has ${member.byteLength} bytes, expected ${head.memberBytes}`);
    }
    await commitMember(shard, { form: head.form, entry, member });
  } finally {
    countInFlight(shard, head, -1);
  }
}

/** The Directory hears of the shard before its first acknowledgement (protocol 1); appends at once share one call. */
async function ensureRegistered(shard: Shard, identity: ShardIdentity): Promise<void> {
  if (shard.writtenFormat > 0) return;
  shard.identity = identity;
  shard.registering ??= shard.deps.register(identity);
  try {
    await shard.registering;
  } catch (error) {
    shard.registering = null;
    throw error;
  }
}

function toEntry(head: AppendHead): Entry {
  const { hash, itemCount, rejectedCount, memberBytes } = head;
  if (hash.byteLength < HASH_BYTES) {
    throw new RangeError(`Cannot append: the hash has ${hash.byteLength} bytes, expected ${HASH_BYTES}`);
  }
  return { hash: hash.subarray(0, HASH_BYTES), itemCount, rejectedCount, memberBytes };
}

/** A map key for a hash: one character a byte. */
function toHashKey(hash: Uint8Array): string {
  return String.fromCharCode(...hash);
}
