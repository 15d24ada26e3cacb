/**
 * The hours of a window one after another as they are seen: {@link openHourViews}. Without hints each is looked at when
 * it is reached. A read that is hinted passes over most of what it sees, so that it looks at a few hours ahead at once,
 * and lists many with one call.
 */
import { READ_HOURS_AHEAD } from "../limits.ts";
import { isItemSignal, type ItemSignal } from "../signal.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import type { ReadRequest } from "./contract.ts";
import type { EarlyOutputs } from "./early-outputs.ts";
import { isHinted, NO_HINTS } from "./hints.ts";
import { viewHour, type HourView } from "./hour-view.ts";
import { hoursOf, type HourRange } from "./hours.ts";
import { openListedHours } from "./listed-hours.ts";
import type { ListingSource } from "./listing.ts";
import { openHourSeek } from "./seek.ts";

/** The next hour of a window. */
export type HourStep =
  | { readonly kind: "hour"; readonly hour: Millis; readonly view: HourView }
  /** The store calls are used up before this minute. */
  | { readonly kind: "cut"; readonly next: Millis };

/** Hours with something in them, in their order. */
export interface HourViews {
  /** @returns `null` behind the last one @throws FirnError as `viewHour` does */
  next(): Promise<HourStep | null>;
  /** Waits for what is under way and nobody will ask for. */
  close(): Promise<void>;
}

/** Opens the hours of a window. @param early - is shown each hour that is listed by itself */
export function openHourViews(request: ReadRequest, source: ListingSource, early?: EarlyOutputs): HourViews {
  const { layout, signal, start, end, hints = NO_HINTS } = request;
  const hours = hoursOf(layout, start, end);
  const isAhead = isHinted(hints) && layout.partition.isTimeOrdered && isItemSignal(signal);
  return isAhead ? openAhead(request, source, { hours, signal }) : openOneByOne(request, source, { hours, early });
}

/** Says whether the store calls are used up before an hour: never before the first, unless the answer began earlier. */
function openBound(
  { limits, isContinued = false }: ReadRequest,
  { usage }: ListingSource,
  { first }: HourRange,
): (hour: Millis) => boolean {
  return (hour) => (hour > first || isContinued) && usage.storeCalls >= limits.maxStoreCalls;
}

/** The window may begin in the middle of its first hour. */
function toCut({ start }: ReadRequest, hour: Millis): HourStep {
  return { kind: "cut", next: millis(Math.max(hour, start)) };
}

function openOneByOne(
  request: ReadRequest,
  source: ListingSource,
  { hours, early }: { readonly hours: HourRange; readonly early: EarlyOutputs | undefined },
): HourViews {
  const { signal } = request;
  const seek = openHourSeek(source, isItemSignal(signal) ? [signal] : []);
  const endsBefore = openBound(request, source, hours);
  let hour = hours.first;
  let isGap = false;
  return {
    next: async () => {
      if (isGap && hour < hours.end) hour = await seek({ first: hour, end: hours.end });
      if (hour >= hours.end) return null;
      if (endsBefore(hour)) return toCut(request, hour);
      const view = await viewHour(request, source, { hour, listed: null, early });
      const step: HourStep = { kind: "hour", hour, view };
      isGap = view.isEmpty;
      hour = millis(hour + HOUR);
      return step;
    },
    close: async () => undefined,
  };
}

function openAhead(
  request: ReadRequest,
  source: ListingSource,
  { hours, signal }: { readonly hours: HourRange; readonly signal: ItemSignal },
): HourViews {
  const wantsIndexes = (request.hints?.traceId ?? null) !== null;
  const listings = openListedHours(source, { signal, end: hours.end, wantsIndexes });
  const endsBefore = openBound(request, source, hours);
  const queue: Promise<HourStep>[] = [];
  let hour = hours.first;

  async function viewNext(): Promise<void> {
    const { hour: found, listed } = await listings.find(hour);
    hour = millis(Math.min(found + HOUR, hours.end));
    if (found >= hours.end) return;
    const viewed = viewHour(request, source, { hour: found, listed }).then((view): HourStep => ({
      kind: "hour",
      hour: found,
      view,
    }));
    // A failure is for whoever reaches the hour; perhaps nobody does.
    viewed.catch(() => undefined);
    queue.push(viewed);
  }

  return {
    next: async () => {
      while (queue.length < READ_HOURS_AHEAD && hour < hours.end) {
        if (endsBefore(hour)) break;
        await viewNext();
      }
      const step = queue.shift();
      if (step !== undefined) return step;
      return hour < hours.end ? toCut(request, hour) : null;
    },
    close: async () => {
      await Promise.allSettled(queue);
    },
  };
}
