/**
 * The plan of a read, made hour by hour as the read gets there: look at the hour, hand it out minute by minute, outputs
 * first and fresh objects after them, and end at a minute boundary before the store calls are used up (protocol 6.1,
 * 6.3, 6.4).
 */
import { HOUR, MINUTE, millis, type Millis } from "../units.ts";
import type { ReadRequest } from "./contract.ts";
import type { HourObject } from "./hour-object.ts";
import { openHourOutputs, type LostOutput, type OpenHourObjects } from "./hour-outputs.ts";
import type { HourView } from "./hour-view.ts";
import { openHourViews } from "./hour-views.ts";
import type { ListingSource } from "./listing.ts";
import type { RunningUsage } from "./usage.ts";
import type { VisibleObject } from "./visible.ts";

/** What a minute is read from. */
export type MinutePart =
  | { readonly kind: "object"; readonly object: VisibleObject }
  | { readonly kind: "runs"; readonly output: HourObject }
  /** An output that cannot be read; at the first of its minutes that was reached. */
  | LostOutput;

/** What is known of a minute when it begins; a read may end only there. */
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
      readonly part: MinutePart;
      /** On a minute's first part, else `null`. */
      readonly opening: MinuteOpening | null;
    }
  /** Retention has removed outputs of this hour that held minutes of the window. */
  | { readonly kind: "retired"; readonly hour: Millis; readonly itemCount: number }
  /** The bucket's lifecycle has deleted outputs of this hour that held minutes of the window. */
  | { readonly kind: "expired"; readonly hour: Millis }
  /** The read ends itself before this minute. */
  | { readonly kind: "cut"; readonly next: Millis };

/** What a plan counts into, and where it leaves what has to be closed. */
export interface PlanContext {
  readonly usage: RunningUsage;
  readonly openObjects: OpenHourObjects;
}

/**
 * Plans a window. A minute is handed out whole, or not at all; the first one at the window's start is handed out
 * whatever it costs, since a read that ended before it would never get anywhere.
 */
export async function* planWindow(request: ReadRequest, context: PlanContext): AsyncGenerator<PlanStep, void, void> {
  const { store, layout, bodyTimeout } = request;
  const { usage } = context;
  const source: ListingSource = { store, layout, usage, bodyTimeout };
  const views = openHourViews(request, source);
  try {
    for (let step = await views.next(); step !== null; step = await views.next()) {
      if (step.kind === "cut") yield step;
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
  const { usage, hour, view } = context;
  if (view.retired.length > 0) yield toRetired(hour, view);
  if (view.hasExpired) yield { kind: "expired", hour };
  const fresh = new Map(view.minutes.map(({ minute, objects }) => [minute, objects]));
  const outputs = openHourOutputs(request, context);
  for (let minute = hour; minute < hour + HOUR; minute = millis(minute + MINUTE)) {
    if (view.cutAt !== null && minute >= view.cutAt) break;
    const objects = fresh.get(minute) ?? [];
    const ends = (storeCalls: number): boolean =>
      storeCalls > 0 && minute > request.start && usage.storeCalls + storeCalls > request.limits.maxStoreCalls;
    if (ends(outputs.tableCalls(minute))) {
      yield { kind: "cut", next: minute };
      return true;
    }
    const { lost, runs } = await outputs.reach(minute);
    const storeCalls = objects.length + runs.reduce((sum, { cost }) => sum + cost.storeCalls, 0);
    if (ends(storeCalls)) {
      yield { kind: "cut", next: minute };
      return true;
    }
    // Counted here, where they are promised: they are fetched later and several at once.
    usage.storeCalls += storeCalls;
    const parts: MinutePart[] = [
      ...lost,
      ...runs.map(({ output }) => ({ kind: "runs" as const, output })),
      ...objects.map((object) => ({ kind: "object" as const, object })),
    ];
    yield* toSteps(minute, parts, {
      partCount: parts.length,
      freshBytes: objects.reduce((sum, object) => sum + object.length, 0),
      runBytes: runs.reduce((sum, { cost }) => sum + cost.rawBytes, 0),
    });
  }
  if (view.cutAt !== null) yield { kind: "cut", next: view.cutAt };
  return view.cutAt !== null;
}

function toRetired(hour: Millis, { retired }: HourView): PlanStep {
  return { kind: "retired", hour, itemCount: retired.reduce((sum, output) => sum + output.itemCount, 0) };
}

function* toSteps(
  minute: Millis,
  parts: readonly MinutePart[],
  opening: MinuteOpening,
): Generator<PlanStep, void, void> {
  for (const [index, part] of parts.entries()) {
    yield { kind: "part", minute, part, opening: index === 0 ? opening : null };
  }
}
