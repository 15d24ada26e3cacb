/** An hour with one output, and what an attempt left beside it that nobody published. */
import { makeOutput, publish, type OutputOptions, type SampleMember, type SampleOutput } from "./hour-kit.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "./synthetic-store.ts";

export const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
export const MANIFESTS = "p/_firn/manifests/-/traces/year=2026/month=05/day=01/hour=14/";
export const NAMES: readonly string[] = ["n-1", "n-2", "n-3"];

/** A member a minute. */
export const membersOf = (minutes: readonly number[], tag = ""): readonly SampleMember[] =>
  minutes.map((minute) => [[minute, [`n-${minute}${tag}`]]]);
export const namesIn = (content: Uint8Array): readonly string[] =>
  new TextDecoder("latin1").decode(content).match(/n-\d+[a-z]*/g) ?? [];

/** A store, and the output in it. */
export interface EarlyHour {
  readonly store: SyntheticStore;
  readonly output: SampleOutput;
  readonly sha256Hex: string;
}

/** Publishes an hour of three minutes. */
export async function openHour(options: OutputOptions = {}): Promise<EarlyHour> {
  const store = openSyntheticStore();
  const output = await makeOutput(membersOf([1, 2, 3]), options);
  const { sha256Hex } = await publish(store, { outputs: [output] });
  return { store, output, sha256Hex };
}

/** What an attempt left that nobody published. */
export async function putOrphan(
  { store }: EarlyHour,
  attempt: number,
  minutes: readonly number[],
): Promise<SampleOutput> {
  const orphan = await makeOutput(membersOf(minutes, "orphan"), { attempt });
  store.objects.set(orphan.key, bytesObject(orphan.object));
  store.objects.set(orphan.table.key, bytesObject(orphan.table.file));
  return orphan;
}
