/** What one read has used up so far; the stages of a read add to it, and the plan and the read end themselves by it. */
import type { ReadUsage } from "./contract.ts";

/** A {@link ReadUsage} that is still growing. */
export type RunningUsage = { -readonly [Name in keyof ReadUsage]: ReadUsage[Name] };

/** Opens the usage of a new read. */
export function openUsage(): RunningUsage {
  return { storeCalls: 0, objectCount: 0, storedBytes: 0, rawBytes: 0 };
}
