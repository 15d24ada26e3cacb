/**
 * What of a filter a reader may use to pass over objects that hold nothing that matches: {@link toReadHints}. Manifests
 * list service names and event times, and trace ids have an index; the rest is known only to whoever reads the items.
 */
import type { ItemFilter } from "./contract.ts";

/** The conditions that can be told without reading items. */
export type FilterHints = Pick<ItemFilter, "service" | "traceId" | "eventTime">;

/** Takes the hints out of a filter. */
export function toReadHints({ service, traceId, eventTime }: ItemFilter): FilterHints {
  return { service, traceId, eventTime };
}
