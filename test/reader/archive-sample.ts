/** Keys and layouts for tests, and a read taken to its end. */
import { formatKey, type Layout } from "../../src/archive/key.ts";
import { parsePartitionFormat } from "../../src/archive/partition.ts";
import type { ReadEvent, ReadLimits, ReadRequest } from "../../src/reader/contract.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { bytes, GIB, millis, type Millis } from "../../src/units.ts";
import { concat } from "./otlp-sample.ts";

export const MINUTE_FORMAT = "year=%Y/month=%m/day=%d/hour=%H/minute=%M";
export const HOUR_FORMAT = "year=%Y/month=%m/day=%d/hour=%H";
export const LIMITS: ReadLimits = { maxStoreCalls: 8000, maxRawBytes: bytes(8 * GIB), fetchAhead: 3 };

export const at = (text: string): Millis => millis(Date.parse(text));

export function layoutOf(options: Partial<Layout> & { readonly format?: string } = {}): Layout {
  const { format = MINUTE_FORMAT, ...rest } = options;
  return { basePrefix: "", prefix: "p", tenant: "", filePrefix: "", partition: parsePartitionFormat(format), ...rest };
}

/** Key of a fresh gzip object of Firn's. */
export function freshKey(
  time: string,
  options: {
    readonly signal?: ItemSignal;
    readonly layout?: Layout;
    readonly sequence?: number;
    readonly shard?: number;
  } = {},
): string {
  const { signal = "traces", layout = layoutOf(), sequence = 1, shard = 0 } = options;
  const form = { marshaler: "otlp_proto", compression: "gzip" } as const;
  return formatKey(
    { kind: "fresh", signal, form, sealTime: at(time), shard, incarnation: "9f2c4e7a", sequence },
    layout,
  );
}

/** A read with the defaults of most tests. */
export function readRequest(
  window: { readonly start: string; readonly end: string },
  options: Partial<ReadRequest> & Pick<ReadRequest, "store">,
): ReadRequest {
  const { start, end } = window;
  const limits = options.limits ?? LIMITS;
  return { layout: layoutOf(), signal: "traces", start: at(start), end: at(end), onError: "stop", ...options, limits };
}

export interface Taken {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
  readonly unreadable: readonly string[];
  readonly next: Millis | null;
  readonly end: Extract<ReadEvent, { kind: "end" }>;
}

/** Takes a whole read. */
export async function take(request: ReadRequest): Promise<Taken> {
  const fields: Uint8Array[] = [];
  const unreadable: string[] = [];
  let itemCount = 0;
  let end: Taken["end"] | null = null;
  for await (const event of readWindow(request)) {
    if (event.kind === "fields") {
      itemCount += event.itemCount;
      for (const each of event.fields) fields.push(each.field.slice());
    }
    if (event.kind === "unreadable") unreadable.push(event.key);
    if (event.kind === "end") end = event;
  }
  if (end === null) throw new Error("the read has no end");
  return { bytes: concat(fields), itemCount, unreadable, next: end.next, end };
}

/** Takes reads, each from where the one before ended, until the window's end. */
export async function takePages(whole: ReadRequest): Promise<Taken[]> {
  const pages: Taken[] = [];
  let read = whole;
  for (;;) {
    const taken = await take(read);
    pages.push(taken);
    const { next, place } = taken.end;
    if (next === null) return pages;
    const { place: before, ...rest } = read;
    const isAhead = next > read.start || JSON.stringify(place) !== JSON.stringify(before ?? null);
    if (!isAhead) throw new Error("the read does not get ahead");
    read = { ...rest, start: next, ...(place === null ? {} : { place }) };
  }
}
