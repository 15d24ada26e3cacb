/** A look-up that spares manifests gives what one that reads them all gives, and what the whole archive holds. */
import { describe, expect, test } from "vitest";
import type { ObjectStore } from "../../src/object-store/contract.ts";
import { NO_HINTS } from "../../src/reader/hints.ts";
import { openSurvey, surveyWindow } from "../../src/reader/survey.ts";
import { HOUR, KIB, MIB, millis } from "../../src/units.ts";
import { HOUR_FORMAT, LIMITS, MINUTE_FORMAT } from "./archive-sample.ts";
import { compactAll, isKept } from "./facts-archive.ts";
import {
  counting,
  countOf,
  drawWindow,
  END,
  fail,
  readAll,
  requestOf,
  withoutListedIndexes,
  type Window,
} from "./trace-reads.ts";
import { changeHour, CHANGE_NAMES, FIRST, HOURS, openTraceWorld } from "./trace-world.ts";

const NOBODY = new Uint8Array(16).fill(200);

const WORLDS = [
  { signal: "traces", format: MINUTE_FORMAT, targetBytes: KIB, count: 12 },
  { signal: "traces", format: HOUR_FORMAT, targetBytes: MIB, count: 60 },
  { signal: "logs", format: MINUTE_FORMAT, targetBytes: MIB, count: 60 },
  { signal: "logs", format: HOUR_FORMAT, targetBytes: KIB, count: 12 },
] as const;

describe.each(WORLDS)("readWindow() with a trace id, $signal of outputs of $targetBytes", (options) => {
  test.each([1, 2])("finds what the manifests would have shown, world %d", { timeout: 60_000 }, async (seed) => {
    const world = await openTraceWorld(seed, options);
    const { random } = world;
    // A broken chain fails every read of its hour, and hides what else happened.
    const names = CHANGE_NAMES.filter((name) => !name.startsWith("a generation"));
    let spared = 0;
    for (let hour = 0; hour < HOURS; hour += 1) {
      for (let turn = Math.floor(random() * 2.5); turn > 0; turn -= 1) {
        await changeHour(world, hour, names[Math.floor(random() * names.length)] ?? "");
      }
    }
    for (let turn = 0; turn < 30; turn += 1) {
      // Late items are the last ones.
      const wanted = world.items.at(-1 - Math.floor(random() * (random() < 0.5 ? 20 : world.items.length)));
      const traceId = random() < 0.1 ? NOBODY : (wanted?.traceId ?? NOBODY);
      const window = drawWindow(random);
      const hinted = {
        hints: { ...NO_HINTS, traceId },
        onError: random() < 0.5 ? ("skip" as const) : ("stop" as const),
        ...(random() < 0.3 ? { expiredBefore: millis(END - 3 * HOUR) } : {}),
        ...(random() < 0.3 ? { limits: { ...LIMITS, maxStoreCalls: 5 + Math.floor(random() * 20) } } : {}),
      };
      const { store, calls } = counting(world.bucket.store);
      const usual = counting(withoutListedIndexes(world.bucket.store));
      const found = await readAll(world, requestOf(world, window, { ...hinted, store }), traceId);
      const expected = await readAll(world, requestOf(world, window, { ...hinted, store: usual.store }), traceId);
      expect(found).toEqual(expected);
      const { hints: _, ...unhinted } = hinted;
      const whole = await readAll(world, requestOf(world, window, unhinted), traceId);
      if (whole.error === null && found.error === null) expect(found.names).toEqual(whole.names);
      if (found.error !== null) expect(whole.error).not.toBeNull();
      spared += countOf(usual.calls, "get manifests") - countOf(calls, "get manifests");
    }
    expect(spared).toBeGreaterThan(5);
  });
});

const PLAIN = { signal: "traces", format: MINUTE_FORMAT, targetBytes: KIB, count: 12 } as const;
const WHOLE: Window = { start: FIRST, end: END };
/** How many manifests of an hour are read, and what is told of it, where it is not one and nothing. */
const EXPECTED: Readonly<Record<string, readonly [manifestCount: number, told: string]>> = {
  nothing: [0, ""],
  "an attempt": [0, ""],
  "an index without its output": [1, "expired"],
  "all outputs gone, indexes stand": [1, "expired"],
  "an output gone, and the index of another": [1, "expired"],
  "all outputs gone with their indexes": [1, "expired"],
  "outputs retired, and still there": [1, "retired"],
  "outputs retired": [1, "retired"],
  "a generation that stands there twice": [0, "Cannot read manifest"],
  "a generation without the one before": [0, "Cannot read manifest"],
};

