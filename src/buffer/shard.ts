/**
 * The state of one shard in memory: a cache of its storage, rebuilt by {@link openShard} after every eviction. The
 * other files of this room are functions over it; `durable-objects/shard-buffer.ts` owns the one instance.
 */
import { FirnError } from "../errors.ts";
import { FLUSH_SET_ASIDE_ATTEMPTS } from "../limits.ts";
import type { ObjectStore } from "../object-store/contract.ts";
import { isItemSignal } from "../signal.ts";
import type { MemberForm, ShardIdentity } from "./contract.ts";
import { loadDedupeIndex, openDedupeIndex, type DedupeIndex } from "./dedupe.ts";
import { toBackoff } from "./back-off.ts";
import type { PackedMember } from "./chunks.ts";
import { loadClosing, type Closing } from "./late-hours.ts";
import {
  createTables,
  readBatches,
  readBatchSums,
  readMeta,
  SCHEMA_FORMAT,
  writeMeta,
  type RowMeter,
  type Seal,
  type ShardStorage,
} from "./schema.ts";
import { formatShardName, parseShardName } from "./shard-name.ts";

/**
 * What makes one document of the members of a batch, each piece a member of the batch's compression. Rows hold the head
 * before the first member and the separator before every other one; the tail is added to a sealed batch and stands in
 * no row. The same arguments must give the same bytes for ever: a sealed batch is sent again with its old digest.
 */
export interface BatchFrame {
  readonly head: Uint8Array;
  readonly separator: Uint8Array;
  readonly tail: Uint8Array;
}

/** Settings that a shard follows, in milliseconds and bytes. */
export interface ShardSettings {
  readonly flushIntervalMillis: number;
  readonly flushMaxBytes: number;
  readonly backlogMaxBytes: number;
  readonly dedupeWindowMillis: number;
}

/** What a shard is given from outside; time and chance are arguments (STYLE 1.3). */
export interface ShardDeps {
  readonly storage: ShardStorage;
  readonly settings: ShardSettings;
  readonly now: () => number;
  /** Uniform in [0, 1): spreads retries. */
  readonly random: () => number;
  /** The store that new seals go to. */
  readonly store: ObjectStore;
  /** Key of a fresh object (archive/key.ts). */
  readonly formatObjectKey: (identity: ShardIdentity, object: FreshObject) => string;
  /** Content type of an object of this form. */
  readonly toContentType: (form: MemberForm) => string;
  /** What joins the members of batches of this form; `null` where members concatenate as they are. */
  readonly toFrame: (identity: ShardIdentity, form: MemberForm) => BatchFrame | null;
  /** Makes the shard known to the Directory; called before the first acknowledgement. */
  readonly register: (identity: ShardIdentity) => Promise<void>;
  /** Tells the Compactor that objects were stored into closed hours; resolves once it will not forget that. */
  readonly reportLate: (identity: ShardIdentity, hours: readonly number[]) => Promise<void>;
  /** Throws this instance away: the next call meets one that was started from storage. */
  readonly abandon: (error: unknown) => void;
}

/** What the name of a fresh object is made of. */
export interface FreshObject {
  readonly form: MemberForm;
  readonly sealedAt: number;
  readonly incarnation: string;
  readonly sequence: number;
}

/** A request that waits for its commit. */
export interface Waiting extends Omit<PackedMember, "prefix"> {
  readonly form: MemberForm;
  resolve(): void;
  reject(error: unknown): void;
}

/** A batch: a row of `batches` with what memory knows of it. */
export interface Batch {
  readonly id: number;
  readonly form: MemberForm;
  readonly frame: BatchFrame | null;
  readonly openedAt: number;
  /** Bytes in its rows: members with what its frame puts before them. */
  memberBytes: number;
  itemCount: number;
  requestCount: number;
  seal: Seal | null;
  /** MD5 of the sealed bytes, for a store that sends it; only in memory: a pass over the rows makes it again. */
  md5: Uint8Array | null;
  /**
   * Takes no more members. Only in memory: an unsealed batch may be filled on after a crash, but for one that holds a
   * request alone.
   */
  isClosed: boolean;
  /** PUTs tried so far, kept durably before each one. */
  attempts: number;
  /** Not tried again before this moment. */
  nextAttemptAt: number;
}

