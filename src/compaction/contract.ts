/**
 * What the Compactor of a tenant and signal is asked and what it answers, over RPC. Both sides may be one version
 * apart: a field that is added is optional, and nothing that stands here changes its meaning.
 */
import type { ItemSignal } from "../signal.ts";
import type { HourKnowledge } from "./verify/contract.ts";

/** Who a Compactor is: one Durable Object per tenant and signal. */
export interface CompactorIdentity {
  /** Empty for the unnamed tenant. */
  readonly tenant: string;
  readonly signal: ItemSignal;
}

/** What is to be compacted. */
export type WorkOrder =
  /** The hours of the last two days, as the cron asks each hour. */
  | { readonly kind: "recent"; /** When the cron was due; decides which hours are. */ readonly now?: number }
  /** All older hours, and retention, as the cron asks each month. */
  | { readonly kind: "older"; readonly now?: number }
  /** The hours that a window meets, as an operator asks. */
  | {
      readonly kind: "window";
      readonly start: number;
      readonly end: number;
      /** Does not wait until hours are closed; what comes later is late. */
      readonly force: boolean;
      /** Takes other writers' objects too. */
      readonly foreign: boolean;
    };

/** What was done. */
export interface CompactorTotals {
  /** Generations that were published. */
  readonly generations: number;
  readonly items: number;
  readonly sources: number;
  readonly outputs: number;
  /** Stored bytes of these sources and outputs, and raw bytes of the outputs. */
  readonly sourceBytes: number;
  readonly outputBytes: number;
  readonly rawBytes: number;
  readonly deletedObjects: number;
}

/** What a call did. */
export interface WorkReport extends CompactorTotals {
  /** Nothing more can be done now; otherwise the alarm goes on, and so may the caller. */
  readonly done: boolean;
  /** Hours that were looked at. */
  readonly hours: number;
  /** Now: objects that were found unreadable and that no manifest names yet. */
  readonly unreadable: number;
  /** Now: hours that are set aside. */
  readonly setAside: number;
  /** Now: hours that wait because shards may still write into them. */
  readonly openHours: number;
  /** Why nothing is compacted here at all, a sentence; `null` while all is well. */
  readonly refusal: string | null;
  /** Of this call or an earlier one. */
  readonly lastError: string | null;
}

/** An hour that failed, or that waits. */
export interface HourProblem {
  /** First instant of the hour, ISO 8601. */
  readonly hour: string;
  readonly attempts: number;
  /** Failed so often that it no longer holds up others; it is tried again each hour. */
  readonly isSetAside: boolean;
  readonly nextAttemptAt: number;
  readonly error: string;
}

/** A Compactor's state, as `/status` shows it. Times are milliseconds since the epoch. */
export interface CompactorStatus {
  readonly identity: CompactorIdentity;
  /** Of its last start: drawn anew each time. */
  readonly incarnation: string;
  /** Epoch in which this deployment owns the archive; `null` before the first work. */
  readonly epoch: number | null;
  /** The hour that is being compacted, ISO 8601. */
  readonly activeHour: string | null;
  /** Sources read of it, and all that were chosen. */
  readonly activeProgress: { readonly read: number; readonly chosen: number } | null;
  /** Hours that are to be compacted. */
  readonly waitingHours: number;
  /** Hours whose sources wait for the grace. */
  readonly pendingDeletions: number;
  readonly setAsideHours: number;
  /** Of the generation that was published last, ISO 8601. */
  readonly lastHour: string | null;
  readonly lastCompactedAt: number | null;
  /** At most 100. */
  readonly problems: readonly HourProblem[];
  readonly unreadable: number;
  readonly refusal: string | null;
  readonly alarmAt: number | null;
  /** Counted since its storage began. */
  readonly totals: CompactorTotals;
  readonly lastError: { readonly at: number; readonly message: string } | null;
}

/** The calls of a Compactor, as its callers see them. */
export interface CompactorContract {
  /** Works for a bounded time; a second call waits for the first one. @param order `null` goes on with what is known */
  work(identity: CompactorIdentity, order: WorkOrder | null): Promise<WorkReport>;
  /**
   * Notes an order durably and wakes the Compactor, without waiting for the work. (`queue` is the name of an event of
   * the platform, which therefore never arrives as a call.)
   */
  queueOrder(identity: CompactorIdentity, order: WorkOrder): Promise<void>;
  /** Makes this deployment the one that compacts and deletes, whoever was it before: an operator's act. */
  takeOver(identity: CompactorIdentity): Promise<void>;
  /** Notes durably that an object came into an hour that is closed. @param hour first instant of the hour */
  reportLate(identity: CompactorIdentity, hour: number): Promise<void>;
  status(identity: CompactorIdentity): Promise<CompactorStatus>;
  /** Tells a scrub what the bucket does not say of an hour. @param hour first instant of the hour */
  describeHour(identity: CompactorIdentity, hour: number): Promise<HourKnowledge>;
}
