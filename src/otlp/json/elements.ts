/**
 * Elements of the top-level list of a request as OTLP JSON, without what encloses them: `envelope.ts` makes a document
 * of runs of them.
 */
import type { ItemSignal } from "../../signal.ts";
import { openContainerCutter, type JsonCutter } from "./container-cutter.ts";
import { openEncoder, REQUEST_DEPTH } from "./encode.ts";
import { MessageFrame } from "./message-frame.ts";
import { REQUEST_PLAN } from "./message-plan.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * Encodes the containers of a protobuf request as JSON objects with commas between them.
 *
 * @returns no bytes for a request without containers
 * @throws FirnError `corrupt_object` if the bytes are no request of the signal, `too_large` if the JSON is longer than
 *   `JSON_DOCUMENT_MAX_BYTES`
 */
export function encodeJsonElements(signal: ItemSignal, body: Uint8Array): Uint8Array {
  const plan = REQUEST_PLAN[signal];
  const encoder = openEncoder(body);
  const frame = new MessageFrame(REQUEST_DEPTH);
  frame.setRange(0, body.length);
  encoder.scan(plan, frame);
  for (const list of plan.fields) if (frame.has(list)) encoder.writeElements(list, frame);
  return encoder.output.finish();
}

/**
 * Opens a cutter of containers into runs of JSON elements with commas between them, to be joined by further commas.
 * Where containers are cut and when a run is longer, {@link openContainerCutter} says.
 *
 * @param maxBytes limit of a run, in bytes
 */
export function openJsonElements(signal: ItemSignal, maxBytes: number): JsonCutter {
  return openContainerCutter(signal, { prefix: NOTHING, suffix: NOTHING }, maxBytes);
}
