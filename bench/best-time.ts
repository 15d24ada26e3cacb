/**
 * The time of short works on each of some inputs, side by side: every work runs on an input one after the other, again
 * and again, and its best time counts, because other work on the machine only slows it down.
 */

/** Times that each work is measured on each input. */
const ROUNDS = 40;

/**
 * Measures works.
 *
 * @param works do something with an input and return a number, so that no compiler leaves them out
 * @returns milliseconds of each work over all inputs
 */
export function measureBest<Input, Name extends string>(
  inputs: readonly Input[],
  works: Readonly<Record<Name, (input: Input) => number>>,
): Record<Name, number> {
  const names = Object.keys(works) as Name[];
  const totals = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  for (const input of inputs) {
    const best = names.map(() => Number.POSITIVE_INFINITY);
    for (let count = 0; count < ROUNDS; count += 1) {
      for (const [index, name] of names.entries()) {
        best[index] = Math.min(best[index] ?? 0, time(works[name], input));
      }
    }
    for (const [index, name] of names.entries()) totals[name] += best[index] ?? 0;
  }
  return totals;
}

function time<Input>(work: (input: Input) => number, input: Input): number {
  const start = performance.now();
  const result = work(input);
  const millis = performance.now() - start;
  if (Number.isNaN(result)) throw new Error("Cannot measure a work without a result");
  return millis;
}
