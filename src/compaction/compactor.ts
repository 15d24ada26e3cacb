/**
 * The state of one Compactor in memory: a cache of its storage, rebuilt by {@link openCompactor} after every eviction.
 * The other files of this room are functions over it; `durable-objects/compactor.ts` owns the one instance.
 */
import type { Layout } from "../archive/key.ts";
import type { TenantCompaction } from "../config/compact-settings.ts";
import { FirnError } from "../errors.ts";
import type { ObjectStore } from "../object-store/contract.ts";
import { millis, type Millis } from "../units.ts";
import type { CompactorIdentity, CompactorTotals } from "./contract.ts";
import type { MinuteSums, OpenMerger } from "./merger.ts";
import type { PartBuffer } from "./part-buffer.ts";
import { createTables, readMeta, SCHEMA_FORMAT, writeMeta, type CompactorStorage } from "./schema.ts";

/** What a Compactor is given from outside; time and chance are arguments (STYLE 1.3). */
export interface CompactorDeps {
  readonly identity: CompactorIdentity;
  readonly storage: CompactorStorage;
  readonly settings: TenantCompaction;
  readonly store: ObjectStore;
  /** Of the tenant. */
  readonly layout: Layout;
  readonly now: () => number;
  /** Uniform in [0, 1): spreads retries. */
  readonly random: () => number;
  /** Id of this deployment, 32 hex digits, always the same. */
  readonly deployment: () => Promise<string>;
  /** Makes every shard promise never again to seal into the hour (protocol 5.1). */
  readonly closeHour: (hour: Millis) => Promise<"closed" | "open">;
  readonly openMerger: OpenMerger;
  /** Bounds of the work, as `limits.ts` has them; tests have smaller ones. */
  readonly bounds: WorkBounds;
  /** Throws this instance away: the next call meets one that was started from storage. */
  readonly abandon: (error: unknown) => void;
}

/** How much is done at once. */
export interface WorkBounds {
  /** A call of `work` ends at the first step after this time. */
  readonly work: Millis;
  readonly stepRawBytes: number;
  readonly runMaxSources: number;
  readonly runMaxRawBytes: number;
  readonly partBytes: number;
  readonly memberRawBytes: number;
  readonly gatherBytes: number;
}

/** A stretch of hours that is being walked through. */
export interface Scan {
  readonly kind: "recent" | "older" | "window" | "retention";
  /** First instant of the next hour, and the end. */
  readonly next: number;
  readonly end: number;
  readonly isForced: boolean;
  readonly isForeign: boolean;
}

/** The compaction of one hour's sources into one generation. */
export interface Run {
  readonly hour: Millis;
  /** Named in the keys of its outputs, modulo 256. */
  readonly attempt: number;
  /** Failures of the hour at which the run is given up. */
  readonly maxAttempts: number;
  /** How often the size of its steps is halved. */
  readonly shrink: number;
  /** `rewrite`: its sources are minutes of earlier outputs. */
  readonly kind: "merge" | "rewrite";
  readonly marshaler: "otlp_proto" | "otlp_json";
  /** Fixed for all its steps, whatever becomes of the settings. */
  readonly compression: "zstd" | "gzip";
  /** The generation that it follows. */
  readonly parent: { readonly generation: number; readonly sha256Hex: string } | null;
  /** How many outputs of the parent stay beside those of the run. */
  readonly keptOutputs: number;
  /** Outputs of the parent that this run rewrites. */
  readonly rewrites: readonly string[];
  readonly sourceCount: number;
  readonly nextSource: number;
  readonly sourceTotals: MinuteSums;
  readonly outputTotals: MinuteSums;
  /** The hour has more than this run takes. */
  readonly hasMore: boolean;
}

/** Bytes of an output that no part took yet, as the rows of `remainder` have them after a step. */
export interface StepRest {
  readonly attempt: number;
  readonly nextSource: number;
  readonly output: number;
  readonly part: PartBuffer;
}

/** Counters that are kept in storage. */
export interface Counters extends CompactorTotals {
  readonly nextAttempt: number;
  /** Number of the next output: grows for ever, so that no key comes back. */
  readonly nextOutput: number;
  /** Everything before this instant is retired. */
  readonly retiredUntil: number;
  readonly lastHour: number | null;
  readonly lastCompactedAt: number | null;
}

