/** A source of random choices with a seed, for fuzzing and for tests: equal seeds give equal runs. */

/** Gives an integer of at least 0 and below the limit. */
export type Random = (limit: number) => number;

/** Gives a number of at least 0 and below 1. */
export type RandomShare = () => number;

/** Mulberry32: small, good enough to choose test cases. @param seed - any integer; its low 32 bits count */
export function createRandomShare(seed: number): RandomShare {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same, for those who choose one of many. @param seed - as of {@link createRandomShare} */
export function createRandom(seed: number): Random {
  const share = createRandomShare(seed);
  return (limit) => Math.floor(share() * limit);
}

/** Chooses one of some values. */
export function pick<Value>(random: Random, values: readonly [Value, ...Value[]]): Value {
  return values[random(values.length)] ?? values[0];
}

/** Around the limit of nesting (otlp-http 5.4) for the most part, now and then far beyond it. */
const DEPTHS = [5, 28, 45, 60, 90, 99, 101, 110, 300, 1000] as const;
const EXTREME_DEPTH = 10_000;

/** Chooses how deep to nest. */
export function chooseDepth(random: Random): number {
  return random(40) === 0 ? EXTREME_DEPTH : pick(random, DEPTHS);
}
