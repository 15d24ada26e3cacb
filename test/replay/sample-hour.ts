/** Hours of every kind for property tests: fresh and foreign objects in every form, outputs, and compaction of them. */
import * as fc from "fast-check";
import { FORMS, foreignKey, foreignObject, ownObject } from "../reader/archive-forms.ts";
import { freshKey } from "../reader/archive-sample.ts";
import { makeOutput, publish, sourcesOf, type SampleMember, type SampleRun } from "../reader/hour-kit.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";

/** Requests of an object, each a list of lengths of names. */
type SampleRequests = readonly (readonly number[])[];

/** What an hour is made of. */
export interface SampleHour {
  /** Firn's own fresh objects; the first are those that a compaction takes. */
  readonly fresh: readonly { readonly minute: number; readonly form: number; readonly requests: SampleRequests }[];
  readonly foreign: readonly { readonly form: number; readonly requests: SampleRequests }[];
  readonly outputs: readonly (readonly (readonly [minute: number, lengths: readonly number[]])[])[];
}

const lengths = fc.array(fc.oneof({ weight: 3, arbitrary: fc.nat(300) }, fc.nat(50_000)), {
  minLength: 1,
  maxLength: 4,
});
const requests = fc.array(lengths, { minLength: 1, maxLength: 4 });
const form = fc.nat(FORMS.length - 1);
const minute = fc.constantFrom(3, 9, 9, 10, 59);
/** Hours with items in names of up to 50,000 letters. */
export const hour: fc.Arbitrary<SampleHour> = fc.record({
  fresh: fc.array(fc.record({ minute, form, requests }), { maxLength: 6 }),
  foreign: fc.array(fc.record({ form, requests }), { maxLength: 2 }),
  outputs: fc.array(
    fc.array(fc.tuple(minute, lengths), { minLength: 1, maxLength: 5 }).map((runs) => runs.toSorted(byMinute)),
    { maxLength: 2 },
  ),
});
function byMinute([left]: readonly [number, ...unknown[]], [right]: readonly [number, ...unknown[]]): number {
  return left - right;
}

/** Names that say their minute, and which no two items share. */
function openNames(): (minute: number, length: number) => string {
  let count = 0;
  return (of, length) => `n-${of}-${count++}-${"x".repeat(length)}`;
}

/** A bucket that holds an hour. */
export interface Bucket {
  readonly store: SyntheticStore;
  /** Compacts Firn's fresh objects into one output, and deletes them. */
  readonly compact: () => Promise<void>;
}

/** Puts an hour into a bucket of its own. */
export async function openBucket({ fresh, foreign, outputs }: SampleHour): Promise<Bucket> {
  const store = openSyntheticStore();
  const nameOf = openNames();
  const runs: SampleRun[] = [];
  const sources: string[] = [];
  for (const [index, each] of fresh.entries()) {
    const names = each.requests.map((lengthsOf) => lengthsOf.map((length) => nameOf(each.minute, length)));
    const formOf = FORMS[each.form] ?? FORMS[0];
    const time = `2026-05-01T14:${String(each.minute).padStart(2, "0")}:00Z`;
    const key = freshKey(time, { sequence: index + 1 }).replace(/\.binpb\.gz$/, extensionOf(each.form));
    if (formOf !== undefined) store.objects.set(key, bytesObject(ownObject("traces", formOf, names), 20_000));
    sources.push(key);
    for (const list of names) runs.push([each.minute, list]);
  }
  for (const [index, each] of foreign.entries()) {
    const formOf = FORMS[each.form] ?? FORMS[0];
    if (formOf === undefined) continue;
    const names = each.requests.map((lengthsOf) => lengthsOf.map((length) => nameOf(9, length)));
    store.objects.set(foreignKey("traces", formOf, 100 + index), bytesObject(foreignObject("traces", formOf, names)));
  }
  const made = await Promise.all(
    outputs.map((members, index) => {
      const samples: SampleMember[] = members.map(([of, list]) => [[of, list.map((length) => nameOf(of, length))]]);
      return makeOutput(samples, { number: index + 1 });
    }),
  );
  const first = made.length === 0 ? null : await publish(store, { outputs: made });
  const compact = async (): Promise<void> => {
    if (sources.length === 0) return;
    const members = runs.toSorted(byMinute).map((run): SampleMember => [run]);
    const output = await makeOutput(members, { number: 9, attempt: 2 });
    const generation = first === null ? 1 : 2;
    const all = { outputs: [...made, output], sources: sourcesOf(sources), generation };
    await publish(store, { ...all, parent: first?.sha256Hex ?? null });
    for (const key of sources) store.objects.delete(key);
  };
  return { store, compact };
}

function extensionOf(index: number): string {
  const found = FORMS[index] ?? { marshaler: "otlp_proto", compression: "gzip" };
  const ending = { none: "", gzip: ".gz", zstd: ".zst" }[found.compression];
  return `${found.marshaler === "otlp_json" ? ".json" : ".binpb"}${ending}`;
}
