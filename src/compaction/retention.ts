/**
 * Retention (protocol 5.11): an hour that is old enough gets a generation in which all outputs are retired, and only
 * then are they deleted, so that a reader can tell what was removed from what was lost.
 */
import { liveOutputs } from "../archive/visibility.ts";
import type { HourManifest } from "../reader/manifests.ts";
import { HOUR, type Millis } from "../units.ts";
import { NO_ADDITIONS } from "./build-manifest.ts";
import type { Compactor } from "./compactor.ts";
import { commitGeneration } from "./publish.ts";

/** Says whether nothing of an hour is to be kept any more. */
export function isPastRetention({ deps }: Compactor, hour: Millis): boolean {
  const { retention, legalHold } = deps.settings;
  return retention !== null && !legalHold && hour + HOUR + retention <= deps.now();
}

/** Retires the outputs of an hour if it is time. @returns whether it did */
export async function retireHour(compactor: Compactor, hour: Millis, newest: HourManifest): Promise<boolean> {
  if (!isPastRetention(compactor, hour) || liveOutputs(newest.manifest).length === 0) return false;
  await commitGeneration(compactor, { ...NO_ADDITIONS, hour, newest, isRetiring: true });
  return true;
}

/** First instant of the first hour that is kept; 0 when everything is. */
export function retentionEnd({ deps }: Compactor): number {
  const { retention, legalHold } = deps.settings;
  if (retention === null || legalHold) return 0;
  const end = deps.now() - retention;
  return Math.max(0, end - (end % HOUR));
}
