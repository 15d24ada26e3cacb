/**
 * The query of `POST /admin/compact` → {@link CompactOrder}. Every parameter is understood or refused with a sentence
 * that names it.
 */
import type { WorkOrder } from "../compaction/contract.ts";
import { shorten } from "../errors.ts";
import { ITEM_SIGNALS, isItemSignal, type ItemSignal } from "../signal.ts";
import { parseFlag, parseOrderWindow, refuseParameter, refuseUnknown } from "./order-query.ts";

/** What is to be compacted, and how. */
export interface CompactOrder {
  readonly signals: readonly ItemSignal[];
  readonly work: Extract<WorkOrder, { readonly kind: "window" }>;
  /** Makes this deployment the owner of the tenant's archive first, and of no other. */
  readonly takeOver: boolean;
}

const KNOWN = ["signal", "start", "end", "force", "foreign", "take_over"];

/**
 * Parses the query. A window without `end` reaches to the end of the current hour, one without `start` 48 hours back
 * from its end; hours count that it meets.
 * @throws FirnError `invalid_request` with the parameter's name as its field
 */
export function parseCompactOrder(query: URLSearchParams, now: number): CompactOrder {
  refuseUnknown(query, KNOWN);
  const { start, end } = parseOrderWindow(query, "compact", now);
  const [force, foreign] = [parseFlag(query, "force"), parseFlag(query, "foreign")];
  const work = { kind: "window", start, end, force, foreign } as const;
  return { signals: parseSignals(query.get("signal")), work, takeOver: parseFlag(query, "take_over") };
}

function parseSignals(text: string | null): readonly ItemSignal[] {
  if (text === null || text === "all") return ITEM_SIGNALS;
  if (isItemSignal(text)) return [text];
  const expected = [...ITEM_SIGNALS, "all"].join(", ");
  const why =
    text === "profiles" ? `"profiles" do not concatenate and are kept as they are` : `found "${shorten(text)}"`;
  throw refuseParameter("signal", `Cannot compact the signal: ${why}, expected one of ${expected}`);
}
