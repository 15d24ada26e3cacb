/**
 * The request by which a platform asks whether a destination is there before it exports to it: a POST whose body is
 * the word `test`, in whatever media type (otlp-http 8, last row). It is answered like an empty request.
 */
import { FirnError } from "../errors.ts";
import { PROBE_WIRE_MAX_BYTES } from "../limits.ts";
import type { Millis } from "../units.ts";
import { parseContentCodings } from "./media-type.ts";
import { decodeBody, readBody } from "./request-body.ts";

const PROBE: Uint8Array = new TextEncoder().encode("test");

/** Says whether a decoded body is exactly the word; no request of OTLP is, in either encoding. */
export function isProbe(body: Uint8Array): boolean {
  return body.byteLength === PROBE.byteLength && PROBE.every((byte, index) => body[index] === byte);
}

/** Says whether a request of unknown media type is a probe, and reads hardly more of it than the word. */
export async function isProbeRequest(request: Request, timeout: Millis): Promise<boolean> {
  try {
    const codings = parseContentCodings(request.headers.get("content-encoding"));
    const wire = await readBody(request, { maxBytes: PROBE_WIRE_MAX_BYTES, timeout });
    return isProbe(decodeBody(wire, codings, PROBE.byteLength).body);
  } catch (error) {
    if (error instanceof FirnError) return false;
    throw error;
  }
}
