/**
 * What verify is asked and what it answers. A scrub reads a window from the bucket alone and says what is wrong with
 * it; on request it repairs what can be repaired without a guess. The document is `POST /admin/verify`'s answer.
 */
import type { Layout } from "../../archive/key.ts";
import type { ObjectStore } from "../../object-store/contract.ts";
import type { ItemSignal, Signal } from "../../signal.ts";
import type { Millis } from "../../units.ts";

/** What is to be verified. */
export interface VerifyOrder {
  readonly signals: readonly Signal[];
  /** Hours that meet start ≤ t < end are verified whole. */
  readonly start: Millis;
  readonly end: Millis;
  /** Reads every object and compares what it holds; otherwise listings, manifests and member tables only. */
  readonly isDeep: boolean;
  readonly isRepairing: boolean;
}

/** Whom a scrub asks. Time is an argument (STYLE 1.3). */
export interface VerifyDeps {
  /** Read, and with `isRepairing` written and deleted from. */
  readonly store: ObjectStore;
  /** Of the tenant. */
  readonly layout: Layout;
  readonly now: () => number;
  /** How long sources stay after their manifest. */
  readonly grace: Millis;
  /** Whether other writers' objects are deleted once outputs hold them. */
  readonly foreign: "keep" | "delete";
  /** After which the bucket's own lifecycle deletes objects; `null`: it does not. */
  readonly bucketExpiration: Millis | null;
  /** How long the body of an object may give nothing. */
  readonly bodyTimeout: Millis;
  /** The scrub ends itself before the first hour after so many calls of the store. */
  readonly maxStoreCalls: number;
  /** Fires when nobody waits for the answer any more. */
  readonly client: AbortSignal;
  /** Id of this deployment: only the owner of the archive deletes from it. */
  readonly deployment: () => Promise<string>;
  /** What the Compactor knows of an hour; `null` when it cannot be asked, and then its leftovers stay. */
  readonly askCompactor: (signal: ItemSignal, hour: Millis) => Promise<HourKnowledge | null>;
  /** Lets the Compactor publish what it has committed. */
  readonly mirror: (signal: ItemSignal, hour: Millis) => Promise<void>;
}

/** What a Compactor knows of an hour and the bucket does not say; plain data, for RPC. */
export interface HourKnowledge {
  /** It compacts or publishes this hour, so that what no manifest names may be named soon. */
  readonly isWorking: boolean;
  /** A generation that is committed and that it failed to publish so far; `null` when there is none. */
  readonly unmirrored: number | null;
  /** Keys that it will delete by itself, in its own time. */
  readonly pendingKeys: readonly string[];
  /** Keys of unfinished uploads that it failed to give up so far. */
  readonly unfinishedUploads: readonly string[];
  /** The sources of the hour are deleted at this moment; `null` when no deletion is planned. */
  readonly deleteAt: number | null;
}

/** `info` is worth knowing, `warning` loses nothing, `error` means that items are missing or cannot be read. */
export type Severity = "info" | "warning" | "error";

/** What can be wrong. */
export type FindingKind =
  | "unknown_format"
  | "damaged_manifest"
  | "missing_manifest"
  | "doubled_generation"
  | "broken_chain"
  | "missing_claim"
  | "damaged_claim"
  | "unfinished_publication"
  | "unmirrored_manifest"
  | "wrong_manifest"
  | "missing_output"
  | "expired_output"
  | "damaged_output"
  | "retired_output"
  | "missing_member_table"
  | "damaged_member_table"
  | "missing_trace_index"
  | "damaged_trace_index"
  | "wrong_trace_index"
  | "lost_trace_index"
  | "damaged_foreign_part"
  | "leftover_source"
  | "unreadable_object"
  | "damaged_object"
  | "vanished_object"
  | "frozen_object"
  | "orphan_output"
  | "orphan_file"
  | "unfinished_upload"
  | "unknown_file"
  | "foreign_key"
  | "doubled_sequence"
  | "sequence_gap";

/** Something that is wrong. */
export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  readonly signal: Signal;
  /** First instant of the hour, ISO 8601. */
  readonly hour: string;
  /** Of the object or file; `null` when it is the hour's. */
  readonly key: string | null;
  readonly message: string;
  /** What a repair does; `none` when there is none. */
  readonly repair: string;
  /** What an operator can do; `null` where the repair does it. */
  readonly advice: string | null;
  readonly repaired: boolean;
  /** Why a repair that was asked for was not made. */
  readonly repair_error: string | null;
}

/** Numbers of one incarnation that the window holds; between them there is no other. */
export interface SeenSequences {
  readonly signal: Signal;
  readonly shard: number;
  readonly incarnation: string;
  readonly lowest: number;
  readonly highest: number;
}

/** The answer. */
export interface VerifyDocument {
  /** Nothing was found that is not repaired, but for what has severity `info`; and the window was verified whole. */
  readonly ok: boolean;
  readonly complete: boolean;
  /** Where to go on, ISO 8601, when the scrub ended itself; otherwise `null`. */
  readonly next: string | null;
  readonly window: { readonly start: string; readonly end: string; readonly signals: readonly Signal[] };
  readonly deep: boolean;
  readonly checked: VerifyCounts;
  /** The first thousand. */
  readonly findings: readonly Finding[];
  /** All of them. */
  readonly finding_count: number;
  readonly repaired: number;
  readonly sequences: readonly SeenSequences[];
  /** What a scrub cannot see. */
  readonly notes: readonly string[];
}

/** What a scrub went through. */
export interface VerifyCounts {
  readonly hours: number;
  /** Objects of telemetry that were listed. */
  readonly objects: number;
  /** Members of outputs, items and stored bytes that were read; only deep reading reads any. */
  readonly members: number;
  readonly items: number;
  readonly bytes: number;
}
