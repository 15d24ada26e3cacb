/**
 * What a step of compaction asks of the merge: fields of sources go in by minute, members of an output come out. Types
 * only; `merge.ts` implements them.
 */
import type { MemberEntry } from "../archive/member-table.ts";
import type { ItemSignal } from "../signal.ts";
import type { TopLevelField } from "../otlp/top-level.ts";
import type { Bytes } from "../units.ts";

/** How members are made. */
export interface MergerOptions {
  readonly signal: ItemSignal;
  readonly marshaler: "otlp_proto" | "otlp_json";
  readonly compression: "gzip" | "zstd";
  /** `null`: the one that is best for archives. */
  readonly level: number | null;
  /** Raw bytes at which a member ends. */
  readonly memberRawBytes: Bytes;
  /** Items that are gathered before they are regrouped. */
  readonly gatherBytes: Bytes;
  /** Says whether the first member is the first of its output: in JSON it begins with the document's head. */
  readonly startsOutput: boolean;
}

/** A finished member. */
export interface MergedMember {
  /** As it is stored, its entry included. */
  readonly bytes: Uint8Array;
  readonly entry: MemberEntry;
  /** `service.name` of its resources, each once; `null` when there are too many to name. */
  readonly services: readonly string[] | null;
  /** Hashes of the traces of its items, as `otlp/trace-ids.ts` makes them; `null`: it is not said. */
  readonly traceHashes: Uint32Array<ArrayBuffer> | null;
}

/** Items of a minute. */
export interface MinuteSum {
  readonly itemCount: number;
  /** 32 hex digits. */
  readonly digest: string;
}

/** Items by minute of the hour. */
export type MinuteSums = ReadonlyMap<number, MinuteSum>;

/** The merge of one step, in bounded memory. */
export interface Merger {
  /** Takes fields of a source; minutes never go back. The fields are copied. */
  addFields(minute: number, fields: readonly TopLevelField[]): void;
  /** Ends the run of a minute: all of it has come, as far as this step knows. */
  endMinute(): void;
  /** Finishes the member under way. */
  flush(): void;
  /** Flushes; what comes next is the first member of another output. */
  startOutput(): void;
  /** Hands out the members that were finished since the last time, in their order. */
  take(): readonly MergedMember[];
  /** What the fields held. */
  readonly sourceTotals: MinuteSums;
  /** What the members hold that were finished so far, computed from the compressed bytes. */
  readonly outputTotals: MinuteSums;
  /** Memory of what was gathered. */
  readonly heldBytes: number;
}

/** Opens a merge. */
export type OpenMerger = (options: MergerOptions) => Merger;
