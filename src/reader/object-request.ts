/**
 * The bytes of one object of profiles → its one request, whole, as it came or converted. Requests of profiles cannot be
 * cut, so it has to be in memory.
 */
import { joinBytes } from "../bytes.ts";
import { FirnError } from "../errors.ts";
import { MAX_TOP_LEVEL_FIELD_BYTES } from "../limits.ts";
import { decodeJsonRequest } from "../otlp/json/decode.ts";
import { encodeJsonRequest } from "../otlp/json/encode.ts";
import { checkProfilesRequest } from "../otlp/profiles.ts";
import type { Encoding } from "../otlp/response.ts";

/** One request. */
export interface WholeRequest {
  readonly kind: "request";
  readonly encoding: Encoding;
  readonly body: Uint8Array;
  readonly itemCount: 1;
}

/**
 * Reads an object's request.
 * @param stored - encoding in which it came
 * @param wanted - encoding in which it is given
 * @throws FirnError `corrupt_object` when it is too large, not well-formed, empty, or cannot be converted
 */
export async function readRequest(
  pieces: AsyncIterable<Uint8Array>,
  stored: Encoding,
  wanted: Encoding,
): Promise<WholeRequest> {
  const body = await readWhole(pieces);
  try {
    const { isEmpty } = checkProfilesRequest(stored, body);
    // No empty request is ever stored: whatever stood here is gone.
    if (isEmpty) throw new FirnError("corrupt_object", "it holds no request");
    return { kind: "request", encoding: wanted, body: convert(body, stored, wanted), itemCount: 1 };
  } catch (error) {
    // What would be a client's fault at ingest is the object's here.
    const isOfObject = error instanceof FirnError && (error.kind === "invalid_request" || error.kind === "too_large");
    if (!isOfObject) throw error;
    throw new FirnError("corrupt_object", error.message, { cause: error });
  }
}

function convert(body: Uint8Array, stored: Encoding, wanted: Encoding): Uint8Array {
  if (stored === wanted) return body;
  return wanted === "json" ? encodeJsonRequest("profiles", body) : decodeJsonRequest("profiles", body);
}

async function readWhole(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > MAX_TOP_LEVEL_FIELD_BYTES) {
      throw new FirnError("corrupt_object", `its request has more than ${MAX_TOP_LEVEL_FIELD_BYTES} bytes`);
    }
    // A copy: an inflater may use its memory again.
    parts.push(piece.slice());
  }
  return joinBytes(parts);
}
