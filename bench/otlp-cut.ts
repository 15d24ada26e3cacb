/**
 * What it costs to cut bad spans out of a request, beside copying the request into fresh memory: `validateRequest` of
 * every traces data set with bad spans in it, less `validateRequest` of the same bodies as they are.
 * `node bench/otlp-cut.ts` prints a JSON line a case.
 */
import { listDataSets, readBodies } from "../scripts/corpus.ts";
import { validateRequest } from "../src/otlp/validate.ts";
import { WireReader } from "../src/otlp/wire/format.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { measureBest } from "./best-time.ts";

/** The cut may take as long as the copy. */
const TARGET_RATIO = 1;
const TRACE_ID_TAG = 0x0a;

/** Which spans of a body are made bad, by their index and their number. */
const CASES: Readonly<Record<string, (index: number, count: number) => boolean>> = {
  "one-bad-span": (index, count) => index === count >> 1,
  "1-percent-bad": (index) => index % 100 === 50,
  "all-bad": () => true,
};

interface Case {
  readonly name: string;
  readonly bodies: readonly Uint8Array[];
  readonly isBad: (index: number, count: number) => boolean;
}

/** Measures every traces data set. All are warmed up before the first is measured. */
export async function run(): Promise<readonly BenchLine[]> {
  const sets = listDataSets().filter(({ signal }) => signal === "traces");
  const cases = sets.flatMap(({ name }) =>
    Object.entries(CASES).map(([kind, isBad]) => ({ name: `${name}.${kind}`, bodies: readBodies(name), isBad })),
  );
  for (const each of cases) measure(each);
  return cases.map(measure);
}

function measure({ name, bodies, isBad }: Case): BenchLine {
  const pairs = bodies.map((clean) => ({ clean, bad: spoil(clean, isBad) }));
  const millis = measureBest(pairs, {
    clean: ({ clean }) => validateRequest("traces", clean).itemCount,
    bad: ({ bad }) => validateRequest("traces", bad).itemCount,
    copy: ({ clean }) => clean.slice().length,
  });
  const rejected = pairs.reduce((sum, { bad }) => sum + validateRequest("traces", bad).rejectedCount, 0);
  const cut = millis.bad - millis.clean;
  return {
    name: `otlp-cut.${name}`,
    bench: "otlp-cut",
    case: name,
    bytes_per_body: Math.round(bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length),
    rejected_per_body: round(rejected / bodies.length),
    validate_us: toMicros(millis.clean, bodies),
    cut_us: toMicros(cut, bodies),
    copy_us: toMicros(millis.copy, bodies),
    ratio: round(cut / millis.copy),
    target_ratio: TARGET_RATIO,
    ok: cut <= TARGET_RATIO * millis.copy,
  };
}

function toMicros(millis: number, bodies: readonly Uint8Array[]): number {
  return round((millis * 1000) / bodies.length);
}

/** Copies a body with the trace ids of some spans all zero, which changes no length. */
function spoil(body: Uint8Array, isBad: (index: number, count: number) => boolean): Uint8Array {
  const spoilt = body.slice();
  const ids = listTraceIds(body);
  for (const [index, start] of ids.entries()) if (isBad(index, ids.length)) spoilt.fill(0, start, start + 16);
  return spoilt;
}

function listTraceIds(body: Uint8Array): readonly number[] {
  const containers = listValues(new WireReader(body), 0x0a);
  const scopes = containers.flatMap((container) => listValues(container, 0x12));
  const spans = scopes.flatMap((scope) => listValues(scope, 0x12));
  return spans.flatMap((span) => listValues(span, TRACE_ID_TAG).map((id) => id.position));
}

function listValues(message: WireReader, wanted: number): readonly WireReader[] {
  const values: WireReader[] = [];
  while (!message.isAtEnd()) {
    const tag = message.readTag();
    if (tag !== wanted) message.skipValue(tag);
    else {
      const end = message.readValueEnd();
      values.push(new WireReader(message.bytes, message.position, end));
      message.position = end;
    }
  }
  return values;
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
