/** Look-ups that spare manifests, where pages end anywhere, beside objects of others, and while hours are compacted. */
import { describe, expect, test } from "vitest";
import { formatHourPath } from "../../src/archive/partition.ts";
import type { ObjectStore } from "../../src/object-store/contract.ts";
import type { MemoryObject } from "../../src/object-store/memory/memory-objects.ts";
import type { ReadRequest } from "../../src/reader/contract.ts";
import { NO_HINTS } from "../../src/reader/hints.ts";
import { openSurvey, surveyWindow } from "../../src/reader/survey.ts";
import { HOUR, KIB, MIB, millis, MINUTE } from "../../src/units.ts";
import { HOUR_FORMAT, LIMITS, MINUTE_FORMAT } from "./archive-sample.ts";
import { compactAll, isKept, makeItems, openRandom, putItems } from "./facts-archive.ts";
import {
  counting,
  countOf,
  drawWindow,
  END,
  fail,
  readAll,
  requestOf,
  withoutListedIndexes,
  type Outcome,
} from "./trace-reads.ts";
import { changeHour, CHANGE_NAMES, fill, FIRST, HOURS, openTraceWorld, type World } from "./trace-world.ts";

type Objects = ReadonlyMap<string, MemoryObject>;

const WORLDS = [
  { signal: "traces", format: MINUTE_FORMAT, targetBytes: KIB, count: 8 },
  { signal: "logs", format: HOUR_FORMAT, targetBytes: MIB, count: 20 },
  { signal: "traces", format: "%Y%m%d/%H%M", targetBytes: KIB, count: 8 },
] as const;

/** Lists a few keys at once, or none and a cursor, so that pages end inside hours; of each folder elsewhere. */
function withShortPages(store: ObjectStore, random: () => number, most: number): ObjectStore {
  return {
    ...store,
    list: async ({ cursor = "", startAfter, ...request }) => {
      const before = cursor.replace(/^!/, "");
      if (cursor === "" && startAfter === undefined && random() < 0.05) return { objects: [], cursor: "!" };
      const from = before === "" ? (startAfter === undefined ? {} : { startAfter }) : { cursor: before };
      return store.list({ ...request, ...from, limit: 1 + Math.floor(random() * most) });
    },
  };
}

/** Puts what another writer left: an object of this signal, and some of others. */
function putForeign({ bucket, items, random, traces }: World, hour: number): void {
  const { store, layout, signal } = bucket;
  const isMinute = layout.partition.freshPath.parts.some((part) => part.kind === "directive" && part.directive === "M");
  const arrival = millis(FIRST + hour * HOUR + (isMinute ? Math.floor(random() * 60) * MINUTE : 0));
  const made = makeItems(random, arrival, { count: 2, traces });
  putItems(bucket, arrival, made);
  const key = [...store.objects.keys()].at(-1) ?? "";
  const object = store.objects.get(key);
  store.objects.delete(key);
  if (object === undefined) return;
  const name = `${signal}_other-${items.length}.`;
  const foreign = key.replace(/[a-z]+_\d{8}T[^/.]+\./, name);
  const isOfSignal = random() < 0.5;
  if (isOfSignal) items.push(...made);
  store.objects.set(isOfSignal ? foreign : foreign.replace(name, `metrics_${items.length}.`), object);
  store.objects.set(key.replace(/[a-z]+_(?=\d{8}T)/, "metrics_"), object);
}

function drawTrace({ items, random }: World): Uint8Array {
  const wanted = items.at(-1 - Math.floor(random() * (random() < 0.5 ? 20 : items.length)));
  return wanted?.traceId ?? new Uint8Array(16).fill(200);
}

/** What a page tells as retired is of its minutes, and fewer calls an hour make other pages. */
function withoutCounts({ told }: Outcome): readonly string[] {
  return [...new Set(told.map((each) => each.replace(/^(retired \d+) \d+$/, "$1")))];
}

describe.each(WORLDS)("readWindow() with a trace id, $signal of $format, pages that end anywhere", (options) => {
  test.each([11, 12, 13])("finds what the manifests would have shown, world %d", { timeout: 60_000 }, async (seed) => {
    const world = await openTraceWorld(seed, options);
    const { random } = world;
    const { store } = world.bucket;
    const names = random() < 0.3 ? CHANGE_NAMES : CHANGE_NAMES.filter((name) => !name.startsWith("a generation"));
    for (let hour = 0; hour < HOURS; hour += 1) {
      if (random() < 0.2) putForeign(world, hour);
      if (random() < 0.4) await changeHour(world, hour, names[Math.floor(random() * names.length)] ?? "");
    }
    let spared = 0;
    for (let turn = 0; turn < 25; turn += 1) {
      const traceId = drawTrace(world);
      const window = drawWindow(random);
      const most = random() < 0.3 ? 1000 : 3 + Math.floor(random() * 120);
      const hinted = {
        hints: { ...NO_HINTS, traceId },
        onError: random() < 0.5 ? ("skip" as const) : ("stop" as const),
        ...(random() < 0.3 ? { expiredBefore: millis(END - 3 * HOUR) } : {}),
        ...(random() < 0.4 ? { limits: { ...LIMITS, maxStoreCalls: 2 + Math.floor(random() * 20) } } : {}),
      };
      const short = counting(withShortPages(store, random, most));
      const usual = counting(withoutListedIndexes(store));
      const found = await readAll(world, requestOf(world, window, { ...hinted, store: short.store }), traceId);
      const expected = await readAll(world, requestOf(world, window, { ...hinted, store: usual.store }), traceId);
      expect({ ...found, told: withoutCounts(found) }).toEqual({ ...expected, told: withoutCounts(expected) });
      spared += countOf(usual.calls, "get manifests") - countOf(short.calls, "get manifests");
    }
    expect(spared).toBeGreaterThan(5);
  });

  test.each([21, 22])("is promised the calls that it makes, world %d", { timeout: 60_000 }, async (seed) => {
    const world = await openTraceWorld(seed, options);
    for (let hour = 0; hour < HOURS; hour += 3) await changeHour(world, hour, "late objects");
    for (let turn = 0; turn < 10; turn += 1) {
      const traceId = drawTrace(world);
      const window = drawWindow(world.random);
      const { store, calls } = counting(world.bucket.store);
      const hints = { ...NO_HINTS, traceId };
      await readAll(world, requestOf(world, window, { hints, store }), traceId);
      const survey = openSurvey();
      await surveyWindow(requestOf(world, window, { hints }), survey, LIMITS.maxStoreCalls);
      expect(survey.promisedCalls).toBe(calls.length);
    }
  });
});

