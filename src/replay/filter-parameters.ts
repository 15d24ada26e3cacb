/**
 * The parameters that say which items are given: `service`, `trace_id`, `span_name`, `metric_name`, `severity`,
 * `attr.<key>` and `resource.<key>`. Several must hold together. What a signal does not have is refused: as a filter
 * it would leave out everything, or nothing.
 */
import { FirnError, shorten } from "../errors.ts";
import type { AttributeMatch, ItemFilter } from "../filter/contract.ts";
import type { EventWindow } from "../otlp/event-time.ts";
import { MAX_SEVERITY, readSeverityName, SEVERITY_NAMES } from "../filter/severity.ts";
import { REPLAY_MAX_ATTRIBUTE_FILTERS } from "../limits.ts";
import { isItemSignal, ITEM_SIGNALS, SIGNALS, type ItemSignal, type Signal } from "../signal.ts";

const ATTRIBUTE = "attr.";
const RESOURCE = "resource.";
const OF_ATTRIBUTES: readonly string[] = [`${ATTRIBUTE}<key>`, `${RESOURCE}<key>`];

/** Filters by signal, as users write them. */
const FILTERS: Readonly<Record<ItemSignal, readonly string[]>> = {
  traces: ["service", "trace_id", "span_name", ...OF_ATTRIBUTES],
  metrics: ["service", "metric_name", ...OF_ATTRIBUTES],
  logs: ["service", "trace_id", "severity", ...OF_ATTRIBUTES],
};
/** All filters, as users write them. */
export const FILTER_NAMES: readonly string[] = [
  ...new Set([...FILTERS.traces, ...FILTERS.metrics, ...FILTERS.logs].filter((name) => !OF_ATTRIBUTES.includes(name))),
  ...OF_ATTRIBUTES,
];

/** Those that several signals have: with any other one of them would be all that is left of `all`. */
const FILTERS_OF_ALL: readonly string[] = FILTER_NAMES.filter((name) => signalsWith(name).length > 1);

/** Says whether a parameter is a filter, of whichever signal. */
export function isFilterName(name: string): boolean {
  return FILTER_NAMES.includes(toGeneralName(name));
}

/**
 * Lists the signals that are given, in their order: of `all` those that have every condition, since one that lacks it
 * would be given whole or not at all.
 * @param eventTime - as in {@link parseItemFilter}
 */
export function listSignals(
  query: URLSearchParams,
  signal: Signal | "all",
  eventTime: EventWindow | null,
): readonly Signal[] {
  if (signal !== "all") return [signal];
  const names = [...query.keys()].filter(isFilterName);
  if (names.length === 0 && eventTime === null) return SIGNALS;
  return ITEM_SIGNALS.filter((each) => names.every((name) => signalsWith(name).includes(each)));
}

/**
 * Parses the filters of a query.
 * @param eventTime - the window by event time, which is one more condition; `null` without one
 * @returns `null` when there is no condition
 * @throws FirnError `invalid_request` that names the parameter and what is accepted
 */
export function parseItemFilter(
  query: URLSearchParams,
  signal: Signal | "all",
  eventTime: EventWindow | null,
): ItemFilter | null {
  const names = [...query.keys()].filter(isFilterName);
  for (const name of names) refuseUnlessOf(signal, name);
  if (names.length === 0 && eventTime === null) return null;
  const traceId = query.get("trace_id");
  const severity = query.get("severity");
  return {
    service: parseName(query, "service"),
    traceId: traceId === null ? null : parseTraceId(traceId),
    spanName: parseName(query, "span_name"),
    metricName: parseName(query, "metric_name"),
    minSeverity: severity === null ? null : parseSeverity(severity),
    attributes: listMatches(query, ATTRIBUTE),
    resourceAttributes: listMatches(query, RESOURCE),
    eventTime,
  };
}

/** `attr.<key>` for `attr.http.method`. */
function toGeneralName(name: string): string {
  const prefix = [ATTRIBUTE, RESOURCE].find((each) => name.startsWith(each));
  return prefix === undefined ? name : `${prefix}<key>`;
}

function signalsWith(name: string): readonly ItemSignal[] {
  const generalName = toGeneralName(name);
  return ITEM_SIGNALS.filter((signal) => FILTERS[signal].includes(generalName));
}

function refuseUnlessOf(signal: Signal | "all", name: string): void {
  const refused = `Cannot use "${shorten(name)}" with signal "${signal}"`;
  if (signal === "all") {
    if (FILTERS_OF_ALL.includes(toGeneralName(name))) return;
    const [only] = signalsWith(name);
    throw refusal(name, `${refused}: only ${only} have it, expected signal "${only}", or ${list(FILTERS_OF_ALL)}`);
  }
  if (isItemSignal(signal)) {
    if (FILTERS[signal].includes(toGeneralName(name))) return;
    throw refusal(name, `${refused}: expected ${list(FILTERS[signal])}`);
  }
  const expected = `expected no filter, or one of the signals ${list(ITEM_SIGNALS)}`;
  throw refusal(name, `${refused}: its requests are kept whole and have no filters, ${expected}`);
}

/** An empty name is a slip, such as a variable that is not set, and would find nothing. */
function parseName(query: URLSearchParams, name: string): string | null {
  const text = query.get(name);
  if (text === "") throw refusal(name, `Cannot parse "${name}": found "", expected a name, or leave it out`);
  return text;
}

function parseTraceId(text: string): Uint8Array {
  if (/^[\da-f]{32}$/i.test(text) && !/^0+$/.test(text)) return Uint8Array.fromHex(text);
  const expected = "expected 32 hex digits that are not all 0";
  throw refusal("trace_id", `Cannot parse "trace_id": found "${shorten(text)}", ${expected}`);
}

function parseSeverity(text: string): number {
  const named = readSeverityName(text);
  if (named !== null) return named;
  const number = /^[1-9]\d?$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MAX_SEVERITY) return number;
  const names = `${SEVERITY_NAMES.join(", ")}, each with 2, 3 or 4 behind it if need be`;
  const expected = `expected ${names}, or 1 to ${MAX_SEVERITY}`;
  throw refusal("severity", `Cannot parse "severity": found "${shorten(text)}", ${expected}`);
}

function listMatches(query: URLSearchParams, prefix: string): readonly AttributeMatch[] {
  const matches: AttributeMatch[] = [];
  for (const [name, value] of query) {
    if (!name.startsWith(prefix)) continue;
    const key = name.slice(prefix.length);
    if (key === "")
      throw refusal(name, `Cannot use "${name}": expected the attribute's key behind it, as in ${prefix}a.b`);
    matches.push({ key, value });
  }
  if (matches.length <= REPLAY_MAX_ATTRIBUTE_FILTERS) return matches;
  const expected = `expected at most ${REPLAY_MAX_ATTRIBUTE_FILTERS}`;
  throw refusal(prefix, `Cannot use ${matches.length} filters "${prefix}<key>": ${expected}`);
}

function list(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function refusal(field: string, message: string): FirnError {
  return new FirnError("invalid_request", message, { field: shorten(field) });
}
