/** Attempts of an hour, counted durably before each step, and how long a failure waits (protocol 3.5). */
import { FirnError, toErrorMessage } from "../errors.ts";
import {
  COMPACT_BACKOFF_MAX,
  COMPACT_BACKOFF_MIN,
  COMPACT_REASON_MAX_CHARS,
  COMPACT_SET_ASIDE_ATTEMPTS,
  COMPACT_SET_ASIDE_WAIT,
} from "../limits.ts";
import { log } from "../log.ts";
import { abandonRun } from "./abandon-run.ts";
import { commit } from "./commit.ts";
import type { Compactor } from "./compactor.ts";
import { newHour, readHour, writeHour } from "./schema.ts";

/**
 * Notes that an attempt is made. If it ends the isolate, the next one waits and is smaller.
 * @returns attempts in a row, this one included
 */
export async function raiseAttempts(compactor: Compactor, hour: number): Promise<number> {
  const { storage, now, random } = compactor.deps;
  const row = readHour(storage, hour) ?? { ...newHour(hour), isWanted: true };
  const attempts = row.attempts + 1;
  const nextAttemptAt = now() + toBackoff(attempts, random());
  await commit(compactor, () => writeHour(storage, { ...row, attempts, nextAttemptAt }));
  return attempts;
}

/** Notes a failure of an hour; one that failed too often gives up its run and no longer holds up others. */
export async function noteFailure(compactor: Compactor, hour: number, error: unknown): Promise<void> {
  const { storage, now, random } = compactor.deps;
  const row = readHour(storage, hour) ?? newHour(hour);
  // A visit does not count beforehand: it costs a row only when it fails.
  const attempts = row.nextAttemptAt > now() && row.attempts > 0 ? row.attempts : row.attempts + 1;
  const isSetAside = attempts >= COMPACT_SET_ASIDE_ATTEMPTS;
  const wait = isSetAside ? COMPACT_SET_ASIDE_WAIT : Math.max(toBackoff(attempts, random()), toStoreWait(error));
  const message = toErrorMessage(error).slice(0, COMPACT_REASON_MAX_CHARS);
  if (isSetAside) {
    log("error", "compact.set_aside", { hour, attempts, error: message });
    if (compactor.run?.hour === hour && attempts >= compactor.run.maxAttempts) await abandonRun(compactor);
  }
  const nextAttemptAt = now() + wait;
  await commit(compactor, () =>
    writeHour(storage, { ...row, isWanted: true, attempts, nextAttemptAt, error: message }),
  );
}

/** Delay before the next try: doubles from the shortest to the longest, half of it by chance. @returns milliseconds */
export function toBackoff(attempts: number, random: number): number {
  const full = Math.min(COMPACT_BACKOFF_MAX, COMPACT_BACKOFF_MIN * 2 ** Math.min(attempts - 1, 20));
  return Math.round(full / 2 + (full / 2) * random);
}

/** What the store itself asked to wait, in milliseconds; never longer than the longest back-off. */
export function toStoreWait(error: unknown): number {
  const wait = error instanceof FirnError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.min(wait, COMPACT_BACKOFF_MAX);
}
