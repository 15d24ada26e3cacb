/**
 * Sets of fresh objects, named by shard, incarnation and sequence: which sources an hour's outputs hold. A set is plain
 * data and its own JSON form, of which there is exactly one for the same objects, so that manifests are too.
 */
import { corrupt, memberOf, toHex, toInteger, toList, type JsonField } from "./json-fields.ts";

/** First and last sequence of objects that follow each other without a gap; both are in the set. */
export type SequenceRange = readonly [first: number, last: number];

/** The objects of one incarnation of a shard. */
export interface SourceRanges {
  /** 0 to 255. */
  readonly shard: number;
  /** 8 hex digits in lower case. */
  readonly incarnation: string;
  /** Ascending, neither overlapping nor adjoining; never empty. */
  readonly ranges: readonly SequenceRange[];
}

/** Names a fresh object without its time; a `FreshKey` is one. */
export interface SequenceKey {
  readonly shard: number;
  readonly incarnation: string;
  readonly sequence: number;
}

/** A set of fresh objects: in the order of shard and incarnation, each once. */
export type SequenceSet = readonly SourceRanges[];

/** The set without objects. */
export const NO_SEQUENCES: SequenceSet = [];

const MAX_SHARD = 255;
const MAX_SEQUENCE = 2 ** 32 - 1;
const INCARNATION_DIGITS = 8;

/** Makes a set of objects, in any order, each as often as it may come. */
export function toSequenceSet(keys: Iterable<SequenceKey>): SequenceSet {
  const sources = new Map<string, { readonly key: SequenceKey; readonly ranges: SequenceRange[] }>();
  for (const key of keys) {
    const range: SequenceRange = [key.sequence, key.sequence];
    const known = sources.get(`${key.shard}-${key.incarnation}`);
    if (known === undefined) sources.set(`${key.shard}-${key.incarnation}`, { key, ranges: [range] });
    else known.ranges.push(range);
  }
  return [...sources.values()]
    .map(({ key: { shard, incarnation }, ranges }) => ({ shard, incarnation, ranges: mergeRanges(ranges) }))
    .toSorted(compareSources);
}

/** Adds an object to a set, which stays as it is. */
export function addSequence(set: SequenceSet, key: SequenceKey): SequenceSet {
  return hasSequence(set, key) ? set : uniteSequences(set, toSequenceSet([key]));
}

/** Says whether an object is in a set. */
export function hasSequence(set: SequenceSet, key: SequenceKey): boolean {
  return hasRange(findSource(set, key)?.ranges ?? [], [key.sequence, key.sequence]);
}

/** Makes the set of what is in one of two sets. */
export function uniteSequences(left: SequenceSet, right: SequenceSet): SequenceSet {
  const both = left.map((source) => {
    const other = findSource(right, source);
    return other === undefined ? source : { ...source, ranges: mergeRanges([...source.ranges, ...other.ranges]) };
  });
  const added = right.filter((source) => findSource(left, source) === undefined);
  return [...both, ...added].toSorted(compareSources);
}

/** Says whether a set has all that another one has. */
export function isSupersetOf(set: SequenceSet, other: SequenceSet): boolean {
  return other.every((source) => {
    const ranges = findSource(set, source)?.ranges ?? [];
    return source.ranges.every((range) => hasRange(ranges, range));
  });
}

/** Counts the objects of a set. */
export function countSequences(set: SequenceSet): number {
  return set.reduce((sum, { ranges }) => ranges.reduce((count, [first, last]) => count + last - first + 1, sum), 0);
}

/** Reads a set from a document. @throws FirnError `corrupt_object` unless it is in its one form */
export function readSequenceSet(field: JsonField): SequenceSet {
  const set = toList(field, readSourceRanges);
  set.forEach((source, index) => {
    const before = set[index - 1];
    if (before !== undefined && compareSources(before, source) >= 0) {
      throw corrupt(
        field,
        `is out of order at ${index}`,
        "each incarnation once, in the order of shard and incarnation",
      );
    }
  });
  return set;
}

function readSourceRanges(field: JsonField): SourceRanges {
  const rangesField = memberOf(field, "ranges");
  const ranges = toList(rangesField, readRange);
  if (ranges.length === 0) throw corrupt(rangesField, "is empty", "at least one range");
  ranges.forEach(([first], index) => {
    const before = ranges[index - 1];
    if (before !== undefined && first <= before[1] + 1) {
      throw corrupt(rangesField, `is out of order at ${index}`, "ascending ranges with gaps between them");
    }
  });
  return {
    shard: toInteger(memberOf(field, "shard"), { min: 0, max: MAX_SHARD }),
    incarnation: toHex(memberOf(field, "incarnation"), INCARNATION_DIGITS),
    ranges,
  };
}

function readRange(field: JsonField): SequenceRange {
  const [first, last, ...rest] = toList(field, (end) => toInteger(end, { min: 1, max: MAX_SEQUENCE }));
  if (first === undefined || last === undefined || rest.length > 0 || first > last) {
    throw corrupt(field, "is not right", "a first sequence and a last one that is not lower");
  }
  return [first, last];
}

/** Finds the ranges of an incarnation. */
function findSource(set: SequenceSet, key: SourceKey): SourceRanges | undefined {
  const source = set[findFirst(set, (candidate) => compareSources(candidate, key) >= 0)];
  return source !== undefined && compareSources(source, key) === 0 ? source : undefined;
}

/** Says whether one of the ranges holds all of a range. */
function hasRange(ranges: readonly SequenceRange[], [first, last]: SequenceRange): boolean {
  const range = ranges[findFirst(ranges, (candidate) => candidate[1] >= last)];
  return range !== undefined && range[0] <= first;
}

/** Sorts ranges and joins those that overlap or adjoin. */
function mergeRanges(ranges: readonly SequenceRange[]): readonly SequenceRange[] {
  const merged: SequenceRange[] = [];
  for (const range of ranges.toSorted((left, right) => left[0] - right[0])) {
    const before = merged.at(-1);
    if (before === undefined || range[0] > before[1] + 1) merged.push(range);
    else if (range[1] > before[1]) merged[merged.length - 1] = [before[0], range[1]];
  }
  return merged;
}

/** Finds where a condition begins to hold in a list in whose order it stays true; its length when nowhere. */
function findFirst<T>(list: readonly T[], isReached: (element: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const element = list[middle];
    if (element !== undefined && isReached(element)) high = middle;
    else low = middle + 1;
  }
  return low;
}

type SourceKey = Omit<SourceRanges, "ranges">;

/** Compares by shard, then by incarnation: negative, zero or positive. */
function compareSources(left: SourceKey, right: SourceKey): number {
  if (left.shard !== right.shard) return left.shard - right.shard;
  if (left.incarnation === right.incarnation) return 0;
  return left.incarnation < right.incarnation ? -1 : 1;
}