/** Totals that are kept in storage, written when a batch is sealed or stored. */
export interface Totals {
  readonly nextSequence: number;
  /** Never again a seal time before this: a promise, a watermark that was told, or the last seal (protocol 5.1). */
  readonly floor: number;
  readonly objectsStored: number;
  readonly bytesStored: number;
  readonly itemsStored: number;
  readonly requestsStored: number;
  readonly lastFlushAt: number | null;
  readonly lastObjectKey: string | null;
}

/** Counted in memory since the shard was started. */
export interface Tally {
  appends: number;
  copies: number;
  refused: number;
  commits: number;
  rowsWritten: number;
  storeErrors: number;
}

/** One shard. */
export interface Shard {
  readonly deps: ShardDeps;
  readonly incarnation: string;
  readonly meter: RowMeter;
  readonly batches: Map<number, Batch>;
  readonly index: DedupeIndex;
  /** Requests that are being made durable, by hash; copies wait for them. */
  readonly pending: Map<string, Promise<void>>;
  readonly tally: Tally;
  readonly closing: Closing;
  identity: ShardIdentity | null;
  /** Format with which storage says who the shard is; 0 while it does not: it does once the Directory knows it. */
  writtenFormat: number;
  registering: Promise<void> | null;
  totals: Totals;
  nextBatchId: number;
  /** Members that gather for the next commit. */
  gathering: Waiting[];
  /** The loop that commits groups, while there are any. */
  committing: Promise<void> | null;
  /** Bytes of members that were admitted and are not durable yet, but for the one in `isLargeInFlight`. */
  inFlightBytes: number;
  /** A member above the limit for all of them is under way. */
  isLargeInFlight: boolean;
  /** Bytes that are durable here and not stored as objects yet. */
  backlogBytes: number;
  alarmAt: number | null;
  /** Failures of the store in a row, and the moment until which it is left alone. */
  storeFailures: number;
  storeRetryAt: number;
  draining: Promise<unknown> | null;
  lastError: { readonly at: number; readonly message: string } | null;
}

/**
 * Starts a shard from its storage. On empty storage nothing is written until the first member arrives.
 * @throws FirnError `unknown_format` when a newer release wrote the storage.
 */
export async function openShard(deps: ShardDeps, newIncarnation: () => string): Promise<Shard> {
  createTables(deps.storage);
  const self = readSelf(deps.storage);
  const tally: Tally = { appends: 0, copies: 0, refused: 0, commits: 0, rowsWritten: 0, storeErrors: 0 };
  const batches = new Map(loadBatches(deps, self?.identity ?? null).map((batch) => [batch.id, batch]));
  const index = openDedupeIndex(deps.settings.dedupeWindowMillis);
  loadDedupeIndex(index, deps.storage, [...batches.keys()], deps.now());
  return {
    deps,
    incarnation: self?.incarnation ?? newIncarnation(),
    meter: (rows) => (tally.rowsWritten += rows),
    batches,
    index,
    pending: new Map(),
    tally,
    closing: loadClosing(deps.storage),
    identity: self?.identity ?? null,
    writtenFormat: self?.format ?? 0,
    registering: null,
    totals: readTotals(deps.storage),
    nextBatchId: Math.max(0, ...batches.keys()) + 1,
    gathering: [],
    committing: null,
    inFlightBytes: 0,
    isLargeInFlight: false,
    backlogBytes: [...batches.values()].reduce((sum, { memberBytes }) => sum + memberBytes, 0),
    alarmAt: await deps.storage.getAlarm(),
    storeFailures: 0,
    storeRetryAt: 0,
    draining: null,
    lastError: null,
  };
}

