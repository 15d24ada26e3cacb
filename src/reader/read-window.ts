/**
 * Reads a window of the archive: {@link readWindow}. Here the stages meet: plan, fetch ahead, read; and here it is
 * decided what an unreadable or vanished object means and where a read ends itself.
 */
import { FirnError } from "../errors.ts";
import type { Millis } from "../units.ts";
import type { ReadEvent, ReadPlace, ReadRequest } from "./contract.ts";
import { openEarlyOutputs } from "./early-outputs.ts";
import { fetchAhead, type FetchedStep } from "./fetch-ahead.ts";
import type { OpenHourObjects } from "./hour-outputs.ts";
import { keyOf, positionGone } from "./minute-part.ts";
import { openBody, type ObjectBody } from "./object-body.ts";
import { readPart, type PlaceInPart } from "./part-events.ts";
import { hashKey } from "./part-hash.ts";
import { planWindow, type MinuteOpening } from "./plan.ts";
import { openUsage, type RunningUsage } from "./usage.ts";
import { findReplacement, toUnreadable, type Replacement } from "./vanished.ts";
import type { VisibleObject } from "./visible.ts";

type PartStep = Extract<FetchedStep, { kind: "part" }>;

/** How a pass over a window ended. */
type PassEnd =
  /** The read is over; `next` and `place` as in the event. */
  | { readonly kind: "end"; readonly next: Millis | null; readonly place: ReadPlace | null }
  /** What a minute consists of has changed before anything of it was given: it is looked at once more. */
  | { readonly kind: "again"; readonly minute: Millis };

/** What one read has done so far. */
interface Progress {
  readonly usage: RunningUsage;
  /** The minute of which something was given last. */
  begun: Millis | null;
  /** The minute of which something was given before this read. */
  readonly resumed: Millis | null;
  /** What the beginning of its first part took that was given before; it counts towards no bound. */
  passedRawBytes: number;
  /** The hour that was reported as retired last; a second pass does not report it again. */
  retired: Millis | null;
  /** Likewise the one of which something had expired. */
  expired: Millis | null;
  /** What became of a part that vanished, found when its minute began. */
  found: { readonly key: string; readonly replacement: Replacement } | null;
}

const NOTHING_GIVEN: PlaceInPart = Object.freeze({ runs: 0, fields: 0 });

/**
 * Reads a window in the order of minute and key, in memory that depends neither on the window nor on the objects.
 * @param usage - is counted on, so that several reads can share the bounds of one answer
 * @throws FirnError what the store throws; `corrupt_object`, `object_frozen` and `object_not_found` with the object's
 * key unless they are skipped, and for a manifest in any case; `unavailable` when a minute is compacted in the middle
 * of its reading, with the instant to go on from; `position_gone` when that, or another change, befalls the minute
 * inside which the read begins
 */
export async function* readWindow(
  request: ReadRequest,
  usage: RunningUsage = openUsage(),
): AsyncGenerator<ReadEvent, void, void> {
  const resumed = request.place === undefined ? null : request.start;
  const progress: Progress = {
    usage,
    begun: null,
    resumed,
    passedRawBytes: 0,
    retired: null,
    expired: null,
    found: null,
  };
  const { place: _, ...rest } = request;
  let pass = request;
  for (;;) {
    const end = yield* readPass(pass, progress);
    if (end.kind === "end") {
      yield { ...end, usage };
      return;
    }
    if (end.minute === resumed) throw positionGone(end.minute);
    pass = { ...rest, start: end.minute };
  }
}

