/** What a schedule plays with: a bucket, two Compactors, a reader, a clock, and how bad everything is. */
import type { WorkBounds } from "../../../../src/compaction/compactor.ts";
import { FirnError } from "../../../../src/errors.ts";
import type { MemoryObject } from "../../../../src/object-store/memory/memory-objects.ts";
import { bytes, HOUR, millis, MINUTE } from "../../../../src/units.ts";
import { AFTER_14, HOUR_14, openBucket, readNames, type Bucket, type ReadWindow } from "../../../compaction/bucket.ts";
import { BOUNDS, SETTINGS } from "../../../compaction/settings.ts";
import { HOUR_FORMAT, MINUTE_FORMAT } from "../../../reader/archive-sample.ts";
import { openChecker, type Checker } from "./checker.ts";
import type { Choices } from "./choices.ts";
import type { Platform } from "./platform.ts";
import { openScheduler, type Life, type Scheduler } from "./scheduler.ts";
import { openSimCompactor, type SimCompactor } from "./sim-compactor.ts";
import { openSimStore, type Flaw, type StoreFaults } from "./sim-store.ts";
import type { SqliteDisk, StoragePoint } from "./sqlite-disk.ts";

/** The hours that are played with. */
export const WINDOW: ReadWindow = { start: "2026-05-01T13:00:00Z", end: "2026-05-01T15:00:00Z" };

/** How bad everything is, of 1000. */
export interface Faults extends StoreFaults {
  /** A call of the store that fails, before its effect or after it. */
  call: number;
  /** A transaction, a wait for the disk or an alarm that fails. */
  storage: number;
}

/** What all schedules of a run share. */
export interface Stage {
  readonly platform: Platform;
  readonly disks: readonly [SqliteDisk, SqliteDisk];
  /** Faults and acts, over all schedules. */
  readonly counts: Map<string, number>;
  readonly flaw: Flaw | null;
}

/** All of a schedule. */
export interface World {
  readonly choices: Choices;
  readonly bucket: Bucket;
  readonly scheduler: Scheduler;
  readonly checker: Checker;
  readonly compactors: readonly [SimCompactor, SimCompactor];
  readonly faults: Faults;
  /** What happened, for who has to understand it. */
  readonly trace: { readonly at: number; readonly line: string }[];
  readonly counts: Map<string, number>;
  readonly flaw: Flaw | null;
  now: number;
  /** The first thing that must not be. */
  failure: string | null;
  /** Somebody died whose uploads nobody knows of. */
  mayOrphan: boolean;
  /** Effects on their way whose senders are dead. */
  ghosts: { readonly label: string; readonly effect: () => Promise<unknown> }[];
  /** Compactors may be told that shards still write. */
  mayBeOpen: boolean;
  /** How often something new begins, of 1000, and how often whoever went on last goes on again. */
  readonly unrest: number;
  readonly stickiness: number;
  lastLife: Life | null;
  reader: Life | null;
  nextItem: number;
  /** Fresh objects as they were put, of those too that were deleted. */
  readonly copies: Map<string, MemoryObject>;
}

/** Compression that needs no thread; gzip is inflated by one. */
const FORMS = [
  { marshaler: "otlp_proto", compression: "none" },
  { marshaler: "otlp_json", compression: "none" },
] as const;

/** Opens a world; its badness is drawn first, so that some are quiet and some have one kind of fault alone. */
export function openWorld(choices: Choices, { disks, counts, flaw }: Stage): World {
  const format = choices.pick([MINUTE_FORMAT, MINUTE_FORMAT, HOUR_FORMAT]);
  const bucket = openBucket({ format });
  const grace = choices.pick([SETTINGS.grace, millis(5 * MINUTE)]);
  const rate = (): number => choices.pick([0, 0, 20, 80]);
  const world: World = {
    choices,
    bucket,
    counts,
    flaw,
    scheduler: openScheduler(),
    checker: openChecker(bucket, format === HOUR_FORMAT ? null : grace, () => count({ counts }, "rewrite")),
    faults: { call: rate(), storage: rate() / 2, reset: rate(), shortPage: rate() * 3, staleList: rate() },
    trace: [],
    now: AFTER_14,
    failure: null,
    mayOrphan: false,
    ghosts: [],
    mayBeOpen: choices.chance(200),
    unrest: choices.pick([30, 60, 200]),
    stickiness: choices.pick([700, 0, 950]),
    lastLife: null,
    reader: null,
    nextItem: 0,
    copies: new Map(),
    compactors: [
      // The arguments name the world, which is there when they are called.
      openOne("one", () => world, disks[0]),
      openOne("two", () => world, disks[1]),
    ],
  };
  return world;

  function openOne(name: string, of: () => World, disk: SqliteDisk): SimCompactor {
    disk.wipe();
    disk.outputKeys.clear();
    const bounds: WorkBounds = {
      ...BOUNDS,
      stepRawBytes: choices.pick([1e9, 1e9, 100, 1]),
      runMaxSources: choices.pick([2000, 5, 2, 1]),
    };
    const targetBytes = bytes(choices.pick([1e9, 200, 60]));
    const settings = { ...SETTINGS, grace, targetBytes, compression: "zstd" } as const;
    const sim: SimCompactor = openSimCompactor({
      name,
      disk,
      bucket,
      settings,
      bounds,
      now: () => of().now,
      openStore: (life) => openStoreOf(of(), life),
      pointOf: (life) => toPoint(of(), life),
      closeHour: () => (of().mayBeOpen && choices.chance(300) ? "open" : "closed"),
      onAbandon: (life) => kill(of(), sim, life),
    });
    return sim;
  }
}

