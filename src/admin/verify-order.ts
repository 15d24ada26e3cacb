/**
 * The query of `POST /admin/verify` → `VerifyOrder`. Every parameter is understood or refused with a sentence that
 * names it.
 */
import type { VerifyOrder } from "../compaction/verify/contract.ts";
import { shorten } from "../errors.ts";
import { isSignal, SIGNALS, type Signal } from "../signal.ts";
import { parseFlag, parseOrderWindow, refuseParameter, refuseUnknown } from "./order-query.ts";

const KNOWN = ["signal", "start", "end", "repair", "deep"];

/**
 * Parses the query; hours count that the window meets.
 * @throws FirnError `invalid_request` with the parameter's name as its field
 */
export function parseVerifyOrder(query: URLSearchParams, now: number): VerifyOrder {
  refuseUnknown(query, KNOWN);
  return {
    signals: parseSignals(query.get("signal")),
    ...parseOrderWindow(query, "verify", now),
    isDeep: parseFlag(query, "deep", "true"),
    isRepairing: parseFlag(query, "repair"),
  };
}

function parseSignals(text: string | null): readonly Signal[] {
  if (text === null || text === "all") return SIGNALS;
  if (isSignal(text)) return [text];
  const expected = [...SIGNALS, "all"].join(", ");
  throw refuseParameter("signal", `Cannot verify the signal: found "${shorten(text)}", expected one of ${expected}`);
}
