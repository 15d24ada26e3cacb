/**
 * Numbers of fresh objects that the window holds, as objects or in manifests. An incarnation of a shard counts without
 * gaps, so that a number missing between two others proves a missing object. Below the lowest and above the highest
 * number of the window nothing can be said.
 */
import {
  countSequences,
  hasSequence,
  NO_SEQUENCES,
  toSequenceSet,
  uniteSequences,
} from "../../archive/sequence-ranges.ts";
import type { SequenceKey, SequenceSet, SourceRanges } from "../../archive/sequence-ranges.ts";
import type { Millis } from "../../units.ts";

/** Numbers that are not there. */
export interface SequenceGap {
  readonly shard: number;
  readonly incarnation: string;
  readonly first: number;
  readonly last: number;
  /** The hour of the number before: the numbers were given then or later. */
  readonly hour: Millis;
}

/** Numbers as they are gathered, in memory of their gaps. */
export interface SequenceLedger {
  add(hour: Millis, set: SequenceSet): void;
  readonly seen: SequenceSet;
  findGaps(): readonly SequenceGap[];
}

/** Opens a ledger without numbers. */
export function openSequenceLedger(): SequenceLedger {
  let seen = NO_SEQUENCES;
  /** Highest number of each incarnation after each hour; numbers ascend with time. */
  const marks = new Map<string, { readonly hour: Millis; readonly highest: number }[]>();

  function findHour(source: SourceRanges, before: number): Millis {
    const known = marks.get(nameOf(source)) ?? [];
    const found = known.find(({ highest }) => highest >= before) ?? known.at(-1);
    if (found === undefined) throw new Error(`Cannot find the hour of sequence ${before}: no hour has it`);
    return found.hour;
  }

  return {
    add: (hour, set) => {
      seen = uniteSequences(seen, set);
      for (const source of set) {
        const known = marks.get(nameOf(source)) ?? [];
        known.push({ hour, highest: source.ranges.at(-1)?.[1] ?? 0 });
        marks.set(nameOf(source), known);
      }
    },
    get seen() {
      return seen;
    },
    findGaps: () =>
      seen.flatMap((source) =>
        source.ranges.slice(1).map(([next], index): SequenceGap => {
          const before = source.ranges[index]?.[1] ?? 0;
          const { shard, incarnation } = source;
          return { shard, incarnation, first: before + 1, last: next - 1, hour: findHour(source, before) };
        }),
      ),
  };
}

/** Numbers of one listing; finds those that come twice. */
export interface ListedSequences {
  /** @returns keys whose number stood there before */
  add<Key extends SequenceKey>(keys: readonly Key[]): readonly Key[];
  readonly set: SequenceSet;
}

/** Opens the numbers of a listing. */
export function openListedSequences(): ListedSequences {
  let set = NO_SEQUENCES;
  return {
    add: (keys) => {
      const page = toSequenceSet(keys);
      const united = uniteSequences(set, page);
      const twins = countSequences(united) === countSequences(set) + keys.length ? [] : findTwins(set, keys);
      set = united;
      return twins;
    },
    get set() {
      return set;
    },
  };
}

function findTwins<Key extends SequenceKey>(before: SequenceSet, keys: readonly Key[]): readonly Key[] {
  const seen = new Set<string>();
  return keys.filter((key) => {
    const name = `${nameOf(key)}-${key.sequence}`;
    const isTwin = seen.has(name) || hasSequence(before, key);
    seen.add(name);
    return isTwin;
  });
}

function nameOf({ shard, incarnation }: Pick<SequenceKey, "shard" | "incarnation">): string {
  return `${shard}-${incarnation}`;
}
