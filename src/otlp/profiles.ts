/**
 * The door of profiles requests, whose schema is in development: they are kept as they came, so only what no schema
 * can change is checked, the wire format of the top level or the syntax of the JSON (otlp-http 2).
 */
import { FirnError } from "../errors.ts";
import { CLOSE_BRACE, JsonFault, JsonText, OPEN_BRACE } from "./json/text.ts";
import type { Encoding } from "./response.ts";
import { WireReader } from "./wire/format.ts";

/** What the check found in a well-formed request. */
export interface ProfilesCheck {
  /** Nothing was sent: zero bytes, in JSON also white space or an object without members. */
  readonly isEmpty: boolean;
}

/**
 * Checks that a profiles request is well-formed, in time proportional to its bytes. No field is interpreted.
 *
 * @param body decompressed, in the encoding of the request; one byte order mark before JSON is passed over
 * @throws FirnError of kind `invalid_request`, `field` being `body`
 */
export function checkProfilesRequest(encoding: Encoding, body: Uint8Array): ProfilesCheck {
  try {
    return { isEmpty: encoding === "json" ? !hasMembers(body) : !hasFields(body) };
  } catch (error) {
    if (!(error instanceof JsonFault || error instanceof FirnError)) throw error;
    throw new FirnError("invalid_request", error.message, { field: "body" });
  }
}

function hasFields(body: Uint8Array): boolean {
  const reader = new WireReader(body);
  while (!reader.isAtEnd()) reader.skipValue(reader.readTag());
  return body.length > 0;
}

function hasMembers(body: Uint8Array): boolean {
  const text = new JsonText(body);
  text.skipByteOrderMark();
  text.peek();
  const start = text.position;
  if (start === body.length) return false;
  text.take(OPEN_BRACE);
  const isEmpty = text.peek() === CLOSE_BRACE;
  text.position = start;
  text.skipValue();
  text.peek();
  if (text.position < body.length) throw text.fault("the end");
  return !isEmpty;
}