/** Empties an hour, and puts fresh objects there that nobody has compacted. */
function renew(world: World, hour: number): void {
  const { bucket, items } = world;
  const first = FIRST + hour * HOUR;
  const path = formatHourPath(bucket.layout.partition, millis(first));
  for (const key of bucket.store.objects.keys()) if (key.includes(path)) bucket.store.objects.delete(key);
  const left = items.filter(({ arrival }) => arrival < first || arrival >= first + HOUR);
  items.splice(0, items.length, ...left);
  for (let minute = 3; minute < 60; minute += 19) fill(world, hour, minute, 4);
}

/** Compacts, and keeps what the bucket held after each change. */
async function recordCompaction({ bucket }: World, options: { readonly targetBytes: number }): Promise<Objects[]> {
  const { objects } = bucket.store;
  const states: Objects[] = [new Map(objects)];
  const note = (): unknown => states.push(new Map(objects));
  Object.assign(objects, {
    set: (key: string, object: MemoryObject) => {
      Map.prototype.set.call(objects, key, object);
      note();
      return objects;
    },
    delete: (key: string) => {
      const isGone = Map.prototype.delete.call(objects, key);
      note();
      return isGone;
    },
  });
  await compactAll(bucket, options);
  for (const name of ["set", "delete"]) Reflect.deleteProperty(objects, name);
  return states;
}

/** A bucket that is further compacted before each call of its reader. */
function whileCompacting({ bucket }: World, states: readonly Objects[], draw: () => number): ObjectStore {
  const { store } = bucket;
  let at = 0;
  const goOn = (): void => {
    const next = Math.min(states.length - 1, at + draw());
    if (next !== at) toState(store.objects, states[next] ?? new Map());
    at = next;
  };
  return {
    ...store,
    list: async (request) => {
      goOn();
      return store.list(request);
    },
    get: async (key, options) => {
      goOn();
      return store.get(key, options);
    },
  };
}

function toState(objects: Map<string, MemoryObject>, state: Objects): void {
  objects.clear();
  for (const [key, object] of state) objects.set(key, object);
}

test.each([31, 32, 33, 34])("readWindow() finds a trace while hours are compacted, world %d", async (seed) => {
  const options = WORLDS[seed % WORLDS.length] ?? WORLDS[0];
  const world = await openTraceWorld(seed, options);
  for (let hour = 0; hour < HOURS; hour += 2) await changeHour(world, hour, "late objects");
  for (const hour of [1, 4, 5]) renew(world, hour);
  const random = openRandom(seed);
  let states = await recordCompaction(world, options);
  if (seed % 2 === 0) {
    // Compactors lost their storage in the middle of it, and what they had written is left.
    for (let turn = 0; turn < 2; turn += 1) {
      toState(world.bucket.store.objects, states[Math.floor(random() * states.length)] ?? fail("a state"));
      states = await recordCompaction(world, options);
    }
  }
  let failed = 0;
  for (let turn = 0; turn < 60; turn += 1) {
    const traceId = drawTrace(world);
    const pace = 1 + Math.floor(random() * 30);
    const first = Math.floor(random() * states.length);
    const rest = random() < 0.3 ? [states[first] ?? fail("a state")] : states.slice(first);
    toState(world.bucket.store.objects, rest[0] ?? fail("a state"));
    const moving = whileCompacting(world, rest, () => (random() < 0.5 ? 0 : Math.floor(random() * pace)));
    const store = random() < 0.5 ? moving : withShortPages(moving, random, 3 + Math.floor(random() * 60));
    const limits = random() < 0.3 ? { ...LIMITS, maxStoreCalls: 3 + Math.floor(random() * 20) } : LIMITS;
    const wanted = { ...NO_HINTS, traceId };
    const request: ReadRequest = requestOf(world, { start: FIRST, end: END }, { hints: wanted, store, limits });
    const { names, error } = await readAll(world, request, traceId);
    if (error !== null) {
      expect(error).toMatch(/Cannot go on inside minute/);
      failed += 1;
      continue;
    }
    const expected = world.items.filter((item) => isKept(wanted, item)).map(({ name }) => name);
    expect(names).toEqual(expected.toSorted());
  }
  expect(failed).toBeLessThan(20);
});
