/** Items as a bag: equal when every item stands in both as often, whatever their order and grouping. */
import { createHash } from "node:crypto";
import { CONTAINERS, listItems, SIGNALS, type JsonObject, type Signal } from "../otlp-items.ts";

/** Digest of an item → how often it was found. */
export type ItemBag = ReadonlyMap<string, number>;

/** Items of some requests of one signal. */
export function toBag(signal: Signal, requests: readonly JsonObject[]): ItemBag {
  const bag = new Map<string, number>();
  for (const request of requests) {
    for (const { content } of listItems(signal, request)) {
      const digest = createHash("sha256").update(JSON.stringify(content)).digest("base64");
      bag.set(digest, (bag.get(digest) ?? 0) + 1);
    }
  }
  return bag;
}

/** How many items there are. */
export function countItems(bag: ItemBag): number {
  return [...bag.values()].reduce((sum, count) => sum + count, 0);
}

/** Demands that two bags are equal. @returns how many items they have @throws Error with what differs */
export function checkEqual(what: string, expected: ItemBag, found: ItemBag): number {
  const missing = countSurplus(expected, found);
  const surplus = countSurplus(found, expected);
  const count = countItems(expected);
  if (missing + surplus === 0) return count;
  throw new Error(`${what}: of ${count} items ${missing} are missing or changed, ${surplus} are surplus`);
}

function countSurplus(left: ItemBag, right: ItemBag): number {
  return [...left].reduce((sum, [digest, count]) => sum + Math.max(0, count - (right.get(digest) ?? 0)), 0);
}

/** Lines of OTLP JSON of any signals, by signal; marks are passed over. */
export function parseLines(text: string): Readonly<Record<Signal, readonly JsonObject[]>> {
  const requests: Record<Signal, JsonObject[]> = { traces: [], metrics: [], logs: [] };
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const request = JSON.parse(line) as JsonObject;
    for (const signal of SIGNALS) if (CONTAINERS[signal].resources in request) requests[signal].push(request);
  }
  return requests;
}
