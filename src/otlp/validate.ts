/**
 * The door of the wire side: is a body a sound request, how many items does it hold, and which of them stay out?
 * Rules: otlp-http 5.4, 6 and 7. The JSON side writes protobuf first and comes through the same door.
 */
import type { ItemSignal } from "../signal.ts";
import { cutRequest, type Cut, type CutCount } from "./cut.ts";
import { findPath, toFaultError } from "./wire/fault.ts";
import { walkRequest } from "./wire/walk.ts";

/** A request that may be stored. */
export interface Validation {
  /** Items kept. */
  readonly itemCount: number;
  /** Items cut out. */
  readonly rejectedCount: number;
  /** What to store: the input itself, the same reference, when nothing was cut out. */
  readonly body: Uint8Array;
  /** What was cut out and why, for `partial_success`; empty when nothing was. */
  readonly message: string;
}

/**
 * Checks an export request, counts its items and cuts out what single items have wrong.
 *
 * Spans with bad ids are rejected. Links with bad ids are dropped and counted in `dropped_links_count`, bad ids of log
 * records and exemplars are removed; their items are kept and only the message tells.
 *
 * @param signal decides which request message the body holds
 * @param body protobuf, in any field order; unknown fields are kept
 * @throws FirnError of kind `invalid_request` with the path of the field at fault, when the body as a whole is unsound
 */
export function validateRequest(signal: ItemSignal, body: Uint8Array): Validation {
  const walk = walkRequest(signal, body);
  if (walk.kind === "fault") throw toFaultError(signal, body, walk.position);
  if (!walk.isSuspect) return { itemCount: walk.itemCount, rejectedCount: 0, body, message: "" };
  const cut = cutRequest(signal, body);
  const rejectedCount = cut.spans.count;
  const message = describeCut(signal, body, { cut, itemCount: walk.itemCount });
  return { itemCount: walk.itemCount - rejectedCount, rejectedCount, body: cut.body, message };
}

function describeCut(
  signal: ItemSignal,
  body: Uint8Array,
  { cut, itemCount }: { readonly cut: Cut; readonly itemCount: number },
): string {
  const describe = (start: string, { first }: CutCount): string | undefined =>
    first && `${start}: ${findPath(signal, body, first.position)}.${first.jsonName} ${first.text}`;
  const sentences = [
    describe(`${cut.spans.count} of ${itemCount} spans rejected`, cut.spans),
    describe(`${cut.links.count} links dropped`, cut.links),
    describe(`ids of ${cut.logRecords.count} log records removed`, cut.logRecords),
    describe(`ids of ${cut.exemplars.count} exemplars removed`, cut.exemplars),
  ];
  return sentences.filter((sentence) => sentence !== undefined).join("; ");
}
