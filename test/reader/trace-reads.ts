/** Reads of a {@link World} in which a trace is looked up, taken to their end, and what they told. */
import type { ObjectStore } from "../../src/object-store/contract.ts";
import type { ReadRequest } from "../../src/reader/contract.ts";
import { NO_HINTS } from "../../src/reader/hints.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import { HOUR, millis, MINUTE, type Millis } from "../../src/units.ts";
import { namesIn } from "../compaction/bucket.ts";
import { LIMITS } from "./archive-sample.ts";
import { isKept } from "./facts-archive.ts";
import { FIRST, HOURS, type World } from "./trace-world.ts";

/** Of the last hour. */
export const END: Millis = millis(FIRST + HOURS * HOUR);

/** Half-open. */
export interface Window {
  readonly start: Millis;
  readonly end: Millis;
}

/** What a read gave: names of the items that are wanted, and whatever else it told; or its error. */
export interface Outcome {
  readonly names: readonly string[];
  readonly told: readonly string[];
  readonly error: string | null;
}

/** Asks for a window. */
export function requestOf(
  { bucket: { store, layout, signal } }: World,
  window: Window,
  options: Partial<ReadRequest> = {},
): ReadRequest {
  return { store, layout, signal, ...window, onError: "stop", limits: LIMITS, ...options };
}

/** Reads in as many answers as the limits make it. */
export async function readAll({ items }: World, request: ReadRequest, traceId: Uint8Array): Promise<Outcome> {
  const facts = new Map(items.map((item) => [item.name, item]));
  const names: string[] = [];
  const told: string[] = [];
  try {
    for (let next: ReadRequest | null = request; next !== null;) {
      let after: ReadRequest | null = null;
      for await (const event of readWindow(next)) {
        if (event.kind === "fields") for (const { field } of event.fields) names.push(...namesIn(field));
        if (event.kind === "retired") told.push(`retired ${event.hour} ${event.itemCount}`);
        if (event.kind === "expired") told.push(`expired ${event.hour}`);
        if (event.kind === "unreadable") told.push(`unreadable ${event.key} ${event.reason}`);
        if (event.kind !== "end" || event.next === null) continue;
        const { place: _, ...rest } = next;
        after = { ...rest, start: event.next, ...(event.place === null ? {} : { place: event.place }) };
      }
      next = after;
    }
  } catch (error) {
    return { names: [], told: [], error: String(error) };
  }
  const wanted = names.filter((name) => isKept({ ...NO_HINTS, traceId }, facts.get(name) ?? fail(name)));
  return { names: wanted.toSorted(), told: [...new Set(told)].toSorted(), error: null };
}

/** For what a test knows to be there. */
export function fail(name: string): never {
  throw new Error(`${name} is not there`);
}

/** A store of which no index is listed, so that each manifest is read. */
export function withoutListedIndexes(store: ObjectStore): ObjectStore {
  return {
    ...store,
    list: async (request) => (request.prefix.includes("/_firn/indexes/") ? { objects: [] } : store.list(request)),
  };
}

/** Calls by what they are for. */
export function counting(store: ObjectStore): { readonly store: ObjectStore; readonly calls: string[] } {
  const calls: string[] = [];
  const note = (verb: string, key: string): void => {
    const folder = /_firn\/(\w+)\//.exec(key)?.[1] ?? "objects";
    calls.push(`${verb} ${folder}`);
  };
  const counted: ObjectStore = {
    ...store,
    list: async (request) => {
      note("list", request.prefix);
      return store.list(request);
    },
    get: async (key, options) => {
      note("get", key);
      return store.get(key, options);
    },
  };
  return { store: counted, calls };
}

/** How many calls of a {@link counting} store are called so. */
export function countOf(calls: readonly string[], name: string): number {
  return calls.filter((call) => call === name).length;
}

/** Draws the whole archive, or a part of it that begins and ends anywhere. */
export function drawWindow(random: () => number): Window {
  if (random() < 0.5) return { start: FIRST, end: END };
  const start = FIRST + Math.floor(random() * 4 * 60) * MINUTE;
  return { start: millis(start), end: millis(start + (1 + Math.floor(random() * 5 * 60)) * MINUTE) };
}