/** Store of an instance or a reader, whose effects are checked. */
export function openStoreOf(world: World, life: Life): ReturnType<typeof openSimStore> {
  const { bucket, scheduler, choices, faults, checker } = world;
  const sim = world.compactors.find((each) => each.name === life.name);
  const actor = {
    get now() {
      return sim?.latest ?? world.now;
    },
    hasIntent: (key: string) => sim?.disk.outputKeys.has(key) === true,
  };
  return openSimStore(
    {
      bucket: bucket.store,
      flaw: world.flaw,
      scheduler,
      choices,
      faults,
      count: (fault) => count(world, fault),
      onEffect: (_life, effect) => guard(world, () => checker.afterEffect(actor, effect)),
    },
    life,
  );
}

function toPoint(world: World, life: Life): StoragePoint {
  const { scheduler, choices, faults } = world;
  const mayFail = (name: string): void => {
    if (scheduler.isCalm || !choices.chance(faults.storage)) return;
    count(world, name);
    note(world, `${life.name}: ${name} fails`);
    throw new Error(`${name} fails, as planned`);
  };
  return {
    assertAlive: () => {
      if (life.state !== "alive") throw new Error("this instance has no storage any more");
    },
    effect: mayFail,
    sync: async () => {
      await scheduler.wait(life, "sync", null);
      mayFail("sync");
    },
  };
}

/** Ends an instance; the disk keeps what was waited for, and perhaps the rest. */
export function kill(world: World, sim: SimCompactor, life: Life): void {
  const { scheduler, choices } = world;
  note(world, `${life.name}: dies`);
  for (const { effect, label } of scheduler.kill(life)) {
    count(world, `died at ${label.replace(/^answer of /, "").split(" ")[0]}`);
    if (effect === null || !choices.chance(300)) continue;
    world.ghosts.push({ label, effect });
    world.mayOrphan = true;
  }
  if (sim.life === life) replaceLife(world, sim);
}

/** The next call meets a new instance, whatever becomes of the old one. */
export function replaceLife({ choices }: World, sim: SimCompactor): void {
  sim.disk.crash(choices.chance(500));
  sim.life = null;
}

/** Puts a fresh object into a closed hour. @returns the hour */
export function putFresh(world: World): number {
  const { choices, bucket, checker } = world;
  const hour = millis(HOUR_14 - choices.next(2) * HOUR);
  const items = Array.from({ length: choices.pick([1, 2, 0]) }, () => `item-${(world.nextItem += 1)}`);
  const key = bucket.put(choices.next(60), items, { hour, form: choices.pick([FORMS[0], FORMS[0], FORMS[1]]) });
  checker.addSource(key);
  const object = bucket.store.objects.get(key);
  if (object !== undefined) world.copies.set(key, object);
  note(world, `a shard: puts ${items.join(" ")} into ${new Date(hour).toISOString().slice(11, 16)}`);
  return hour;
}

/** All items are there, once. @param before names that were put before the reading began */
export async function readAndCheck(
  world: World,
  before: readonly string[],
  bucket: Bucket = world.bucket,
): Promise<void> {
  const found = await readNames(bucket, WINDOW);
  const there = new Set(found);
  const lost = before.filter((name) => !there.has(name));
  if (lost.length > 0) fail(world, `a reader does not find ${lost.join(" ")}`);
  const doubled = found.filter((name, index) => found.indexOf(name) !== index);
  if (doubled.length > 0) fail(world, `a reader finds ${doubled.join(" ")} twice`);
}

/** Reading may fail where the store did, or where a minute was compacted under it; never over what stands there. */
export function mayFailRead(error: unknown): boolean {
  return error instanceof FirnError && ["store_unavailable", "store_refused", "unavailable"].includes(error.kind);
}

/** Notes a thing that happened. */
export function note(world: World, line: string): void {
  world.trace.push({ at: world.now, line });
}

/** Counts a fault or an act. */
export function count({ counts }: Pick<World, "counts">, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Notes what must not be; only the first counts. */
export function fail(world: World, message: string): void {
  world.failure ??= message;
  note(world, `FAILURE: ${message}`);
}

function guard(world: World, check: () => void): void {
  try {
    check();
  } catch (error) {
    fail(world, error instanceof Error ? error.message : String(error));
  }
}
