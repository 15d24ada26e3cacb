/**
 * Filters top-level fields on the wire: {@link openFieldFilter}. A container whose resource does not match, or which
 * lacks bytes that a match must hold, is dropped without a look at its items; one of which all items match is passed on
 * as it stands, and only what lies between is written anew (`kept-items.ts`). Fields beside the containers, which no
 * version of OTLP has, hold no items and are dropped. Hot path: `bench/filter.ts`.
 */
import { ByteWriter } from "../otlp/byte-writer.ts";
import { iterateItems, type Item } from "../otlp/items.ts";
import type { TopLevelField } from "../otlp/top-level.ts";
import type { ItemSignal } from "../signal.ts";
import type { Millis } from "../units.ts";
import type { FilteredFields, ItemFilter } from "./contract.ts";
import { compileItemConditions, type ItemCondition } from "./item-conditions.ts";
import { KeptItems } from "./kept-items.ts";
import { openSearch, type Search } from "./needle.ts";
import { compileResourceCondition } from "./resource-condition.ts";

/**
 * Filters fields of sound protobuf.
 * @param arrival - minute by which items count that have no time of their own
 */
export type FieldFilter = (fields: readonly TopLevelField[], arrival: Millis) => FilteredFields;

/** A condition with the search for what must stand in an item that meets it. */
interface Step {
  readonly condition: ItemCondition;
  readonly search: Search | null;
}

const INITIAL_OUTPUT_BYTES = 65_536;

/** Opens a filter for one signal; what it gives is valid until it is called again. */
export function openFieldFilter(signal: ItemSignal, filter: ItemFilter): FieldFilter {
  const meetsResource = compileResourceCondition(filter);
  const steps = compileItemConditions(signal, filter).map(toStep);
  const kept = new KeptItems(signal);
  const output = new ByteWriter(INITIAL_OUTPUT_BYTES, Number.POSITIVE_INFINITY);

  function decide(field: Uint8Array, arrival: Millis): void {
    kept.clear();
    if (!steps.every(({ search }) => mayStandIn(search, field))) return;
    for (const item of iterateItems(signal, field)) kept.add(item.start, isMet(steps, item, arrival));
  }

  function write(field: Uint8Array): TopLevelField {
    const { length } = output;
    kept.writeTo(output, field);
    return toField(output.bytes.subarray(length, output.length));
  }

  return (fields, arrival) => {
    const left: TopLevelField[] = [];
    let itemCount = 0;
    output.length = 0;
    for (const each of fields) {
      if (each.container === null || meetsResource?.(each.container) === false) continue;
      decide(each.field, arrival);
      if (kept.keptCount === 0) continue;
      itemCount += kept.keptCount;
      left.push(kept.keptCount === kept.itemCount ? each : write(each.field));
    }
    return { fields: left, itemCount };
  };
}

function toStep(condition: ItemCondition): Step {
  return { condition, search: condition.needles.length === 0 ? null : openSearch(condition.needles) };
}

function mayStandIn(search: Search | null, field: Uint8Array): boolean {
  search?.open(field);
  return search?.isIn(0, field.length) !== false;
}

function isMet(steps: readonly Step[], item: Item, arrival: Millis): boolean {
  for (const { condition, search } of steps) {
    if (search !== null && !condition.isOfMetric && !search.isIn(item.start, item.end)) return false;
    if (!condition.isMetBy(item, arrival)) return false;
  }
  return true;
}

/** A container in its field, whose length has as few bytes as it needs or more. */
function toField(field: Uint8Array): TopLevelField {
  let start = 1;
  while ((field[start] ?? 0) >= 0x80) start += 1;
  return { field, container: field.subarray(start + 1) };
}
