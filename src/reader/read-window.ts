/**
 * Reads a window of the archive: {@link readWindow}. Here the stages meet: plan, fetch ahead, read; and here it is
 * decided what an unreadable or vanished object means and where a read ends itself.
 */
import { FirnError } from "../errors.ts";
import type { Millis } from "../units.ts";
import type { ReadEvent, ReadRequest } from "./contract.ts";
import { fetchAhead, type FetchedStep } from "./fetch-ahead.ts";
import type { OpenHourObjects } from "./hour-outputs.ts";
import { openBody, type ObjectBody } from "./object-body.ts";
import { readPart } from "./part-events.ts";
import { planWindow } from "./plan.ts";
import { openUsage, type RunningUsage } from "./usage.ts";
import { findReplacement, keyOf, toUnreadable, type Replacement } from "./vanished.ts";
import type { VisibleObject } from "./visible.ts";

type PartStep = Extract<FetchedStep, { kind: "part" }>;

/** How a pass over a window ended. */
type PassEnd =
  /** The read is over; `next` as in the event. */
  | { readonly kind: "end"; readonly next: Millis | null }
  /** What a minute consists of has changed before anything of it was given: it is looked at once more. */
  | { readonly kind: "again"; readonly minute: Millis };

/** What one read has done so far. */
interface Progress {
  readonly usage: RunningUsage;
  /** The minute of which something was given last. */
  begun: Millis | null;
  /** The hour that was reported as retired last; a second pass does not report it again. */
  retired: Millis | null;
  /** Likewise the one of which something had expired. */
  expired: Millis | null;
  /** What became of a part that vanished, found when its minute began. */
  found: { readonly key: string; readonly replacement: Replacement } | null;
}

/**
 * Reads a window in the order of minute and key, in memory that depends neither on the window nor on the objects.
 * @throws FirnError what the store throws; `corrupt_object` and `object_not_found` with the object's key unless they
 * are skipped, and for a manifest in any case; `too_large` for a minute with more objects than a response can fetch;
 * `unavailable` when a minute is compacted in the middle of its reading, with the instant to go on from
 */
export async function* readWindow(request: ReadRequest): AsyncGenerator<ReadEvent, void, void> {
  const progress: Progress = { usage: openUsage(), begun: null, retired: null, expired: null, found: null };
  let { start } = request;
  for (;;) {
    const end = yield* readPass({ ...request, start }, progress);
    if (end.kind === "end") {
      yield { kind: "end", next: end.next, usage: progress.usage };
      return;
    }
    start = end.minute;
  }
}

async function* readPass(request: ReadRequest, progress: Progress): AsyncGenerator<ReadEvent, PassEnd, void> {
  const { usage } = progress;
  const openObjects: OpenHourObjects = new Set();
  const plan = planWindow(request, { usage, openObjects });
  const open = (object: VisibleObject): Promise<ObjectBody> => openObject(request, object);
  try {
    for await (const step of fetchAhead(plan, open, request.limits.fetchAhead)) {
      if (step.kind === "cut") return { kind: "end", next: step.next };
      if (step.kind === "retired") {
        if (progress.retired !== step.hour) yield step;
        progress.retired = step.hour;
        continue;
      }
      if (step.kind === "expired") {
        yield* tellExpired(step.hour, progress);
        continue;
      }
      try {
        if (endsBefore(step, request, progress)) return { kind: "end", next: step.minute };
        const again = yield* readStep(step, request, progress);
        if (again) return { kind: "again", minute: step.minute };
      } finally {
        if (step.part.kind === "object") await step.part.body?.close();
      }
    }
    return { kind: "end", next: null };
  } finally {
    for (const object of openObjects) await object.close();
  }
}

async function openObject({ store, bodyTimeout }: ReadRequest, object: VisibleObject): Promise<ObjectBody> {
  return openBody(await store.get(object.key), object.length, bodyTimeout);
}

/**
 * Says whether the read ends itself before this minute. Only a minute's first part may end it, and never the first
 * minute that was read; what fresh objects will inflate to is guessed from what was read so far.
 */
function endsBefore({ opening }: PartStep, { limits }: ReadRequest, { usage, begun }: Progress): boolean {
  if (opening === null || begun === null) return false;
  const inflation = Math.max(1, usage.rawBytes / Math.max(1, usage.storedBytes));
  return usage.rawBytes + opening.runBytes + opening.freshBytes * inflation > limits.maxRawBytes;
}

/** @returns whether the minute has to be looked at again */
async function* readStep(
  step: PartStep,
  request: ReadRequest,
  progress: Progress,
): AsyncGenerator<ReadEvent, boolean, void> {
  const { minute, part, vanished } = step;
  const place = { request, usage: progress.usage, minute };
  if (vanished !== null) {
    // Known before anything of the minute was given, so that all of it can come from what replaces the part.
    const replacement = await findReplacement(vanished, place);
    if (replacement === "replaced") return true;
    progress.found = { key: keyOf(vanished), replacement };
  }
  const source = { signal: request.signal, encoding: request.encoding, usage: progress.usage };
  for await (const event of readPart(part, minute, source)) {
    if (event.kind !== "failed") {
      progress.begun = minute;
      yield event;
      continue;
    }
    const known = progress.found?.key === keyOf(part) ? progress.found.replacement : null;
    const failure = await toUnreadable(event.error, part, { place, known });
    if (failure.kind === "store") throw failure.error;
    if (failure.kind === "replaced") {
      if (progress.begun !== minute) return true;
      throw compactedMeanwhile(minute);
    }
    if (failure.kind === "expired") {
      yield* tellExpired(failure.hour, progress);
      continue;
    }
    if (request.onError === "stop") throw failure.error;
    progress.begun = minute;
    yield { kind: "unreadable", key: failure.key, reason: failure.error.message };
  }
  return false;
}

function* tellExpired(hour: Millis, progress: Progress): Generator<ReadEvent, void, void> {
  if (progress.expired !== hour) yield { kind: "expired", hour };
  progress.expired = hour;
}

/** Some of the minute's items were given as they stood before; which of the new ones they are, nothing says. */
function compactedMeanwhile(minute: Millis): FirnError {
  const from = new Date(minute).toISOString();
  const message = `Cannot go on inside minute ${from}: it was compacted while it was read, read again from ${from}`;
  return new FirnError("unavailable", message);
}
