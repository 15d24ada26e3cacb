/**
 * The plan of a read, made hour by hour as the read gets there: list to the last page, pick what is visible, hand it
 * out minute by minute, and end at a minute boundary before the store calls are used up (protocol 6.1, 6.3, 6.4).
 */
import { REPLAY_MAX_MINUTE_OBJECTS } from "../limits.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import type { ReadRequest } from "./contract.ts";
import { hoursOf } from "./hours.ts";
import { listHour, seekHour, type ListingSource } from "./listing.ts";
import type { RunningUsage } from "./usage.ts";
import { openHourCollector, pickVisible, type HourObjects, type VisibleObject } from "./visible.ts";

/** The next step of a read. */
export type PlanStep =
  | {
      readonly kind: "object";
      readonly object: VisibleObject;
      /** Stored bytes of the whole minute on its first object, else `null`: a read may end only there. */
      readonly minuteStoredBytes: number | null;
    }
  /** The read ends itself before this minute. */
  | { readonly kind: "cut"; readonly next: Millis };

/**
 * Plans a window. A minute is handed out whole, or not at all; the first one at the window's start is handed out
 * whatever it costs, since a read that ended before it would never get anywhere.
 */
export async function* planWindow(request: ReadRequest, usage: RunningUsage): AsyncGenerator<PlanStep, void, void> {
  const { store, layout, start, end, limits } = request;
  const source: ListingSource = { store, layout, usage };
  const hours = hoursOf(layout, start, end);
  let hour = hours.first;
  while (hour < hours.end) {
    // Never the first hour, which nothing was asked before.
    if (usage.storeCalls >= limits.maxStoreCalls) {
      yield { kind: "cut", next: hour };
      return;
    }
    const { minutes, cutAt, isEmpty } = await listObjects(request, source, hour);
    for (const { minute, objects } of minutes) {
      if (minute > start && usage.storeCalls + objects.length > limits.maxStoreCalls) {
        yield { kind: "cut", next: minute };
        return;
      }
      // Counted here, where they are promised: they are fetched later and several at once.
      usage.storeCalls += objects.length;
      yield* toSteps(objects);
    }
    if (cutAt !== null) {
      yield { kind: "cut", next: cutAt };
      return;
    }
    const following = { first: millis(hour + HOUR), end: hours.end };
    hour = isEmpty && following.first < following.end ? await seekHour(source, following) : following.first;
  }
}

async function listObjects(
  { signal, start, end, layout, limits }: ReadRequest,
  source: ListingSource,
  hour: Millis,
): Promise<HourObjects & { readonly isEmpty: boolean }> {
  const selection = { layout, signal, hour, start, end };
  const collector = openHourCollector({
    maxObjects: limits.maxStoreCalls,
    maxMinuteObjects: REPLAY_MAX_MINUTE_OBJECTS,
  });
  let isEmpty = true;
  for await (const page of listHour(source, hour)) {
    if (page.length > 0) isEmpty = false;
    collector.add(pickVisible(page, selection));
  }
  return { ...collector.end(), isEmpty };
}

function* toSteps(objects: readonly VisibleObject[]): Generator<PlanStep, void, void> {
  const minuteStoredBytes = objects.reduce((sum, object) => sum + object.length, 0);
  let isFirst = true;
  for (const object of objects) {
    yield { kind: "object", object, minuteStoredBytes: isFirst ? minuteStoredBytes : null };
    isFirst = false;
  }
}
