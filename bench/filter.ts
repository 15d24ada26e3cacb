/**
 * Speed of filters over every data set, by the condition and by how much meets it, beside the wire walk over the same
 * bodies, which every read does before, and beside going through the items. `node bench/filter.ts` prints a JSON line a
 * case.
 */
import type { ItemFilter } from "../src/filter/contract.ts";
import { openFieldFilter } from "../src/filter/field-filter.ts";
import { openTopLevelSplitter, type TopLevelField } from "../src/otlp/top-level.ts";
import { walkRequest } from "../src/otlp/wire/walk.ts";
import type { ItemSignal } from "../src/signal.ts";
import { millis } from "../src/units.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { measureBest } from "./best-time.ts";
import { measureDataSets, type DataSetCase } from "./data-sets.ts";
import { countItems } from "./otlp-items.ts";

const ARRIVAL = millis(0);
const ALL_TIME = 2n ** 64n;
const NO_FILTER: ItemFilter = {
  service: null,
  traceId: null,
  spanName: null,
  metricName: null,
  minSeverity: null,
  attributes: [],
  resourceAttributes: [],
  eventTime: null,
};

interface Input {
  readonly body: Uint8Array;
  readonly fields: readonly TopLevelField[];
}

/** Measures every data set. */
export async function run(): Promise<readonly BenchLine[]> {
  return measureDataSets(toInput, measure);
}

function toInput(body: Uint8Array): Input {
  return { body, fields: openTopLevelSplitter().push(body) };
}

function measure({ name, signal, inputs }: DataSetCase<Input>): BenchLine {
  const filters = Object.entries(listFilters(signal));
  const works = filters.map(([condition, filter]) => {
    const apply = openFieldFilter(signal, { ...NO_FILTER, ...filter });
    return [condition, ({ fields }: Input): number => apply(fields, ARRIVAL).itemCount] as const;
  });
  const times: Readonly<Record<string, number>> = measureBest<Input, string>(inputs, {
    ...Object.fromEntries(works),
    walk: ({ body }: Input) => walkRequest(signal, body).kind.length,
    iterate: ({ body }: Input) => countItems(signal, body),
  });
  const bytes = inputs.reduce((sum, { body }) => sum + body.length, 0);
  const toSpeed = (time = 0): number => round(bytes / time / 1000);
  const lines = works.flatMap(([condition, work]) => {
    const kept = inputs.reduce((sum, input) => sum + work(input), 0);
    return [
      [`${condition}_mb_per_s`, toSpeed(times[condition])],
      [`${condition}_walk_ratio`, round((times["walk"] ?? 0) / (times[condition] ?? 1))],
      [`${condition}_kept`, kept],
    ] as const;
  });
  return {
    name: `filter.${name}`,
    bench: "filter",
    case: name,
    items: inputs.reduce((sum, { body }) => sum + countItems(signal, body), 0),
    ...Object.fromEntries(lines),
    walk_mb_per_s: toSpeed(times["walk"]),
    iterate_mb_per_s: toSpeed(times["iterate"]),
  };
}

/** Conditions that nothing meets, and such that are met by all, by some, or must be read of every item. */
function listFilters(signal: ItemSignal): Readonly<Record<string, Partial<ItemFilter>>> {
  const name = "no such name anywhere";
  return {
    service: { service: "no-such-service" },
    attribute: { attributes: [{ key: "no.such.key", value: name }] },
    status: { attributes: [{ key: "http.response.status_code", value: "999" }] },
    event_time_all: { eventTime: { startUnixNano: 0n, endUnixNano: ALL_TIME } },
    event_time_none: { eventTime: { startUnixNano: 1n, endUnixNano: 2n } },
    ...(signal === "metrics" ? { name: { metricName: name } } : { trace_id: { traceId: new Uint8Array(16).fill(1) } }),
    ...(signal === "traces" ? { name: { spanName: name } } : {}),
    ...(signal === "logs" ? { severity: { minSeverity: 17 } } : {}),
  };
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
