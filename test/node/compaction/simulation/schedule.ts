/** One schedule from its first decision to its end, and what became of it. */
import { reportLate } from "../../../../src/compaction/late.ts";
import type { WorkOrder } from "../../../../src/compaction/contract.ts";
import { onAlarm, work } from "../../../../src/compaction/work.ts";
import { FirnError } from "../../../../src/errors.ts";
import { HOUR, MINUTE } from "../../../../src/units.ts";
import { checkClean, HOUR_14 } from "../../../compaction/bucket.ts";
import { RECENT } from "../../../compaction/settings.ts";
import type { Choices } from "./choices.ts";
import type { Life } from "./scheduler.ts";
import type { SimCompactor } from "./sim-compactor.ts";
import {
  count,
  fail,
  kill,
  mayFailRead,
  note,
  openStoreOf,
  openWorld,
  putFresh,
  readAndCheck,
  replaceLife,
  type Stage,
  type World,
} from "./world.ts";

/** What became of a schedule. */
export interface Outcome {
  /** `null` when all was as it should be. */
  readonly failure: string | null;
  /** What happened, a line each. */
  readonly toTrace: () => readonly string[];
  readonly steps: number;
}

const KINDS = ["store_unavailable", "store_unavailable", "store_unavailable", "store_refused"] as const;
const OLDER = { kind: "window", start: HOUR_14 - HOUR, end: HOUR_14 + HOUR, force: false, foreign: false } as const;
const ROUNDS = 4;
const SETTLE_ROUNDS = 60;

/** Runs a schedule. */
export async function runSchedule(stage: Stage, choices: Choices): Promise<Outcome> {
  stage.platform.reset();
  const world = openWorld(choices, stage);
  const acts = drawActs(world);
  const objects = 1 + choices.pick([2, 5, 12]);
  for (let number = 0; number < objects; number += 1) putFresh(world);
  const steps = choices.pick([100, 250, 500]);
  let step = 0;
  for (; step < steps && world.failure === null; step += 1) {
    await stage.platform.settle();
    takeStep(world, acts);
  }
  if (world.failure === null) await heal(world, stage);
  for (const life of new Set(world.scheduler.waiting.map((each) => each.life))) world.scheduler.kill(life);
  await stage.platform.settle();
  return { failure: world.failure, steps: step, toTrace: () => world.trace.map(toLine) };
}

function toLine({ at, line }: World["trace"][number]): string {
  return `${new Date(at).toISOString().slice(5, 19)} ${line}`;
}

type Act = (world: World) => void;

/** Acts of a schedule: the plain ones, and of the others those that it has. */
function drawActs({ choices }: World): readonly [Act, ...Act[]] {
  const rare = [jumpFar, skewClock, die, die, turnZombie, loseDisk, putAgain, workForced].filter(() =>
    choices.chance(500),
  );
  return [workFirst, workSecond, read, putLate, jump, ring, ...rare];
}

/** One of those who wait goes on, or something new begins. */
function takeStep(world: World, acts: readonly [Act, ...Act[]]): void {
  const { choices, scheduler } = world;
  world.now += 20;
  if (world.ghosts.length > 0 && choices.chance(100)) {
    arrive(world);
    return;
  }
  if (scheduler.waiting.length === 0 || choices.chance(world.unrest)) choices.pick(acts)(world);
  else resume(world);
}

function resume(world: World): void {
  const { choices, scheduler, faults } = world;
  const last = scheduler.waiting.findIndex(({ life }) => life === world.lastLife);
  const isSticky = last !== -1 && choices.chance(world.stickiness);
  const next = scheduler.take(isSticky ? last : choices.next(scheduler.waiting.length));
  if (next === undefined) return;
  const { life, label } = next;
  world.lastLife = life;
  if (label !== "sync" && choices.chance(faults.call)) {
    const moment = label.startsWith("answer") ? "after" : "before";
    count(world, `${label.replace(/^answer of /, "").split(" ")[0]}.${moment}`);
    note(world, `${life.name}: ${label} fails`);
    const kind = choices.pick(KINDS);
    next.fail(new FirnError(kind, "Cannot reach the store, as planned"));
    return;
  }
  note(world, `${life.name}: ${label}`);
  next.go();
}

/** A call whose sender is dead arrives after all. */
function arrive(world: World): void {
  const [ghost] = world.ghosts.splice(world.choices.next(world.ghosts.length), 1);
  if (ghost === undefined) return;
  count(world, "arrived late");
  note(world, `the dead: ${ghost.label}`);
  ghost.effect().catch(() => undefined);
}

/** Begins a call, whose failure is the caller's business. */
function call(world: World, sim: SimCompactor, name: string, act: () => Promise<unknown>): void {
  count(world, name);
  note(world, `${sim.name}: ${name}`);
  sim.calls += 1;
  act()
    .catch(() => undefined)
    .finally(() => {
      sim.calls -= 1;
    });
}

function workOn(world: World, sim: SimCompactor): void {
  world.now += world.choices.pick([1000, MINUTE, 10 * MINUTE]);
  if (sim.calls < 2) call(world, sim, "work", async () => work(await sim.live(), RECENT));
}

function workFirst(world: World): void {
  workOn(world, world.compactors[0]);
}

function workSecond(world: World): void {
  workOn(world, world.compactors[1]);
}

function workForced(world: World): void {
  const sim = world.choices.pick(world.compactors);
  if (sim.calls < 2) call(world, sim, "forced work", async () => work(await sim.live(), { ...OLDER, force: true }));
}