/** One Compactor. */
export interface Compactor {
  readonly deps: CompactorDeps;
  /**
   * Of this start, in the keys of all that it writes. A storage that is set back to an earlier moment starts again, so
   * that numbers which it draws a second time make other keys.
   */
  readonly incarnation: string;
  isWritten: boolean;
  /** It is unknown what is durable: nothing may be done any more. */
  isAbandoned: boolean;
  counters: Counters;
  scans: readonly Scan[];
  /** Hours of the first scan that were passed since it was written; passing them again is harmless. */
  unwrittenHours: number;
  /** The hour that was visited last has no keys at all. */
  isAtGap: boolean;
  run: Run | null;
  /** What the last step left over for the next, which need not be read then; `null` when only storage has it. */
  rest: StepRest | null;
  /** Epoch of this deployment's ownership; `null` while it was not looked up. */
  epoch: number | null;
  /** The call that works, while there is one. */
  working: Promise<unknown> | null;
  alarmAt: number | null;
  /** Hours reported late since they were visited last: a visit that is under way may have listed them before. */
  readonly reported: Set<number>;
  /** Hours that were visited since the start. */
  visits: number;
  /** Shards did not close an hour: for hours that need not wait for them they are asked again from here on. */
  closeRetryAt: number;
  storeFailures: number;
  storeRetryAt: number;
  refusal: string | null;
  lastError: { readonly at: number; readonly message: string } | null;
}

/**
 * Starts a Compactor from its storage. On empty storage nothing is written until there is work.
 * @throws FirnError `unknown_format` when a newer release wrote the storage
 */
export async function openCompactor(deps: CompactorDeps, newIncarnation: () => string): Promise<Compactor> {
  createTables(deps.storage);
  const isWritten = hasSelf(deps.storage);
  return {
    deps,
    incarnation: newIncarnation(),
    isWritten,
    isAbandoned: false,
    counters: { ...NO_COUNTERS, ...toRecord(readMeta(deps.storage, "counters")) },
    scans: readScans(deps.storage),
    unwrittenHours: 0,
    isAtGap: false,
    run: readRun(deps.storage),
    rest: null,
    epoch: null,
    working: null,
    alarmAt: await deps.storage.getAlarm(),
    reported: new Set(),
    visits: 0,
    closeRetryAt: 0,
    storeFailures: 0,
    storeRetryAt: 0,
    refusal: null,
    lastError: null,
  };
}

const NO_COUNTERS: Counters = {
  nextAttempt: 1,
  nextOutput: 0,
  retiredUntil: 0,
  generations: 0,
  items: 0,
  sources: 0,
  outputs: 0,
  sourceBytes: 0,
  outputBytes: 0,
  rawBytes: 0,
  deletedObjects: 0,
  lastHour: null,
  lastCompactedAt: null,
};

function hasSelf(storage: CompactorStorage): boolean {
  const value = readMeta(storage, "compactor");
  if (value === undefined) return false;
  const { format } = toRecord(value);
  if (typeof format === "number" && format <= SCHEMA_FORMAT) return true;
  throw new FirnError("unknown_format", `Cannot start the Compactor: found format ${String(format)}, expected 1`);
}

/** Writes who the Compactor is; part of its first transaction. */
export function writeSelf({ deps, incarnation }: Compactor): void {
  const { tenant, signal } = deps.identity;
  writeMeta(deps.storage, "compactor", { format: SCHEMA_FORMAT, incarnation, tenant, signal });
}

function readScans(storage: CompactorStorage): readonly Scan[] {
  const scans = readMeta(storage, "scans");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by this file alone, in this format
  return Array.isArray(scans) ? (scans as readonly Scan[]) : [];
}

type StoredRun = Omit<Run, "sourceTotals" | "outputTotals"> & {
  readonly sourceTotals: readonly [number, { readonly itemCount: number; readonly digest: string }][];
  readonly outputTotals: readonly [number, { readonly itemCount: number; readonly digest: string }][];
};

function readRun(storage: CompactorStorage): Run | null {
  const value = readMeta(storage, "run");
  if (value === undefined) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `writeRun` alone, in this format
  const run = value as StoredRun;
  return {
    ...run,
    hour: millis(run.hour),
    sourceTotals: new Map(run.sourceTotals),
    outputTotals: new Map(run.outputTotals),
  };
}

/** Writes the run; `null` deletes it. Part of a transaction. */
export function writeRun(storage: CompactorStorage, run: Run | null): void {
  const stored =
    run === null ? undefined : { ...run, sourceTotals: [...run.sourceTotals], outputTotals: [...run.outputTotals] };
  writeMeta(storage, "run", stored);
}

/** Writes the counters; part of a transaction. */
export function writeCounters(storage: CompactorStorage, counters: Counters): void {
  writeMeta(storage, "counters", counters);
}

/** The place of an hour's chain. */
export function placeOf(
  { deps }: Compactor,
  hour: Millis,
): { layout: Layout; signal: CompactorIdentity["signal"]; hour: Millis } {
  return { layout: deps.layout, signal: deps.identity.signal, hour };
}

function toRecord(value: unknown): Partial<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
