/**
 * Reads an output from its first byte to its last, once: {@link walkOutput}. Its digest is taken on the way, each
 * member is inflated and held against its entries, and its items are counted and digested by minute. In memory of one
 * member.
 */
import type { ManifestOutput } from "../../archive/manifest-output.ts";
import { decodeMemberEntry, type MemberEntry, type TableMember } from "../../archive/member-table.ts";
import type { ObjectForm } from "../../archive/object-form.ts";
import { openWindow, type ByteWindow } from "../../compression/byte-source.ts";
import { scanEntries } from "../../compression/entry-scan.ts";
import { literalMember, type Compression } from "../../compression/member.ts";
import { FirnError, toErrorMessage } from "../../errors.ts";
import { VERIFY_MEMBER_MAX_BYTES } from "../../limits.ts";
import { openItemDigest, type ItemDigestValue } from "../../otlp/item-digest.ts";
import { openEventTimes, openServiceNames, type EventTimes } from "../../otlp/item-facts.ts";
import { iterateItems } from "../../otlp/items.ts";
import { JSON_TAIL } from "../../otlp/json/envelope.ts";
import { openTraceHashes } from "../../otlp/trace-ids.ts";
import { openMember } from "../../reader/hour-member.ts";
import { openBody } from "../../reader/object-body.ts";
import { readJsonFields, readProtobufFields, toRunDocument } from "../../reader/object-fields.ts";
import type { ItemSignal } from "../../signal.ts";
import type { HourContext } from "./hour-context.ts";
import { openSha256, type Sha256Sink } from "./sha256-sink.ts";

/** An output and the members that its table lists. */
export interface WalkedOutput {
  readonly output: Pick<ManifestOutput, "key" | "sizeBytes">;
  readonly form: ObjectForm;
  readonly signal: ItemSignal;
  readonly members: readonly TableMember[];
  /** Whether the traces of each member are wanted: four bytes of memory each. */
  readonly gathersTraces?: boolean;
}

/** What an output holds. */
export interface WalkResult extends EventTimes {
  readonly sha256Hex: string;
  readonly rawBytes: number;
  /** By minute of the hour. */
  readonly minutes: ReadonlyMap<number, ItemDigestValue>;
  readonly services: readonly string[] | null;
  /** Of each member; empty unless they were wanted. */
  readonly traceHashes: readonly Uint32Array[];
}

/** What is gathered of an output. */
interface Gathered {
  readonly minutes: Map<number, ItemDigestValue>;
  readonly times: ReturnType<typeof openEventTimes>;
  readonly services: ReturnType<typeof openServiceNames>;
  readonly traceHashes: Uint32Array[];
}

/**
 * Walks an output.
 * @throws FirnError `corrupt_object` where it is not what its entries say, and what the store throws
 */
export async function walkOutput({ source, deps, counts }: HourContext, walked: WalkedOutput): Promise<WalkResult> {
  const { output, form, signal, members } = walked;
  source.usage.storeCalls += 1;
  const body = openBody(await source.store.get(output.key), output.sizeBytes, deps.bodyTimeout);
  const sink = openSha256();
  const input = openWindow(tee(body.read(), sink));
  const gathered: Gathered = {
    minutes: new Map(),
    times: openEventTimes(signal),
    services: openServiceNames(),
    traceHashes: [],
  };
  let rawBytes = 0;
  try {
    for (const member of members) {
      await naming(member.offset, async () =>
        readMember(await takeBytes(input, member.storedBytes), walked, { member, gathered }),
      );
      rawBytes += member.rawBytes;
      counts.members += 1;
      counts.items += member.itemCount;
    }
    rawBytes += await checkTail(input, form);
    counts.bytes += output.sizeBytes;
    const sha256Hex = await sink.end();
    const { minutes, times, services, traceHashes } = gathered;
    return { sha256Hex, rawBytes, minutes, ...times.toTimes(), services: services.toList(), traceHashes };
  } catch (error) {
    await sink.abort();
    throw error;
  } finally {
    await input.close();
    await body.close();
  }
}

async function* tee(pieces: AsyncIterable<Uint8Array>, sink: Sha256Sink): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of pieces) {
    await sink.add(piece);
    yield piece;
  }
}

async function takeBytes(input: ByteWindow, count: number): Promise<Uint8Array> {
  if (count > VERIFY_MEMBER_MAX_BYTES)
    throw corrupt(`it has ${count} bytes, expected at most ${VERIFY_MEMBER_MAX_BYTES}`);
  if (!(await input.fill(count))) throw corrupt("the object ends inside of it");
  const taken = input.view().subarray(0, count);
  input.consume(count);
  return taken;
}

