/**
 * Speed of going through all items of every data set, beside the wire walk over the same bodies, and of regrouping the
 * items of each body beside copying it. `node bench/otlp-items.ts` prints a JSON line a case.
 */
import { iterateItems } from "../src/otlp/items.ts";
import { openRegrouper, type Regrouper } from "../src/otlp/regroup.ts";
import { walkRequest } from "../src/otlp/wire/walk.ts";
import type { ItemSignal } from "../src/signal.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { measureBest } from "./best-time.ts";
import { measureDataSets, toBody, type DataSetCase } from "./data-sets.ts";

/** Measures every data set. */
export async function run(): Promise<readonly BenchLine[]> {
  return measureDataSets(toBody, measure);
}

function measure({ name, signal, inputs: bodies }: DataSetCase<Uint8Array>): BenchLine {
  const regrouper = openRegrouper();
  let items = 0;
  const millis = measureBest(bodies, {
    walk: (body) => walkRequest(signal, body).kind.length,
    iterate: (body) => countItems(signal, body),
    regroup: (body) => regroup(regrouper, signal, body).length,
    copy: (body) => body.slice().length,
  });
  for (const body of bodies) items += countItems(signal, body);
  const bytes = bodies.reduce((sum, body) => sum + body.length, 0);
  return {
    name: `otlp-items.${name}`,
    bench: "otlp-items",
    case: name,
    items,
    bytes_per_item: Math.round(bytes / items),
    iterate_mb_per_s: round(bytes / millis.iterate / 1000),
    walk_mb_per_s: round(bytes / millis.walk / 1000),
    walk_ratio: round(millis.walk / millis.iterate),
    regroup_mb_per_s: round(bytes / millis.regroup / 1000),
    regroup_ns_per_item: round((millis.regroup * 1e6) / items),
    copy_mb_per_s: round(bytes / millis.copy / 1000),
  };
}

/** Goes through the items of a body, looking at each. */
export function countItems(signal: ItemSignal, body: Uint8Array): number {
  let count = 0;
  for (const { start, end } of iterateItems(signal, body)) if (end >= start) count += 1;
  return count;
}

function regroup(regrouper: Regrouper, signal: ItemSignal, body: Uint8Array): Uint8Array {
  for (const item of iterateItems(signal, body)) regrouper.add(item);
  return regrouper.end("arrival");
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
