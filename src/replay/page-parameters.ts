/** The parameters that say where an answer ends, and whether there is one: `limit_bytes`, `dry_run` and `exact`. */
import { FirnError, shorten } from "../errors.ts";
import { REPLAY_LIMIT_BYTES_CEILING, REPLAY_LIMIT_BYTES_FLOOR } from "../limits.ts";
import { bytes, type Bytes } from "../units.ts";

const NAME = "limit_bytes";
const TEXT_FIRST = /^\s*text\/plain\b/i;

/**
 * Parses the length of a page.
 * @returns `null` without one
 * @throws FirnError `invalid_request`, also without a mark: nothing else could say that there is more
 */
export function parseLimitBytes(query: URLSearchParams): Bytes | null {
  const text = query.get(NAME);
  if (text === null) return null;
  if (query.get("mark") === "false") {
    throw refusal(
      NAME,
      `Cannot use "${NAME}" with mark=false: only the mark says that there is more, leave one of them out`,
    );
  }
  const value = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  if (value >= REPLAY_LIMIT_BYTES_FLOOR && value <= REPLAY_LIMIT_BYTES_CEILING) return bytes(value);
  const expected = `expected a whole number of bytes from ${REPLAY_LIMIT_BYTES_FLOOR} to ${REPLAY_LIMIT_BYTES_CEILING}`;
  throw refusal(NAME, `Cannot parse "${NAME}": found "${shorten(text)}", ${expected}`);
}

/** That nothing is given, only what giving it would take. */
export interface DryRunQuery {
  readonly kind: "listed" | "exact";
  readonly form: "json" | "text";
}

/**
 * Parses `dry_run` and `exact`.
 * @param accept - the header `Accept`: the answer is text where it asks for that, and JSON otherwise
 * @returns `null` without a dry run
 */
export function parseDryRun(query: URLSearchParams, accept: string | null): DryRunQuery | null {
  const isDryRun = parseFlag(query, "dry_run");
  const isExact = parseFlag(query, "exact");
  if (isExact && !isDryRun)
    throw refusal("exact", 'Cannot use "exact" without dry_run=true: a replay counts its items');
  if (!isDryRun) return null;
  return { kind: isExact ? "exact" : "listed", form: TEXT_FIRST.test(accept ?? "") ? "text" : "json" };
}

function parseFlag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? "false";
  if (text === "true" || text === "false") return text === "true";
  throw refusal(name, `Cannot parse "${name}": found "${shorten(text)}", expected true or false`);
}

function refusal(field: string, message: string): FirnError {
  return new FirnError("invalid_request", message, { field });
}
