/** What the queries of an operator's orders have in common: a window with defaults, flags, and nothing unknown. */
import { parseInstant, type Window } from "../archive/window.ts";
import { FirnError, shorten } from "../errors.ts";
import { COMPACT_RECENT_HOURS } from "../limits.ts";
import { HOUR, millis } from "../units.ts";

/** Refuses parameters that an order does not know, and those that come twice. @throws FirnError `invalid_request` */
export function refuseUnknown(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) {
      const expected = `expected one of ${known.join(", ")}`;
      throw refuseParameter(name, `Cannot use "${shorten(name)}": unknown parameter, ${expected}`);
    }
    if (query.getAll(name).length > 1) throw refuseParameter(name, `Cannot read "${name}": it is given more than once`);
  }
}

/**
 * Parses the window of an order: one without `end` reaches to the end of the current hour, one without `start` 48 hours
 * back from its end.
 * @param verb - what is to be done with it, for the sentence
 * @throws FirnError `invalid_request`
 */
export function parseOrderWindow(query: URLSearchParams, verb: string, now: number): Window {
  const [from, until] = [query.get("start"), query.get("end")];
  const end = until === null ? millis(now - (now % HOUR) + HOUR) : parseInstant("end", until);
  const start = from === null ? millis(Math.max(0, end - COMPACT_RECENT_HOURS * HOUR)) : parseInstant("start", from);
  if (end > start) return { start, end };
  throw refuseParameter("end", `Cannot ${verb} the window: end ${show(end)} is not after start ${show(start)}`);
}

/** Parses `true` or `false`. @throws FirnError `invalid_request` */
export function parseFlag(query: URLSearchParams, name: string, fallback: "true" | "false" = "false"): boolean {
  const text = query.get(name) ?? fallback;
  if (text === "true" || text === "false") return text === "true";
  throw refuseParameter(name, `Cannot parse "${name}": found "${shorten(text)}", expected true or false`);
}

/** Makes the error of a parameter. */
export function refuseParameter(field: string, message: string): FirnError {
  return new FirnError("invalid_request", message, { field: shorten(field) });
}

function show(at: number): string {
  return new Date(at).toISOString();
}