async function* readPass(request: ReadRequest, progress: Progress): AsyncGenerator<ReadEvent, PassEnd, void> {
  const { usage } = progress;
  const openObjects: OpenHourObjects = new Set();
  const early = openEarlyOutputs(request, usage);
  const plan = planWindow(request, { usage, openObjects, early });
  const open = (object: VisibleObject): Promise<ObjectBody> => openObject(request, object);
  try {
    for await (const step of fetchAhead(plan, open, request.limits.fetchAhead)) {
      if (step.kind === "cut") return { kind: "end", next: step.next, place: step.place };
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
        if (step.opening !== null) {
          const rawBytes = guessRawBytes(step.opening, usage);
          if (endsBefore(rawBytes, request, progress)) return { kind: "end", next: step.minute, place: null };
          yield { kind: "minute", minute: step.minute, rawBytes };
        }
        const end = yield* readStep(step, request, progress);
        if (end !== null) return end;
      } finally {
        if (step.part.kind === "object") await step.part.body?.close();
      }
    }
    return { kind: "end", next: null, place: null };
  } finally {
    for (const object of openObjects) await object.close();
    await early.close();
  }
}

async function openObject({ store, bodyTimeout }: ReadRequest, object: VisibleObject): Promise<ObjectBody> {
  return openBody(await store.get(object.key), object.length, bodyTimeout, "passing");
}

/** What fresh objects will inflate to is guessed from what was read so far. */
function guessRawBytes({ runBytes, freshBytes }: MinuteOpening, { rawBytes, storedBytes }: RunningUsage): number {
  return runBytes + freshBytes * Math.max(1, rawBytes / Math.max(1, storedBytes));
}

/** Says whether the read ends itself before a minute; never before the first that was read. */
function endsBefore(rawBytes: number, { limits, isContinued }: ReadRequest, progress: Progress): boolean {
  if (progress.begun === null && isContinued !== true) return false;
  return countRawBytes(progress) + rawBytes > limits.maxRawBytes;
}

function countRawBytes({ usage, passedRawBytes }: Progress): number {
  return usage.rawBytes - passedRawBytes;
}

/** @returns how the pass ends in this part; `null` when it goes on */
async function* readStep(
  step: PartStep,
  request: ReadRequest,
  progress: Progress,
): AsyncGenerator<ReadEvent, PassEnd | null, void> {
  const { minute, part, generation, vanished } = step;
  const { usage, resumed } = progress;
  const place = { request, usage, minute };
  if (vanished !== null) {
    // Known before anything of the minute was given, so that all of it can come from what replaces the part.
    const replacement = await findReplacement(vanished, place);
    if (replacement === "replaced") return { kind: "again", minute };
    progress.found = { key: keyOf(vanished), replacement };
  }
  const name = hashKey(keyOf(part));
  const isResumed = minute === resumed && name === request.place?.part;
  const given = isResumed ? request.place : NOTHING_GIVEN;
  const passedFrom = isResumed && progress.begun === null ? usage.rawBytes : null;
  const { signal, encoding, isPassedOn = false } = request;
  const source = { signal, encoding, isPassedOn, usage, given };
  for await (const event of readPart(part, minute, source)) {
    if (event.kind !== "failed") {
      const { before, ...content } = event;
      const here: ReadPlace = { generation, part: name, ...before };
      if (progress.begun === null && passedFrom !== null) progress.passedRawBytes = usage.rawBytes - passedFrom;
      // Guessed wrongly, or the minute is the first one.
      else if (progress.begun !== null && countRawBytes(progress) > request.limits.maxRawBytes) {
        const isInside = progress.begun === minute;
        return { kind: "end", next: minute, place: isInside ? here : null };
      }
      progress.begun = minute;
      yield { ...content, minute, place: here };
      continue;
    }
    const known = progress.found?.key === keyOf(part) ? progress.found.replacement : null;
    const failure = await toUnreadable(event.error, part, { place, known });
    if (failure.kind === "store") throw failure.error;
    if (failure.kind === "replaced") {
      if (minute !== resumed && progress.begun === minute) throw compactedMeanwhile(minute);
      return { kind: "again", minute };
    }
    if (failure.kind === "expired") {
      yield* tellExpired(failure.hour, progress);
      continue;
    }
    if (request.onError === "stop") throw failure.error;
    progress.begun = minute;
    yield { kind: "unreadable", key: failure.key, why: failure.error.kind, reason: failure.error.message };
  }
  return null;
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
