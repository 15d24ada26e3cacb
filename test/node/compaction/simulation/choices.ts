/**
 * Every decision of a schedule is a number that is asked for here: drawn from a seed, or given as a list, which is how
 * a schedule that failed is made shorter. 0 is always the plainest choice.
 */
import { createRandom } from "../../../../scripts/fuzz/random.ts";

/** A source of decisions. */
export interface Choices {
  /** An integer of at least 0 and below the limit. */
  next(limit: number): number;
  /** `true` so many times of 1000. */
  chance(permille: number): boolean;
  pick<T>(values: readonly [T, ...T[]]): T;
  /** All that was decided so far. */
  readonly made: readonly number[];
}

/** Decides by a seed. */
export function chooseBySeed(seed: number): Choices {
  return openChoices(createRandom(seed));
}

/** Decides as it was decided before, and plainly once the list is over. */
export function chooseAgain(made: readonly number[]): Choices {
  let at = 0;
  return openChoices((limit) => Math.min(made[(at += 1) - 1] ?? 0, limit - 1));
}

function openChoices(draw: (limit: number) => number): Choices {
  const made: number[] = [];
  const next = (limit: number): number => {
    const choice = draw(limit);
    made.push(choice);
    return choice;
  };
  return {
    made,
    next,
    chance: (permille) => permille > 0 && next(1000) >= 1000 - permille,
    pick: (values) => values[next(values.length)] ?? values[0],
  };
}

/** What became of a schedule that is tried again. */
export type Retry = (made: readonly number[]) => Promise<{ readonly hasFailed: boolean; readonly length: number }>;

/**
 * Looks for a shorter list that fails too: pieces are left out, then decisions made plain, until nothing helps or so
 * many schedules were tried.
 */
export async function shorten(made: readonly number[], retry: Retry, tries: number): Promise<readonly number[]> {
  let best = made;
  let left = tries;
  async function attempt(candidate: readonly number[]): Promise<boolean> {
    if (left <= 0) return false;
    left -= 1;
    const { hasFailed, length } = await retry(candidate);
    if (hasFailed) best = candidate.slice(0, length);
    return hasFailed;
  }
  for (let before = -1; before !== left && left > 0;) {
    const length = best.length;
    for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let at = best.length - size; at >= 0; at -= size) {
        const piece = best.slice(at, at + size);
        if (await attempt([...best.slice(0, at), ...best.slice(at + size)])) continue;
        if (piece.some((choice) => choice !== 0))
          await attempt([...best.slice(0, at), ...piece.map(() => 0), ...best.slice(at + size)]);
      }
    }
    before = best.length < length ? -1 : left;
  }
  return best;
}
