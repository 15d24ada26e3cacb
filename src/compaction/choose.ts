/**
 * Which sources a run takes: the first in the order of minute and key, all of one marshaler, as many as a run may have.
 * The candidates of an hour come page by page and are never all held.
 */
import type { ObjectForm } from "../archive/object-form.ts";
import { COMPACT_RATIO_GUESS } from "../limits.ts";
import { compareKeys } from "../reader/key-order.ts";

/** An object that may become a source. */
export interface Candidate {
  readonly key: string;
  readonly length: number;
  readonly etag: string | null;
  /** Minute of the hour, 0 to 59. */
  readonly minute: number;
  readonly form: ObjectForm;
}

/** What a run takes. */
export interface Choice {
  readonly marshaler: ObjectForm["marshaler"];
  /** At least one, in the order of minute and key. */
  readonly sources: readonly Candidate[];
  /** The hour has more. */
  readonly hasMore: boolean;
}

/** Gathers candidates. */
export interface Chooser {
  add(candidate: Candidate): void;
  /** @returns `null` without candidates */
  choose(): Choice | null;
}

/** How much a run takes. */
export interface ChoiceBounds {
  readonly runMaxSources: number;
  readonly runMaxRawBytes: number;
}

/** Opens a chooser for one hour; it holds at most twice as many candidates of each marshaler as a run takes. */
export function openChooser({ runMaxSources, runMaxRawBytes }: ChoiceBounds): Chooser {
  const held = { otlp_proto: [] as Candidate[], otlp_json: [] as Candidate[] };
  let isCut = false;

  function cut(marshaler: ObjectForm["marshaler"]): readonly Candidate[] {
    const sorted = held[marshaler].toSorted(compareCandidates);
    if (sorted.length > runMaxSources) isCut = true;
    held[marshaler] = sorted.slice(0, runMaxSources);
    return held[marshaler];
  }

  return {
    add: (candidate) => {
      const { marshaler } = candidate.form;
      held[marshaler].push(candidate);
      if (held[marshaler].length >= 2 * runMaxSources) cut(marshaler);
    },
    choose: () => {
      const [first, second] = [cut("otlp_proto"), cut("otlp_json")].toSorted(compareLists);
      const marshaler = first?.[0]?.form.marshaler;
      if (first === undefined || marshaler === undefined) return null;
      const sources = takeRaw(first, runMaxRawBytes);
      return { marshaler, sources, hasMore: isCut || sources.length < first.length || (second?.length ?? 0) > 0 };
    },
  };
}

/** Guesses how long an object is once it is inflated. */
function guessRawBytes({ length, form }: Candidate): number {
  return form.compression === "none" ? length : length * COMPACT_RATIO_GUESS;
}

function takeRaw(candidates: readonly Candidate[], maxRawBytes: number): readonly Candidate[] {
  let rawBytes = 0;
  const end = candidates.findIndex((candidate, index) => {
    rawBytes += guessRawBytes(candidate);
    return index > 0 && rawBytes > maxRawBytes;
  });
  return end === -1 ? candidates : candidates.slice(0, end);
}

function compareCandidates(left: Candidate, right: Candidate): number {
  return left.minute === right.minute ? compareKeys(left.key, right.key) : left.minute - right.minute;
}

/** The list with the earlier beginning comes first, an empty one last. */
function compareLists(left: readonly Candidate[], right: readonly Candidate[]): number {
  const [first] = left;
  const [second] = right;
  if (first === undefined || second === undefined) return right.length - left.length;
  return compareCandidates(first, second);
}