/** The alarm rings, early rather than never. */
function ring(world: World): void {
  const sim = world.choices.pick(world.compactors);
  const { alarmAt } = sim.disk;
  if (alarmAt === null) return;
  world.now = Math.max(world.now, Math.min(alarmAt - sim.skew, world.now + 2 * HOUR));
  if (world.now + sim.skew < alarmAt) return;
  sim.disk.alarmAt = null;
  call(world, sim, "alarm", async () => onAlarm(await sim.live()));
}

function read(world: World): void {
  if (world.reader !== null) return;
  const life: Life = { name: "reader", state: "alive" };
  world.reader = life;
  count(world, "read");
  note(world, "reader: begins");
  const before = [...world.bucket.names];
  readAndCheck(world, before, { ...world.bucket, store: { ...world.bucket.store, ...openStoreOf(world, life) } })
    .then(
      () => count(world, "read to the end"),
      (error: unknown) => {
        if (life.state === "alive" && !mayFailRead(error)) fail(world, `a reader fails: ${String(error)}`);
      },
    )
    .finally(() => {
      world.reader = null;
    });
}

function putLate(world: World): void {
  const sim = world.choices.pick(world.compactors);
  const hour = putFresh(world);
  if (world.choices.chance(500)) call(world, sim, "late report", async () => reportLate(await sim.live(), hour));
}

/** A PUT that was repeated brings a source back that was deleted. */
function putAgain(world: World): void {
  const { bucket, choices, copies } = world;
  const [key, copy] = [...copies][choices.next(copies.size)] ?? [];
  if (key === undefined || copy === undefined || bucket.store.objects.has(key)) return;
  bucket.store.objects.set(key, { ...copy });
  count(world, "put again");
  note(world, `a shard: puts ${key} again`);
}

function jump(world: World): void {
  world.now += world.choices.pick([MINUTE, 10 * MINUTE, 61 * MINUTE]);
}

function jumpFar(world: World): void {
  world.now += world.choices.pick([90 * MINUTE, 5 * HOUR]);
  count(world, "jump");
}

/** A clock that is wrong; each is ahead or behind by hours at most. */
function skewClock(world: World): void {
  const sim = world.choices.pick(world.compactors);
  sim.skew = world.choices.pick([0, 5 * MINUTE, 2 * HOUR, -5 * MINUTE]);
  count(world, "skew");
  note(world, `${sim.name}: clock is ${sim.skew / 1000} s ahead`);
}

function die(world: World): void {
  const sim = world.choices.pick(world.compactors);
  if (sim.life === null) return;
  count(world, "death");
  kill(world, sim, sim.life);
}

/** Another instance takes over, and the old one has not noticed. */
function turnZombie(world: World): void {
  const sim = world.choices.pick(world.compactors);
  if (sim.life === null) return;
  count(world, "zombie");
  note(world, `${sim.name}: is replaced, and goes on`);
  sim.life.state = "zombie";
  replaceLife(world, sim);
  world.mayOrphan = true;
}

function loseDisk(world: World): void {
  const sim = world.choices.pick(world.compactors);
  if (sim.life !== null) kill(world, sim, sim.life);
  sim.disk.wipe();
  count(world, "disk lost");
  note(world, `${sim.name}: loses its disk`);
  world.mayOrphan = true;
}

/** The faults stop, everybody goes on to the end, and hours pass until all is at rest. */
async function heal(world: World, { platform }: Stage): Promise<void> {
  const { scheduler, compactors } = world;
  note(world, "the faults stop");
  scheduler.isCalm = true;
  Object.assign(world.faults, { call: 0, storage: 0, reset: 0, shortPage: 0, staleList: 0 });
  world.mayBeOpen = false;
  while (scheduler.waiting.length > 0) {
    scheduler.take(0)?.go();
    await platform.settle();
  }
  for (const { effect } of world.ghosts) await effect().catch(() => undefined);
  await platform.settle();
  if (world.reader !== null || compactors.some(({ calls }) => calls > 0)) fail(world, "somebody waits for ever");
  await check(world, () => readAndCheck(world, world.bucket.names));
  for (let round = 0; round < ROUNDS && world.failure === null; round += 1) {
    for (const sim of compactors) {
      world.now += HOUR;
      sim.skew = 0;
      // Days may have passed, and nobody may remember the hours any more.
      await drain(world, sim, round < 2 ? OLDER : RECENT);
    }
  }
  const { mayOrphan } = world;
  // An upload whose id was lost with its answer stays open: nobody knows it, and the bucket's lifecycle ends it.
  await check(world, () => checkClean(world.bucket, "at the end", { mayOrphan, maxUploads: Infinity }));
}

async function drain(world: World, sim: SimCompactor, order: WorkOrder): Promise<void> {
  note(world, `${sim.name}: works to the end`);
  await check(world, async () => work(await sim.live(), order));
  for (let round = 0; round < SETTLE_ROUNDS; round += 1) {
    const { alarmAt } = sim.disk;
    if (alarmAt === null) return;
    world.now = Math.max(world.now, alarmAt);
    sim.disk.alarmAt = null;
    await onAlarm(await sim.live());
  }
  fail(world, `${sim.name} does not come to rest`);
}

async function check(world: World, body: () => Promise<unknown>): Promise<void> {
  try {
    await body();
  } catch (error) {
    fail(world, error instanceof Error ? error.message : String(error));
  }
}
