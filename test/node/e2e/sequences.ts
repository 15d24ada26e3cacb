/** The numbers in the names of fresh objects, read from the bucket alone (docs/archive-format.md#keys). */

const FRESH_NAME = /([a-z]+)_\w+-f([0-9a-f]{2}-[0-9a-f]{8})-([0-9a-f]{8})\.[^/]+$/;

/** Sequences of a bucket. */
export interface Sequences {
  /** Shards, each with its incarnation, that have objects. */
  readonly shardCount: number;
  /** A sentence for each gap, which proves a missing object (protocol 1), and each number that is there twice. */
  readonly faults: readonly string[];
}

/** Reads the sequences out of keys; those of other writers are left out. */
export function readSequences(keys: readonly string[]): Sequences {
  const shards = new Map<string, number[]>();
  for (const key of keys) {
    const [, signal, shard, sequence] = FRESH_NAME.exec(key) ?? [];
    if (sequence === undefined) continue;
    const name = `${signal} ${shard}`;
    shards.set(name, [...(shards.get(name) ?? []), Number.parseInt(sequence, 16)]);
  }
  const faults = [...shards].flatMap(([name, sequences]) =>
    sequences
      .toSorted((a, b) => a - b)
      .flatMap((found, i) => (found === i + 1 ? [] : [`${name}: ${found} is number ${i + 1}`])),
  );
  return { shardCount: shards.size, faults };
}