function loadBatches(deps: ShardDeps, identity: ShardIdentity | null): Batch[] {
  const rows = readBatches(deps.storage);
  if (identity === null) {
    // The transaction of the first member writes the name.
    if (rows.length > 0) throw new Error("Cannot start the shard: it holds batches, but no name");
    return [];
  }
  return rows.map((row) => ({
    ...row,
    ...readBatchSums(deps.storage, row.id),
    frame: deps.toFrame(identity, row.form),
    md5: null,
    isClosed: row.seal !== null || holdsOneRequest(identity),
    // A batch that was being tried when the shard died may be what killed it: the next try waits (protocol 3.5).
    nextAttemptAt: row.attempts > 1 ? deps.now() + toBackoff(row.attempts, deps.random()) : 0,
  }));
}

/** Whether each request is an object of its own: those of profiles do not concatenate (protocol 2). */
export function holdsOneRequest({ signal }: ShardIdentity): boolean {
  return !isItemSignal(signal);
}

/** Length of the object that a batch would be now. */
export function objectBytes({ memberBytes, frame }: Batch): number {
  return memberBytes + (frame?.tail.byteLength ?? 0);
}

/** Whether a batch failed so often that it is shown to the operator; it is still tried, at the longest back-off. */
export function isSetAside(batch: Batch): boolean {
  return batch.attempts >= FLUSH_SET_ASIDE_ATTEMPTS;
}

/** Whether a batch was sealed for another store than the settings name: it waits until they name it again. */
export function isStranded(shard: Shard, { seal }: Batch): boolean {
  return seal !== null && seal.store !== shard.deps.store.identity;
}

interface Self {
  readonly format: number;
  readonly incarnation: string;
  readonly identity: ShardIdentity;
}

/** Who a shard is, as its storage says; `null` before the first member. */
function readSelf(storage: ShardStorage): Self | null {
  const value = readMeta(storage, "shard");
  if (value === undefined) return null;
  const { format, incarnation, name } = toRecord(value);
  const identity = typeof name === "string" ? parseShardName(name) : null;
  if (typeof format !== "number" || format > SCHEMA_FORMAT || typeof incarnation !== "string" || identity === null) {
    throw new FirnError("unknown_format", `Cannot start the shard: found format ${String(format)}, expected 1 or 2`);
  }
  return { format, incarnation, identity };
}

/** Notes who the shard is and in which format; part of the transaction of the first member that needs the format. */
export function writeSelf(shard: Shard, identity: ShardIdentity, format: number): void {
  const self = { format, incarnation: shard.incarnation, name: formatShardName(identity) };
  writeMeta(shard.deps.storage, shard.meter, "shard", self);
}

function readTotals(storage: ShardStorage): Totals {
  const found = toRecord(readMeta(storage, "totals") ?? {});
  const number = (name: string, fallback: number): number => {
    const value = found[name];
    return typeof value === "number" ? value : fallback;
  };
  const { lastFlushAt, lastObjectKey } = found;
  return {
    nextSequence: number("nextSequence", 1),
    floor: number("floor", 0),
    objectsStored: number("objectsStored", 0),
    bytesStored: number("bytesStored", 0),
    itemsStored: number("itemsStored", 0),
    requestsStored: number("requestsStored", 0),
    lastFlushAt: typeof lastFlushAt === "number" ? lastFlushAt : null,
    lastObjectKey: typeof lastObjectKey === "string" ? lastObjectKey : null,
  };
}

/** Writes the totals; part of the transaction that seals or forgets a batch. */
export function writeTotals(shard: Shard, totals: Totals): void {
  writeMeta(shard.deps.storage, shard.meter, "totals", totals);
}

function toRecord(value: unknown): Partial<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
