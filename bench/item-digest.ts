/**
 * Speed of the digest over all items of every data set and of gathering their event times, beside going through them
 * and beside a native SHA-256 of the whole bodies, which no digest of small items will reach. `node
 * bench/item-digest.ts` prints a JSON line a case.
 */
import { hash } from "node:crypto";
import { openItemDigest } from "../src/otlp/item-digest.ts";
import { openEventTimes } from "../src/otlp/item-facts.ts";
import { iterateItems } from "../src/otlp/items.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { measureBest } from "./best-time.ts";
import { measureDataSets, toBody, type DataSetCase } from "./data-sets.ts";
import { countItems } from "./otlp-items.ts";

/** Measures every data set. */
export async function run(): Promise<readonly BenchLine[]> {
  return measureDataSets(toBody, measure);
}

function measure({ name, signal, inputs: bodies }: DataSetCase<Uint8Array>): BenchLine {
  const digest = openItemDigest();
  const times = openEventTimes(signal);
  const millis = measureBest(bodies, {
    iterate: (body) => countItems(signal, body),
    digest: (body) => {
      for (const item of iterateItems(signal, body)) digest.add(item);
      return digest.itemCount;
    },
    times: (body) => {
      for (const item of iterateItems(signal, body)) times.add(item);
      return body.length;
    },
    sha256: (body) => hash("sha256", body, "buffer").length,
  });
  const items = bodies.reduce((sum, body) => sum + countItems(signal, body), 0);
  const bytes = bodies.reduce((sum, body) => sum + body.length, 0);
  return {
    name: `item-digest.${name}`,
    bench: "item-digest",
    case: name,
    items,
    bytes_per_item: Math.round(bytes / items),
    digest_mb_per_s: round(bytes / millis.digest / 1000),
    digest_items_per_s: Math.round((items * 1000) / millis.digest),
    digest_ns_per_item: round((millis.digest * 1e6) / items),
    iterate_ns_per_item: round((millis.iterate * 1e6) / items),
    event_time_ns_per_item: round(((millis.times - millis.iterate) * 1e6) / items),
    sha256_mb_per_s: round(bytes / millis.sha256 / 1000),
  };
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
