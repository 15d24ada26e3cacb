/**
 * The plan of a read, made hour by hour as the read gets there: look at the hour, hand it out minute by minute, outputs
 * first and fresh objects after them, and end before the store calls are used up, at a minute boundary if the minute
 * is not the first (protocol 6.1, 6.3, 6.4).
 */
import { FirnError } from "../errors.ts";
import { REPLAY_MAX_MINUTE_OBJECTS } from "../limits.ts";
import { HOUR, MINUTE, millis, type Millis } from "../units.ts";
import type { ReadPlace, ReadRequest } from "./contract.ts";
import type { EarlyOutputs } from "./early-outputs.ts";
import { openHourOutputs, type OpenHourObjects } from "./hour-outputs.ts";
import type { HourView } from "./hour-view.ts";
import { openHourViews } from "./hour-views.ts";
import type { ListingSource } from "./listing.ts";
import { keyOf, positionGone, type MinutePart } from "./minute-part.ts";
import { hashKey } from "./part-hash.ts";
import type { RunningUsage } from "./usage.ts";

/** What is known of a minute when it begins. */
export interface MinuteOpening {
  readonly partCount: number;
  /** Stored bytes of its fresh objects. */
  readonly freshBytes: number;
  /** Raw bytes of its runs in hour objects. */
  readonly runBytes: number;
}

/** The next step of a read. */
export type PlanStep =
  | {
      readonly kind: "part";
      readonly minute: Millis;
      /** Of the hour's newest manifest; 0 without one. */
      readonly generation: number;
      readonly part: MinutePart;
      /** On a minute's first part, else `null`. */
      readonly opening: MinuteOpening | null;
    }
  /** Retention has removed outputs of this hour that held minutes of the window. */
  | { readonly kind: "retired"; readonly hour: Millis; readonly itemCount: number }
  /** The bucket's lifecycle has deleted outputs of this hour that held minutes of the window. */
  | { readonly kind: "expired"; readonly hour: Millis }
  /** The read ends itself before this minute, or in it if there is a place. */
  | { readonly kind: "cut"; readonly next: Millis; readonly place: ReadPlace | null };

/** What a plan counts into, and where it leaves what has to be closed. */
export interface PlanContext {
  readonly usage: RunningUsage;
  readonly openObjects: OpenHourObjects;
  /** Asks for outputs before their manifest is known; nobody does if absent. */
  readonly early?: EarlyOutputs;
}

/**
 * Plans a window. A minute is handed out whole or not at all, but for the first one at the window's start: of that, the
 * first part is handed out whatever it costs, since a read that ended before it would never get anywhere.
 * @throws FirnError `position_gone` when the minute at the start is not made of what it was made of
 */
export async function* planWindow(request: ReadRequest, context: PlanContext): AsyncGenerator<PlanStep, void, void> {
  const { store, layout, bodyTimeout } = request;
  const { usage, early } = context;
  const source: ListingSource = { store, layout, usage, bodyTimeout };
  const views = openHourViews(request, source, early);
  try {
    for (let step = await views.next(); step !== null; step = await views.next()) {
      if (step.kind === "cut") yield { ...step, place: null };
      if (step.kind === "cut" || (yield* planHour(request, { ...context, ...step }))) return;
    }
  } finally {
    await views.close();
  }
}

interface HourContext extends PlanContext {
  readonly hour: Millis;
  readonly view: HourView;
}

