/**
 * The query of `GET /replay` and its `Accept` header → {@link ReplayQuery}. Every parameter is understood or refused
 * with a sentence that names it: one that was silently ignored would look like a filter that found nothing to leave
 * out.
 */
import type { Window } from "../archive/window.ts";
import { FirnError, shorten } from "../errors.ts";
import type { ItemFilter } from "../filter/contract.ts";
import {
  EVENT_MAX_LATE,
  REPLAY_LINE_BYTES_CEILING,
  REPLAY_LINE_BYTES_FLOOR,
  REPLAY_LINE_MAX_BYTES,
} from "../limits.ts";
import { isSignal, SIGNALS, type Signal } from "../signal.ts";
import { bytes, type Bytes, type Millis } from "../units.ts";
import { chooseFormat } from "./accept.ts";
import { chooseCoding, type Coding } from "./coding.ts";
import { parseCursor, type Cursor } from "./cursor.ts";
import { FILTER_NAMES, isFilterName, listSignals, parseItemFilter } from "./filter-parameters.ts";
import { FORMATS, formatsOf, type ReplayFormat } from "./format.ts";
import { parseDryRun, parseLimitBytes, type DryRunQuery } from "./page-parameters.ts";
import { parseTimeRange } from "./time-parameter.ts";

/** What is to be replayed and how. */
export interface ReplayQuery {
  readonly signal: Signal | "all";
  /** Those that are given, in their order; of `all` those that have every filter. */
  readonly signals: readonly Signal[];
  readonly window: Window;
  /** The minutes of arrival that are read for it: the window itself, unless it is one of event time. */
  readonly arrivals: Window;
  /** Which items are given; `null`: all of them. */
  readonly filter: ItemFilter | null;
  readonly format: ReplayFormat;
  readonly onError: "stop" | "skip";
  readonly maxLineBytes: Bytes;
  readonly hasMark: boolean;
  readonly coding: Coding;
  /** `null`: the window itself is wanted. */
  readonly dryRun: DryRunQuery | null;
  /** Of the body before its content coding; `null` for none. */
  readonly limitBytes: Bytes | null;
  /** `null`: from the window's start. */
  readonly cursor: Cursor | null;
}

const KNOWN = [
  "signal",
  "start",
  "end",
  "format",
  "on_error",
  "max_line_bytes",
  "mark",
  "cursor",
  "time",
  "limit_bytes",
  "dry_run",
  "exact",
];

/** What of a request says what is wanted. */
export interface ReplayRequest {
  readonly query: URLSearchParams;
  /** The header `Accept`, which decides the format where the query has none. */
  readonly accept: string | null;
  /** The header `Accept-Encoding`, which decides the coding of the answer. */
  readonly acceptEncoding?: string | null;
}

/**
 * Parses the request for a replay.
 * @param eventMaxLate - how long after a window of event time its items are looked for
 * @throws FirnError `invalid_request` with the parameter's name as its field, `not_acceptable`
 */
export function parseReplayRequest(
  { query, accept, acceptEncoding = null }: ReplayRequest,
  eventMaxLate: Millis = EVENT_MAX_LATE,
): ReplayQuery {
  refuseNames(query);
  const signal = parseSignal(query.get("signal"));
  const dryRun = parseDryRun(query, accept);
  const format = parseFormat(query, signal) ?? chooseFormat(dryRun === null ? accept : null, formatsOf(signal));
  const { window, arrivals, eventTime } = parseTimeRange(query, signal, eventMaxLate);
  const signals = listSignals(query, signal, eventTime);
  const cursor = query.get("cursor");
  return {
    signal,
    signals,
    window,
    arrivals,
    filter: parseItemFilter(query, signal, eventTime),
    format,
    onError: parseChoice(query, "on_error", ["stop", "skip"]) ?? "stop",
    maxLineBytes: parseLineBytes(query.get("max_line_bytes"), format),
    limitBytes: parseLimitBytes(query),
    coding: chooseCoding(acceptEncoding),
    dryRun,
    hasMark: (parseChoice(query, "mark", ["true", "false"]) ?? "true") === "true",
    cursor: cursor === null ? null : parseCursor(cursor, { signal, signals, window: arrivals }),
  };
}

function refuseNames(query: URLSearchParams): void {
  for (const name of query.keys()) {
    if (KNOWN.includes(name) || isFilterName(name)) {
      if (query.getAll(name).length > 1)
        throw refusal(name, `Cannot read "${shorten(name)}": it is given more than once, expected one value`);
      continue;
    }
    const expected = [...KNOWN, ...FILTER_NAMES].join(", ");
    throw refusal(name, `Cannot use "${shorten(name)}": unknown parameter, expected one of ${expected}`);
  }
}

function parseSignal(text: string | null): Signal | "all" {
  const expected = [...SIGNALS, "all"];
  if (text === null) throw refusal("signal", `Cannot replay without "signal": expected one of ${expected.join(", ")}`);
  if (text === "all" || isSignal(text)) return text;
  throw wrongValue("signal", text, expected);
}

function parseFormat(query: URLSearchParams, signal: Signal | "all"): ReplayFormat | null {
  const format = parseChoice(query, "format", FORMATS);
  const offered = formatsOf(signal);
  if (format === null || offered.includes(format)) return format;
  const why = `${whyNot(signal)}, expected ${offered.join(" or ")}`;
  throw refusal("format", `Cannot use format "${format}" with signal "${signal}": ${why}`);
}

function whyNot(signal: Signal | "all"): string {
  return signal === "all" ? "only lines can be of several signals" : "its requests do not concatenate";
}

/** Parses a parameter that has a closed list of values; `null` when it is absent. */
function parseChoice<Value extends string>(
  query: URLSearchParams,
  name: string,
  values: readonly Value[],
): Value | null {
  const text = query.get(name);
  if (text === null) return null;
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw wrongValue(name, text, values);
  return value;
}

function parseLineBytes(text: string | null, format: ReplayFormat): Bytes {
  if (text === null) return REPLAY_LINE_MAX_BYTES;
  const name = "max_line_bytes";
  if (format !== "jsonl") {
    const why = 'only "jsonl" has lines, expected that format, or leave it out';
    throw refusal(name, `Cannot use "${name}" with format "${format}": ${why}`);
  }
  const value = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  if (value >= REPLAY_LINE_BYTES_FLOOR && value <= REPLAY_LINE_BYTES_CEILING) return bytes(value);
  const expected = `expected a whole number of bytes from ${REPLAY_LINE_BYTES_FLOOR} to ${REPLAY_LINE_BYTES_CEILING}`;
  throw refusal(name, `Cannot parse "${name}": found "${shorten(text)}", ${expected}`);
}

function wrongValue(name: string, text: string, values: readonly string[]): FirnError {
  return refusal(name, `Cannot parse "${name}": found "${shorten(text)}", expected ${values.join(" or ")}`);
}

function refusal(field: string, message: string): FirnError {
  return new FirnError("invalid_request", message, { field: shorten(field) });
}
