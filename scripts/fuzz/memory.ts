/** Watches the resident memory of a process while it is fuzzed. */
import { currentRss } from "../../bench/process-usage.ts";

/** Resident memory over a run, in bytes. Samples of the warm-up are left out. */
export interface MemoryReport {
  readonly first: number;
  readonly last: number;
  readonly peak: number;
  /** Median of the last quarter of the samples over that of the first. */
  readonly growth: number;
}

/** Takes samples until it is stopped. */
export interface MemoryWatch {
  /** Ends the watch. @param warmUp - share of the samples, from 0, that are left out */
  stop(warmUp: number): MemoryReport;
}

const SAMPLE_MILLIS = 250;

/** Starts to watch a process. */
export function watchMemory(pid: number): MemoryWatch {
  const samples: number[] = [currentRss(pid)];
  const timer = setInterval(() => samples.push(currentRss(pid)), SAMPLE_MILLIS);
  return {
    stop: (warmUp) => {
      clearInterval(timer);
      const kept = samples.slice(Math.floor(samples.length * warmUp));
      const quarter = Math.max(1, Math.floor(kept.length / 4));
      return {
        first: kept[0] ?? 0,
        last: kept.at(-1) ?? 0,
        peak: Math.max(...kept),
        growth: median(kept.slice(-quarter)) - median(kept.slice(0, quarter)),
      };
    },
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
