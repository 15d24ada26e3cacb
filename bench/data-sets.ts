/** Benchmarks over every data set of the corpus: {@link measureDataSets}. */
import { listDataSets, readBodies } from "../scripts/corpus.ts";
import type { ItemSignal } from "../src/signal.ts";
import type { BenchLine } from "./bench-line.ts";

/** A data set and what of it is measured. */
export interface DataSetCase<Input> {
  readonly name: string;
  readonly signal: ItemSignal;
  readonly inputs: readonly Input[];
}

/** Measures every data set. All are warmed up before the first is measured. */
export function measureDataSets<Input>(
  toInput: (body: Uint8Array) => Input,
  measure: (each: DataSetCase<Input>) => BenchLine,
): readonly BenchLine[] {
  const cases = listDataSets().map(({ name, signal }) => ({ name, signal, inputs: readBodies(name).map(toInput) }));
  for (const each of cases) measure(each);
  return cases.map(measure);
}

/** Takes bodies as they are. */
export function toBody(body: Uint8Array): Uint8Array {
  return body;
}
