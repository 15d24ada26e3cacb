/**
 * What hints let a read pass over, by the facts that manifests and member tables hold. Pure. What holds an item without
 * an event time says nothing of it, so that arrival minutes have to lie outside of the window too.
 */
import type { EventTimeRange, ManifestOutput } from "../archive/manifest-output.ts";
import type { TableMember } from "../archive/member-table.ts";
import { MINUTE, type Millis } from "../units.ts";
import type { EventWindow } from "../otlp/event-time.ts";
import type { ReadHints } from "./contract.ts";

/** Hints of a read that keeps everything. */
export const NO_HINTS: ReadHints = { service: null, traceId: null, eventTime: null };

const NANOS_PER_MILLI = 1_000_000n;

/** Says whether there is anything that a read may pass over. */
export function isHinted({ service, traceId, eventTime }: ReadHints): boolean {
  return service !== null || traceId !== null || eventTime !== null;
}

/** Says whether an output of an hour may hold an item that is kept. */
export function mayKeepOutput({ service, eventTime }: ReadHints, output: ManifestOutput, hour: Millis): boolean {
  if (service !== null && output.services?.includes(service) === false) return false;
  if (eventTime === null || meetsRange(eventTime, output)) return true;
  return meetsMinutes(eventTime, hour, output);
}

/** Says whether a member may hold an item that is kept. */
export function mayKeepMember({ eventTime }: ReadHints, member: TableMember, hour: Millis): boolean {
  if (eventTime === null || meetsRange(eventTime, member)) return true;
  return member.runs.some(({ minute }) => meetsMinutes(eventTime, hour, { firstMinute: minute, lastMinute: minute }));
}

function meetsRange({ startUnixNano, endUnixNano }: EventWindow, times: EventTimeRange): boolean {
  const { minTimeUnixNano, maxTimeUnixNano } = times;
  if (minTimeUnixNano === null || maxTimeUnixNano === null) return false;
  return minTimeUnixNano < endUnixNano && maxTimeUnixNano >= startUnixNano;
}

/** Minutes are taken as wide as they are, wherever in them an item without a time is said to be. */
function meetsMinutes(
  { startUnixNano, endUnixNano }: EventWindow,
  hour: Millis,
  { firstMinute, lastMinute }: { readonly firstMinute: number; readonly lastMinute: number },
): boolean {
  const first = BigInt(hour + firstMinute * MINUTE) * NANOS_PER_MILLI;
  const end = BigInt(hour + (lastMinute + 1) * MINUTE) * NANOS_PER_MILLI;
  return first < endUnixNano && end > startUnixNano;
}
