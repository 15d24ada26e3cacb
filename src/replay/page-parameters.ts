/** The parameters that say where an answer ends: `limit_bytes`. */
import { FirnError, shorten } from "../errors.ts";
import { REPLAY_LIMIT_BYTES_CEILING, REPLAY_LIMIT_BYTES_FLOOR } from "../limits.ts";
import { bytes, type Bytes } from "../units.ts";

const NAME = "limit_bytes";

/**
 * Parses the length of a page.
 * @returns `null` without one
 * @throws FirnError `invalid_request`, also without a mark: nothing else could say that there is more
 */
export function parseLimitBytes(query: URLSearchParams): Bytes | null {
  const text = query.get(NAME);
  if (text === null) return null;
  if (query.get("mark") === "false") {
    throw refusal(`Cannot use "${NAME}" with mark=false: only the mark says that there is more, leave one of them out`);
  }
  const value = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  if (value >= REPLAY_LIMIT_BYTES_FLOOR && value <= REPLAY_LIMIT_BYTES_CEILING) return bytes(value);
  const expected = `expected a whole number of bytes from ${REPLAY_LIMIT_BYTES_FLOOR} to ${REPLAY_LIMIT_BYTES_CEILING}`;
  throw refusal(`Cannot parse "${NAME}": found "${shorten(text)}", ${expected}`);
}

function refusal(message: string): FirnError {
  return new FirnError("invalid_request", message, { field: NAME });
}
