/** The stage between reading and writing that leaves out what does not match the filters: {@link openKeeper}. */
import type { ItemFilter } from "../filter/contract.ts";
import { openFieldFilter } from "../filter/field-filter.ts";
import { isItemSignal, type Signal } from "../signal.ts";
import type { Content } from "./output.ts";

/** Gives what is to be given of some content; `null` when that is nothing. Valid until the next content. */
export type Keep = (content: Content) => Content | null;

/** Opens the stage for one signal. @param filter - `null` keeps everything, also what holds no items */
export function openKeeper(signal: Signal, filter: ItemFilter | null): Keep {
  // Requests that stay whole have no filters (`filter-parameters.ts`).
  if (filter === null || !isItemSignal(signal)) return (content) => content;
  const apply = openFieldFilter(signal, filter);
  return (content) => {
    if (content.kind !== "fields") return content;
    const kept = apply(content.fields, content.minute);
    return kept.itemCount === 0 ? null : { ...content, ...kept };
  };
}
