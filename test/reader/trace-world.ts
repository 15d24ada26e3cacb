/**
 * Archives of hours in which traces are looked up, compacted by Firn's own Compactor, and what may have happened to an
 * hour since: {@link changeHour}. Each is what production can leave, or what a bucket can lose.
 */
import {
  formatManifestKey,
  formatMembersKey,
  formatTraceIndexKey,
  manifestFolder,
} from "../../src/archive/firn-keys.ts";
import { formatKey, parseKey, type CompactedKey } from "../../src/archive/key.ts";
import { decodeManifest, encodeManifest, type Manifest } from "../../src/archive/manifest.ts";
import { hourPrefixOf } from "../../src/archive/partition.ts";
import { HOUR, millis, MINUTE, type Millis } from "../../src/units.ts";
import { HOUR_14, openBucket, type Bucket } from "../compaction/bucket.ts";
import { compactAll, makeItems, openRandom, putItems, type ItemFacts } from "./facts-archive.ts";
import { sha256Of } from "./hour-kit.ts";

export const HOURS = 8;
export const FIRST: Millis = millis(HOUR_14 - HOUR * (HOURS - 1));

/** An archive, and what is in it. */
export interface World {
  readonly bucket: Bucket;
  readonly items: ItemFacts[];
  readonly traces: readonly Uint8Array[];
  readonly random: () => number;
}

/** How an archive is made. */
export interface WorldOptions {
  readonly signal: "traces" | "logs";
  readonly format: string;
  /** Of outputs; small ones are several an hour. */
  readonly targetBytes: number;
  /** Items of a minute that has any. */
  readonly count: number;
}

/** Makes an archive of compacted hours, in each of which most traces are not. */
export async function openTraceWorld(seed: number, options: WorldOptions): Promise<World> {
  const { signal, format, targetBytes, count } = options;
  const random = openRandom(seed);
  const bucket = openBucket({ signal, format });
  const traces = Array.from({ length: HOURS * 120 }, (_, index) =>
    Uint8Array.from({ length: 16 }, (__, at) => (at === 2 ? 5 : at === 14 ? index >> 8 : at === 15 ? index & 255 : 0)),
  );
  const world = { bucket, items: [], traces, random };
  for (let hour = 0; hour < HOURS; hour += 1)
    for (let minute = hour % 7; minute < 60; minute += 9) fill(world, hour, minute, count);
  await compactAll(bucket, { targetBytes });
  return world;
}

/** Puts a fresh object, whose traces are those of its hour or, now and then, of another one. */
export function fill({ bucket, items, traces, random }: World, hour: number, minute: number, count: number): void {
  const arrival = millis(FIRST + hour * HOUR + minute * MINUTE);
  const own = traces.slice(hour * 120, hour * 120 + 120);
  const made = makeItems(random, arrival, { count, traces: random() < 0.1 ? traces : own });
  items.push(...made);
  putItems(bucket, arrival, made);
}

/** Changes an hour, 0 and up, that has outputs, and so has the one after it. */
type Change = (world: World, hour: number) => Promise<void> | void;

const hourAt = (hour: number): Millis => millis(FIRST + hour * HOUR);

function outputsOf({ bucket }: World, hour: number): readonly CompactedKey[] {
  const { store, layout } = bucket;
  const keys = [...store.objects.keys()].filter((key) => key.includes(hourPrefixOf(layout.partition, hourAt(hour))));
  return keys.toSorted().flatMap((key) => {
    const own = key.includes("/_firn/") ? null : parseKey(key, layout);
    return own?.kind === "compacted" ? [own] : [];
  });
}

function pick<T>({ random }: World, list: readonly T[]): T {
  const picked = list[Math.floor(random() * list.length)];
  if (picked === undefined) throw new Error("there is nothing to pick");
  return picked;
}

function filesOf(
  { layout }: Bucket,
  own: CompactedKey,
): { readonly object: string; readonly table: string; readonly index: string } {
  return {
    object: formatKey(own, layout),
    table: formatMembersKey(own, layout),
    index: formatTraceIndexKey(own, layout),
  };
}

/** Publishes a generation after the newest. */
async function publishNext({ bucket }: World, hour: number, edit: (manifest: Manifest) => Manifest): Promise<void> {
  const { store, layout, signal } = bucket;
  const folder = manifestFolder(layout, signal, hourAt(hour));
  const key = [...store.objects.keys()]
    .filter((each) => each.startsWith(folder) && each.endsWith(".json"))
    .toSorted()
    .at(-1);
  const last = store.objects.get(key ?? "")?.bytes ?? new Uint8Array(0);
  const before = decodeManifest(last);
  const next = edit({ ...before, generation: before.generation + 1, parent: await sha256Of(last) });
  const encoded = encodeManifest(next);
  const sha256Hex = await sha256Of(encoded);
  const name = formatManifestKey({ generation: next.generation, sha256Hex }, layout, signal, hourAt(hour));
  store.objects.set(name, { bytes: encoded, contentType: "application/json", sha256Hex: null });
}

function copy({ store }: Bucket, from: string, to: string): void {
  const object = store.objects.get(from);
  if (object !== undefined) store.objects.set(to, object);
}

