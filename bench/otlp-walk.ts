/**
 * Speed of `validateRequest` on every data set of the corpus, on one core, beside protobufjs decoding the same bodies
 * by reflection. `node bench/otlp-walk.ts` prints a JSON line a case.
 */
import { listDataSets, readBodies } from "../scripts/corpus.ts";
import { loadProtos } from "../scripts/generate-otlp-schema.ts";
import { REQUEST_MESSAGE } from "../src/otlp/schema.ts";
import { validateRequest } from "../src/otlp/validate.ts";
import type { ItemSignal } from "../src/signal.ts";
import { round, type BenchLine } from "./bench-line.ts";

/** Each measurement goes on for so long; its best round counts, since other work on the machine only slows rounds. */
const MEASURE_MILLIS = 600;
/** What DESIGN.md section 12 asks of every data set. */
const TARGET_MB_PER_S = 1200;
const TARGET_RATIO = 4;

interface Case {
  readonly name: string;
  readonly signal: ItemSignal;
  readonly bodies: readonly Uint8Array[];
  readonly bodyBytes: number;
}

/** Measures every data set. All are warmed up before the first is measured, as one worker would see them all. */
export async function run(): Promise<readonly BenchLine[]> {
  const cases = listCases();
  const root = loadProtos();
  for (const { signal, bodies } of cases) for (const body of bodies) validateRequest(signal, body);
  const walks = cases.map((data) => measure(data, (body) => validateRequest(data.signal, body).itemCount));
  const decodes = cases.map((data) => {
    const type = root.lookupType(REQUEST_MESSAGE[data.signal]);
    return measure(data, (body) => Object.keys(type.decode(body)).length);
  });
  return cases.map(({ name, signal, bodies, bodyBytes }, index) => {
    const items = bodies.reduce((sum, body) => sum + validateRequest(signal, body).itemCount, 0);
    const walk = walks[index] ?? 0;
    const decode = decodes[index] ?? 0;
    return {
      name: `otlp-walk.${name}`,
      bench: "otlp-walk",
      case: name,
      items,
      bytes_per_item: Math.round(bodyBytes / items),
      mb_per_s: round(walk),
      protobufjs_mb_per_s: round(decode),
      ratio: round(walk / decode),
      target_mb_per_s: TARGET_MB_PER_S,
      target_ratio: TARGET_RATIO,
      ok: walk >= TARGET_MB_PER_S && walk / decode >= TARGET_RATIO,
    };
  });
}

/** Best speed of all rounds over the bodies, in 10^6 bytes a second. */
function measure({ bodies, bodyBytes }: Case, check: (body: Uint8Array) => number): number {
  let bestMillis = Number.POSITIVE_INFINITY;
  for (let left = MEASURE_MILLIS; left > 0;) {
    const start = performance.now();
    for (const body of bodies) check(body);
    const millis = performance.now() - start;
    bestMillis = Math.min(bestMillis, millis);
    left -= millis;
  }
  return bodyBytes / bestMillis / 1000;
}

function listCases(): readonly Case[] {
  return listDataSets().map(({ name, signal }) => {
    const bodies = readBodies(name);
    return { name, signal, bodies, bodyBytes: bodies.reduce((sum, body) => sum + body.length, 0) };
  });
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
