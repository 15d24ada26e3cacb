/**
 * The door of the wire side: is a body a sound request, how many items does it hold, and which of them stay out?
 * Rules: otlp-http 5.4, 6 and 7. The JSON side writes protobuf first and comes through the same door.
 */
import type { ItemSignal } from "../signal.ts";
import { RequestCutter, type Cut } from "./cut.ts";
import { toFaultError } from "./wire/fault.ts";
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
  let cutter: RequestCutter | undefined;
  const walk = walkRequest(signal, body, (starts, level) => {
    cutter ??= new RequestCutter(signal, body);
    cutter.visit(starts, level);
  });
  if (walk.kind === "fault") throw toFaultError(signal, body, walk.position);
  const cut = cutter?.end();
  if (cut === undefined) return { itemCount: walk.itemCount, rejectedCount: 0, body, message: "" };
  const rejectedCount = cut.spans.count;
  const message = describeCut(cut, walk.itemCount);
  return { itemCount: walk.itemCount - rejectedCount, rejectedCount, body: cut.body, message };
}

function describeCut({ spans, links, logRecords, exemplars }: Cut, itemCount: number): string {
  const sentences = [
    spans.count > 0 && `${spans.count} of ${itemCount} spans rejected: ${spans.first}`,
    links.count > 0 && `${links.count} links dropped: ${links.first}`,
    logRecords.count > 0 && `ids of ${logRecords.count} log records removed: ${logRecords.first}`,
    exemplars.count > 0 && `ids of ${exemplars.count} exemplars removed: ${exemplars.first}`,
  ];
  return sentences.filter((sentence) => sentence !== false).join("; ");
}
