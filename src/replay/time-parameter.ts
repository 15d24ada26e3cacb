/**
 * The parameter `time`: which time the window is about, and so which arrivals are read for it (protocol 6.2). For
 * `event` they are those of the window and of some hours around it, since items arrive late, and early where clocks go
 * wrong.
 */
import { parseEventWindow, parseWindow, type Window } from "../archive/window.ts";
import { FirnError, shorten } from "../errors.ts";
import type { EventWindow } from "../otlp/event-time.ts";
import { EVENT_MAX_EARLY } from "../limits.ts";
import { isItemSignal, type Signal } from "../signal.ts";
import { millis, MINUTE, type Millis } from "../units.ts";

/** What a replay is about. */
export interface TimeRange {
  /** As it was asked for. */
  readonly window: Window;
  /** The minutes of arrival that are read. */
  readonly arrivals: Window;
  /** `null` where the window is about arrival. */
  readonly eventTime: EventWindow | null;
}

const NAME = "time";

/**
 * Parses `time`, `start` and `end`.
 * @param maxLate - how long after the end of a window of event time items are looked for
 * @throws FirnError `invalid_request` that names the parameter and what is accepted
 */
export function parseTimeRange(query: URLSearchParams, signal: Signal | "all", maxLate: Millis): TimeRange {
  const time = query.get(NAME) ?? "arrival";
  const [start, end] = [query.get("start"), query.get("end")];
  if (time === "arrival") {
    const window = parseWindow(start, end);
    return { window, arrivals: window, eventTime: null };
  }
  if (time !== "event") throw refusal(`Cannot parse "${NAME}": found "${shorten(time)}", expected arrival or event`);
  if (signal !== "all" && !isItemSignal(signal)) throw refuseEventTime(signal);
  const { window, ...eventTime } = parseEventWindow(start, end);
  const arrivals = {
    start: millis(Math.max(0, window.start - EVENT_MAX_EARLY)),
    end: millis(window.end + maxLate),
  };
  return { window, arrivals, eventTime };
}

/**
 * Cuts arrivals that are still to come: nothing has arrived after now, and windows of event time reach far beyond.
 * @param from - where the reading begins
 */
export function cutArrivals(arrivals: Window, { now, from }: { readonly now: Millis; readonly from: Millis }): Window {
  const nextMinute = Math.ceil((now + 1) / MINUTE) * MINUTE;
  return { start: arrivals.start, end: millis(Math.min(arrivals.end, Math.max(nextMinute, from + MINUTE))) };
}

function refuseEventTime(signal: Signal): FirnError {
  const why = "its requests are kept whole and have no time of their own, expected arrival";
  return refusal(`Cannot use time "event" with signal "${signal}": ${why}`);
}

function refusal(message: string): FirnError {
  return new FirnError("invalid_request", message, { field: NAME });
}