/** Rewrites an output under another attempt; the old one stands until the grace has passed. */
async function rewrite(world: World, hour: number, isOldGone: boolean): Promise<void> {
  const { bucket } = world;
  const own = pick(world, outputsOf(world, hour));
  const [old, made] = [filesOf(bucket, own), filesOf(bucket, { ...own, attempt: 77 })];
  copy(bucket, old.object, made.object);
  copy(bucket, old.index, made.index);
  // A table names its output, so that this one fits no more, as a damaged one: the object says the same.
  copy(bucket, old.table, made.table);
  await publishNext(world, hour, (manifest) => ({
    ...manifest,
    outputs: manifest.outputs.map((output) =>
      output.key === old.object
        ? { ...output, key: made.object, members: { ...output.members, key: made.table } }
        : output,
    ),
    indexes: manifest.indexes.map((index) =>
      index.output === old.object ? { ...index, output: made.object, key: made.index } : index,
    ),
  }));
  if (isOldGone) for (const key of Object.values(old)) bucket.store.objects.delete(key);
}

async function retire(world: World, hour: number, isGone: boolean): Promise<void> {
  const outputs = outputsOf(world, hour);
  await publishNext(world, hour, (manifest) => ({
    ...manifest,
    outputs: manifest.outputs.map((output) => ({ ...output, retired: true })),
    minutes: [],
    indexes: [],
  }));
  if (!isGone) return;
  for (const own of outputs)
    for (const key of Object.values(filesOf(world.bucket, own))) world.bucket.store.objects.delete(key);
}

function changeIndex(world: World, hour: number, edit: (file: Uint8Array) => Uint8Array): void {
  const { store } = world.bucket;
  const { index } = filesOf(world.bucket, pick(world, outputsOf(world, hour)));
  const object = store.objects.get(index);
  if (object !== undefined) store.objects.set(index, { ...object, bytes: edit(object.bytes) });
}

function remove(world: World, hour: number, kinds: readonly ("object" | "index")[]): void {
  const files = filesOf(world.bucket, pick(world, outputsOf(world, hour)));
  for (const kind of kinds) world.bucket.store.objects.delete(files[kind]);
}

/** An attempt that was never published; the traces of another hour are in it. */
function leaveAttempt(world: World, hour: number, kinds: readonly ("object" | "index")[]): void {
  const { bucket } = world;
  const other = pick(world, outputsOf(world, (hour + 1) % HOURS));
  const [from, to] = [filesOf(bucket, other), filesOf(bucket, { ...other, hour: hourAt(hour), attempt: 99 })];
  for (const kind of kinds) copy(bucket, from[kind], to[kind]);
}

const CHANGES: Readonly<Record<string, Change>> = {
  nothing: () => undefined,
  "late objects": (world, hour) => fill(world, hour, Math.floor(world.random() * 60), 2),
  "an output without its index": (world, hour) => remove(world, hour, ["index"]),
  "an index without its output": (world, hour) => remove(world, hour, ["object"]),
  "all outputs gone, indexes stand": (world, hour) => {
    for (const own of outputsOf(world, hour)) world.bucket.store.objects.delete(filesOf(world.bucket, own).object);
  },
  "all outputs gone with their indexes": (world, hour) => {
    for (const own of outputsOf(world, hour)) {
      const { object, index } = filesOf(world.bucket, own);
      for (const key of [object, index]) world.bucket.store.objects.delete(key);
    }
  },
  "an output gone, and the index of another": (world, hour) => {
    const [first, second = first] = outputsOf(world, hour);
    if (first === undefined || second === undefined) return;
    world.bucket.store.objects.delete(filesOf(world.bucket, first).object);
    world.bucket.store.objects.delete(filesOf(world.bucket, second).index);
  },
  "a generation that stands there twice": async (world, hour) => {
    await publishNext(world, hour, (manifest) => ({ ...manifest, generation: 1, parent: null, epoch: 9 }));
  },
  "a generation without the one before": async (world, hour) => {
    const { store, layout, signal } = world.bucket;
    await publishNext(world, hour, (manifest) => manifest);
    const first = `${manifestFolder(layout, signal, hourAt(hour))}00000001-`;
    for (const key of store.objects.keys()) if (key.startsWith(first)) store.objects.delete(key);
  },
  "a flipped bit in an index": (world, hour) => {
    const { random } = world;
    changeIndex(world, hour, (file) => {
      const at = Math.floor(random() * file.length);
      return file.with(at, (file[at] ?? 0) ^ (1 << Math.floor(random() * 8)));
    });
  },
  "an index cut short": (world, hour) => {
    changeIndex(world, hour, (file) => file.slice(0, Math.floor(world.random() * file.length)));
  },
  "an index cut after a page": (world, hour) => {
    changeIndex(world, hour, (file) => file.slice(0, 16 + 516 * Math.floor((file.length - 17) / 516)));
  },
  "an output that replaced one which stands": (world, hour) => rewrite(world, hour, false),
  "an output that replaced one": (world, hour) => rewrite(world, hour, true),
  "outputs retired, and still there": (world, hour) => retire(world, hour, false),
  "outputs retired": (world, hour) => retire(world, hour, true),
  "an attempt without indexes": (world, hour) => leaveAttempt(world, hour, ["object"]),
  "an attempt": (world, hour) => leaveAttempt(world, hour, ["object", "index"]),
  "a lost attempt whose index stands": (world, hour) => leaveAttempt(world, hour, ["index"]),
};

/** What may have happened to an hour. */
export const CHANGE_NAMES: readonly string[] = Object.keys(CHANGES);

/** Lets something happen to an hour, 0 and up, unless what happened before left nothing for it. */
export async function changeHour(world: World, hour: number, name: string): Promise<void> {
  const hasOutputs = [hour, (hour + 1) % HOURS].every((each) => outputsOf(world, each).length > 0);
  if (hasOutputs) await CHANGES[name]?.(world, hour);
}
