/**
 * What the worker and a shard say to each other over RPC. Both sides may be one version apart (protocol, RPC N and
 * N-1): a field that is added is optional, a kind that is added is understood as `unavailable` by an older caller, and
 * nothing that stands here changes its meaning.
 */
import type { Signal } from "../signal.ts";

/** How a member is written; a batch holds members of one form only, and its file extension follows from it. */
export interface MemberForm {
  readonly marshaler: "otlp_proto" | "otlp_json";
  readonly compression: "gzip" | "zstd" | "none";
}

/** Who a shard is: one Durable Object per tenant, signal and number. */
export interface ShardIdentity {
  /** Empty for the unnamed tenant. */
  readonly tenant: string;
  readonly signal: Signal;
  /** 0 to 255. */
  readonly shard: number;
}

/** What is known of a request before its bytes are read. */
export interface AppendHead {
  readonly identity: ShardIdentity;
  /** First 16 bytes of the request's identity hash (protocol 1). */
  readonly hash: Uint8Array;
  readonly form: MemberForm;
  /** Items that are stored with this member. */
  readonly itemCount: number;
  /** Items that were cut out before. */
  readonly rejectedCount: number;
  /** Exact length of the member. */
  readonly memberBytes: number;
}

/** What became of a request; only `stored` and `copy` may be acknowledged. */
export type AppendOutcome =
  /** Durable now. */
  | { readonly kind: "stored" }
  /** Equal to a request inside the dedupe window, which is durable; the counts are those stored with the first. */
  | { readonly kind: "copy"; readonly itemCount: number; readonly rejectedCount: number }
  /** Nothing was stored: the shard has too much under way, or its backlog is full. */
  | { readonly kind: "unavailable"; readonly reason: "overload" | "backlog"; readonly retryAfterSeconds: number };

/** A flush asked for by an operator. */
export interface FlushReport {
  readonly sealedBatches: number;
  readonly storedObjects: number;
  readonly storedBytes: number;
  /** Batches that were tried and that the store did not take. */
  readonly failedBatches: number;
  /** Batches in the shard now; without failures they hold what arrived meanwhile. */
  readonly remainingBatches: number;
  readonly lastError: string | null;
}

/** What became of closing an hour. */
export type CloseOutcome =
  /** Durable: nothing is ever sealed before the end again. `pendingBefore`: a sealed batch is not stored yet. */
  | { readonly kind: "promised"; readonly pendingBefore: boolean }
  /** The end is so far ahead of the shard's clock that one of the clocks is wrong: the hour stays open. */
  | { readonly kind: "refused"; readonly reason: "ahead" };

/** A shard's state, as `/status` shows it. Times are milliseconds since the epoch. */
export interface ShardStatus {
  readonly identity: ShardIdentity;
  readonly incarnation: string;
  readonly nextSequence: number;
  readonly backlogBytes: number;
  readonly backlogItems: number;
  readonly backlogBatches: number;
  readonly setAsideBatches: number;
  readonly inFlightBytes: number;
  readonly alarmAt: number | null;
  /** First instant of the earliest minute into which this shard may still publish. */
  readonly watermark: number;
  readonly lastFlushAt: number | null;
  readonly lastObjectKey: string | null;
  readonly lastError: { readonly at: number; readonly message: string } | null;
  /** Nothing is sealed before this any more; 0: no hour was closed yet. Older releases don't say. */
  readonly closedUntil?: number;
  /** Hours into which something was stored late, and of which the Compactor has not heard yet. */
  readonly lateHours?: number;
  readonly counters: ShardCounters;
}

/** Counted since the shard's incarnation began; the in-memory ones since the last start are named so. */
export interface ShardCounters {
  readonly objectsStored: number;
  readonly bytesStored: number;
  readonly itemsStored: number;
  readonly requestsStored: number;
  readonly appendsSinceStart: number;
  readonly copiesSinceStart: number;
  readonly refusedSinceStart: number;
  readonly commitsSinceStart: number;
  readonly rowsWrittenSinceStart: number;
  readonly storeErrorsSinceStart: number;
}

/** The calls of a shard, as its callers see them. */
export interface ShardBufferContract {
  /** Stores a member of at most `MEMBER_INLINE_MAX_BYTES`; resolves once it is durable. */
  append(head: AppendHead, member: Uint8Array): Promise<AppendOutcome>;
  /** Stores a larger member, which is read only after it was admitted. */
  appendStream(head: AppendHead, member: ReadableStream<Uint8Array>): Promise<AppendOutcome>;
  /** Seals what is there and writes it out now. */
  flush(): Promise<FlushReport>;
  /** Sets an alarm if there is data, or a report to make, and none is set; says whether there is. */
  wake(): Promise<{ readonly hasData: boolean; readonly wasAsleep: boolean }>;
  /** @param identity - repeated in the answer of a shard that never held data */
  status(identity: ShardIdentity): Promise<ShardStatus>;
  /** First instant of the earliest minute into which this shard may still publish (protocol 6.6). */
  watermark(): Promise<number>;
  /**
   * Closes everything before an instant (protocol 5.1). A shard of an older release does not have this call and fails:
   * for the caller that hour is open.
   * @param end - end of an hour, in milliseconds
   */
  closeHour(end: number): Promise<CloseOutcome>;
}

/** Which shards a walk of the Directory wants. */
export interface DirectoryFilter {
  readonly tenant?: string;
  readonly signal?: Signal;
  /** The `cursor` of the page before. */
  readonly after?: string;
}

/** One page of a walk; without `cursor` it is the last. */
export interface DirectoryPage {
  readonly shards: readonly ShardIdentity[];
  readonly cursor?: string;
}

/** The one list of all shards that ever acknowledged anything; it outlives settings. */
export interface DirectoryContract {
  /** Registers a shard; repeating it changes nothing. */
  register(identity: ShardIdentity): Promise<void>;
  /** Lists one page of shards in a fixed order. */
  list(filter: DirectoryFilter): Promise<DirectoryPage>;
  /** 128 random bits in hex, drawn once: names the deployment in `_firn/owner` (protocol 1). */
  deploymentId(): Promise<string>;
}
