/** What a benchmark reports: one line of JSON a case. Fields end in their unit; `run.ts` adds machine and commit. */

/** A value that a line may hold. */
export type BenchValue = string | number | boolean | null;

/**
 * One case. `target` and `ok` stand where DESIGN.md section 12 names a target; a case with several targets writes
 * them as `target_<field>` and `ok` means that all are met.
 */
export interface BenchLine {
  /** Unique name such as `ingest.10KB.c64`. */
  readonly name: string;
  readonly [field: string]: BenchValue;
}

/** A benchmark file as `run.ts` imports it. */
export interface BenchModule {
  run(): Promise<readonly BenchLine[]>;
}

/** Rounds for display: three significant digits are more than a shared machine can promise. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** Value at a share between 0 and 1 of an ascending list; 0 for an empty one. */
export function percentile(ascending: ArrayLike<number>, share: number): number {
  const index = Math.min(ascending.length - 1, Math.floor(ascending.length * share));
  return ascending[index] ?? 0;
}
