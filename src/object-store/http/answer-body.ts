/** Bodies of answers that are no objects: read whole within a bound, or given back so that their connection is free. */
import { joinBytes } from "../../bytes.ts";
import { FirnError } from "../../errors.ts";
import { STORE_CALL_TIMEOUT } from "../../limits.ts";
import type { Bytes, Millis } from "../../units.ts";

/**
 * Reads a body as text.
 * @param failure what the message of a failure begins with
 * @param timeout how long all of it may take: whoever sent the request does not watch it any more
 * @returns `null` when the body is longer than the bound; it is given back then
 * @throws FirnError `store_unavailable` when the connection breaks, or the body does not end in time; it is given back
 */
export async function readText(
  response: Response,
  maxBytes: Bytes,
  failure: string,
  timeout: Millis = STORE_CALL_TIMEOUT,
): Promise<string | null> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new FirnError("store_unavailable", `${failure}: the answer did not end within ${timeout} ms`));
  }, timeout);
  try {
    return await Promise.race([readWhole(reader, maxBytes), late.promise]);
  } catch (error) {
    if (error instanceof FirnError) throw error;
    throw new FirnError("store_unavailable", `${failure}: the connection broke in the middle of the answer`);
  } finally {
    clearTimeout(timer);
    // Nothing is left of a body that was read to its end.
    reader.cancel().catch(() => undefined);
  }
}

async function readWhole(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: Bytes): Promise<string | null> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    length += step.value.byteLength;
    if (length > maxBytes) return null;
    pieces.push(step.value);
  }
  return new TextDecoder().decode(joinBytes(pieces));
}

/** Gives up a body that nobody wants; never fails. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}