/** @returns whether the read ends itself in this hour */
async function* planHour(request: ReadRequest, context: HourContext): AsyncGenerator<PlanStep, boolean, void> {
  const { usage, early, hour, view } = context;
  if (view.retired.length > 0) yield toRetired(hour, view);
  if (view.hasExpired) yield { kind: "expired", hour };
  const fresh = new Map(view.minutes.map((each) => [each.minute, each]));
  const outputs = openHourOutputs(request, context);
  for (let minute = hour; minute < hour + HOUR; minute = millis(minute + MINUTE)) {
    if (view.cutAt !== null && minute >= view.cutAt) break;
    const mayEnd = minute > request.start || (request.isContinued === true && minute === request.start);
    const ends = (storeCalls: number): boolean =>
      storeCalls > 0 && mayEnd && usage.storeCalls + storeCalls > request.limits.maxStoreCalls;
    if (ends(outputs.tableCalls(minute))) {
      yield { kind: "cut", next: minute, place: null };
      return true;
    }
    const { lost, runs } = await outputs.reach(minute);
    const { objects = [], isCut = false } = fresh.get(minute) ?? {};
    const all: MinutePlan["parts"] = [
      ...lost.map((part) => ({ part, storeCalls: 0 })),
      ...runs.map(({ output, cost }) => ({ part: { kind: "runs" as const, output }, storeCalls: cost.storeCalls })),
      ...objects.map((object) => ({ part: { kind: "object" as const, object }, storeCalls: 1 })),
    ];
    const parts = minute === request.start ? fromPlace(all, request, view.generation) : all;
    if (ends(parts.reduce((sum, { storeCalls }) => sum + storeCalls, 0))) {
      yield { kind: "cut", next: minute, place: null };
      return true;
    }
    const opening: MinuteOpening = {
      partCount: parts.length,
      freshBytes: objects.reduce((sum, object) => sum + object.length, 0),
      runBytes: runs.reduce((sum, { cost }) => sum + cost.rawBytes, 0),
    };
    const { generation } = view;
    const isOver = yield* planMinute(request, { minute, parts, opening, isCut, usage, early, generation });
    if (isOver) return true;
  }
  if (view.cutAt !== null) yield { kind: "cut", next: view.cutAt, place: null };
  return view.cutAt !== null;
}

/** The parts of the minute at the start that are left. @throws FirnError `position_gone` */
function fromPlace(parts: MinutePlan["parts"], { start, place }: ReadRequest, generation: number): MinutePlan["parts"] {
  if (place === undefined) return parts;
  const index = parts.findIndex(({ part }) => hashKey(keyOf(part)) === place.part);
  if (generation !== place.generation || index < 0) throw positionGone(start);
  return parts.slice(index);
}

/** What a minute is read from, and what each part takes. */
interface MinutePlan {
  readonly minute: Millis;
  readonly parts: readonly { readonly part: MinutePart; readonly storeCalls: number }[];
  readonly opening: MinuteOpening;
  /** There is more of the minute than its parts. */
  readonly isCut: boolean;
  readonly usage: RunningUsage;
  readonly early: EarlyOutputs | undefined;
  readonly generation: number;
}

/** @returns whether the read ends itself in this minute, before a part of it */
function* planMinute({ limits }: ReadRequest, plan: MinutePlan): Generator<PlanStep, boolean, void> {
  const { minute, parts, opening, isCut, usage, early, generation } = plan;
  // The next read begins with the last part that is known, so that it finds the place.
  const last = isCut ? parts.length - 1 : parts.length;
  if (isCut && last < 1) throw tooManySources(minute);
  for (const [index, { part, storeCalls }] of parts.entries()) {
    if (index > 0 && (index === last || usage.storeCalls + storeCalls > limits.maxStoreCalls)) {
      yield { kind: "cut", next: minute, place: { generation, part: hashKey(keyOf(part)), runs: 0, fields: 0 } };
      return true;
    }
    // Counted here, where they are promised: they are fetched later and several at once.
    usage.storeCalls += storeCalls;
    if (part.kind === "runs" && storeCalls > 0) early?.count(part.output.key);
    yield { kind: "part", minute, generation, part, opening: index === 0 ? opening : null };
  }
  return false;
}

/** Reached only by sources that came back and that parts of the manifest name, not the manifest itself. */
function tooManySources(minute: Millis): FirnError {
  const found = `it has more than ${REPLAY_MAX_MINUTE_OBJECTS} objects, and nearly all of them were compacted`;
  return new FirnError("too_large", `Cannot read minute ${new Date(minute).toISOString()}: ${found}`);
}

function toRetired(hour: Millis, { retired }: HourView): PlanStep {
  return { kind: "retired", hour, itemCount: retired.reduce((sum, output) => sum + output.itemCount, 0) };
}