describe("readWindow() with a trace id that no hour has", () => {
  test.each(CHANGE_NAMES)("reads the manifest of an hour if need be: %s", async (name) => {
    const world = await openTraceWorld(7, PLAIN);
    await changeHour(world, 3, name);
    const { store, calls } = counting(world.bucket.store);

    const hinted = { hints: { ...NO_HINTS, traceId: NOBODY }, store, expiredBefore: END };
    const { names, told, error } = await readAll(world, requestOf(world, WHOLE, hinted), NOBODY);

    const [manifestCount, wanted] = EXPECTED[name] ?? [1, ""];
    expect(names).toEqual([]);
    expect([...told, error ?? ""].join(" ").trimEnd()).toMatch(new RegExp(wanted === "" ? "^$" : wanted));
    expect(countOf(calls, "get manifests")).toBe(manifestCount);
  });

  test("takes three listings and the pages of indexes, and for two hours the usual calls", async () => {
    const world = await openTraceWorld(3, { ...PLAIN, targetBytes: MIB });
    for (const [window, expected] of [
      [WHOLE, { "list objects": 1, "list manifests": 1, "list indexes": 1, "get indexes": HOURS }],
      [
        { start: FIRST, end: millis(FIRST + 2 * HOUR) },
        { "list objects": 1, "list manifests": 1, "get manifests": 2, "get indexes": 2 },
      ],
    ] as const) {
      const { store, calls } = counting(world.bucket.store);

      await readAll(world, requestOf(world, window, { hints: { ...NO_HINTS, traceId: NOBODY }, store }), NOBODY);

      const names = [...new Set(calls)];
      expect(Object.fromEntries(names.map((name) => [name, countOf(calls, name)]))).toEqual(expected);
    }
  });
});

test.each([0, 1, 2])("readWindow() finds a trace whose objects are compacted before listing %d", async (listing) => {
  const world = await openTraceWorld(9, { ...PLAIN, targetBytes: MIB });
  for (let hour = 0; hour < HOURS; hour += 2) await changeHour(world, hour, "late objects");
  const { objects } = world.bucket.store;
  const before = new Map(objects);
  for (const { traceId } of world.items.slice(-8)) {
    objects.clear();
    for (const [key, object] of before) objects.set(key, object);
    let listed = 0;
    const store: ObjectStore = {
      ...world.bucket.store,
      list: async (request) => {
        if (listed === listing) await compactAll(world.bucket);
        listed += 1;
        return world.bucket.store.list(request);
      },
    };
    const wanted = { ...NO_HINTS, traceId: traceId ?? NOBODY };

    const { names } = await readAll(world, requestOf(world, WHOLE, { hints: wanted, store }), wanted.traceId);

    const expected = world.items.filter((item) => isKept(wanted, item)).map(({ name }) => name);
    expect(names).toEqual(expected.toSorted());
    expect([...objects.keys()].filter((key) => key.includes("Z-f"))).toEqual([]);
  }
});

test("readWindow() asks no index twice, and surveyWindow() promises its calls", async () => {
  const world = await openTraceWorld(3, { ...PLAIN, targetBytes: MIB });
  const { traceId } = world.items.find((item) => item.traceId !== null) ?? fail("a trace");
  const hints = { ...NO_HINTS, traceId };
  const { store, calls } = counting(world.bucket.store);

  const { names } = await readAll(world, requestOf(world, WHOLE, { hints, store }), traceId ?? NOBODY);
  const survey = openSurvey();
  await surveyWindow(requestOf(world, WHOLE, { hints }), survey, LIMITS.maxStoreCalls);

  expect(names.length).toBeGreaterThan(0);
  expect(countOf(calls, "get indexes")).toBe(HOURS);
  expect(countOf(calls, "get manifests")).toBeLessThan(HOURS);
  expect(survey.promisedCalls).toBe(calls.length);
});