interface MemberPlace {
  readonly member: TableMember;
  readonly gathered: Gathered;
}

async function readMember(stored: Uint8Array, walked: WalkedOutput, place: MemberPlace): Promise<void> {
  const { form, signal, gathersTraces = false } = walked;
  const { member, gathered } = place;
  const { compression } = form;
  checkEntry(await readEntry(stored, compression), member);
  const usage = { storeCalls: 0, objectCount: 0, storedBytes: 0, rawBytes: 0 };
  const reader = openMember(stored, { compression, rawBytes: member.rawBytes, usage });
  const traces = gathersTraces ? openTraceHashes() : null;
  const times = openEventTimes(signal, traces);
  try {
    let from = 0;
    for (const { minute, itemCount, rawBytes } of member.runs) {
      const pieces = reader.take(from, from + rawBytes);
      const before = gathered.minutes.get(minute);
      const after = await readRun(pieces, { form, signal, before, services: gathered.services, times });
      const found = after.itemCount - (before?.itemCount ?? 0);
      if (found !== itemCount) throw corrupt(`minute ${minute} has ${found} items, but its entry says ${itemCount}`);
      gathered.minutes.set(minute, after);
      from += rawBytes;
    }
    await reader.end();
  } finally {
    await reader.close();
  }
  if (traces !== null) gathered.traceHashes.push(traces.take());
  const { minTimeUnixNano, maxTimeUnixNano } = times.toTimes();
  if (minTimeUnixNano !== member.minTimeUnixNano || maxTimeUnixNano !== member.maxTimeUnixNano) {
    throw corrupt("its items have other event times than its entry says");
  }
  gathered.times.merge({ minTimeUnixNano, maxTimeUnixNano });
}

/** The entry that stands in the object itself. */
async function readEntry(stored: Uint8Array, compression: Compression): Promise<MemberEntry> {
  if (compression === "none") throw corrupt("it is not compressed");
  for await (const { offset, entry } of scanEntries(once(stored), compression)) {
    if (offset === 0) return decodeMemberEntry(entry);
    break;
  }
  throw corrupt("it begins with no entry");
}

function checkEntry(entry: MemberEntry, member: TableMember): void {
  const isSame =
    entry.rawBytes === member.rawBytes &&
    entry.itemCount === member.itemCount &&
    entry.minTimeUnixNano === member.minTimeUnixNano &&
    entry.maxTimeUnixNano === member.maxTimeUnixNano &&
    JSON.stringify(entry.runs) === JSON.stringify(member.runs);
  if (!isSame) throw corrupt("the entry in the object is not the one of the member table");
}

interface RunPlace {
  readonly form: ObjectForm;
  readonly signal: ItemSignal;
  readonly before: ItemDigestValue | undefined;
  readonly services: Gathered["services"];
  readonly times: Gathered["times"];
}

async function readRun(
  pieces: AsyncGenerator<Uint8Array, void, void>,
  { form, signal, before, services, times }: RunPlace,
): Promise<ItemDigestValue> {
  const isJson = form.marshaler === "otlp_json";
  const runs = isJson ? readJsonFields(toRunDocument(pieces, signal), signal) : readProtobufFields(pieces, signal);
  const digest = openItemDigest(before);
  for await (const { fields } of runs) {
    for (const { field } of fields) {
      for (const item of iterateItems(signal, field)) {
        digest.add(item);
        times.add(item);
        services.add(item);
      }
    }
    digest.release();
  }
  return digest.toValue();
}

/** What ends a JSON document; nothing else stands behind the last member. @returns its raw bytes */
async function checkTail(input: ByteWindow, { marshaler, compression }: ObjectForm): Promise<number> {
  const isJson = marshaler === "otlp_json" && compression !== "none";
  const tail = isJson ? literalMember(JSON_TAIL, compression) : new Uint8Array(0);
  const hasMore = await input.fill(tail.length + 1);
  const found = input.view();
  const isTail = !hasMore && found.length === tail.length && tail.every((byte, index) => found[index] === byte);
  if (!isTail) throw corrupt("other bytes stand behind the last member than the end of a document");
  input.consume(tail.length);
  return isJson ? JSON_TAIL.length : 0;
}

async function* once(stored: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield stored;
}

/** Says in an error of which member it is. */
async function naming(offset: number, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof FirnError) || error.kind !== "corrupt_object") throw error;
    throw new FirnError("corrupt_object", `in the member at byte ${offset}: ${toErrorMessage(error)}`, {
      cause: error,
    });
  }
}

function corrupt(found: string): FirnError {
  return new FirnError("corrupt_object", found);
}
