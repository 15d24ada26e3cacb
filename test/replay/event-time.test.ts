/** `time=event`: which arrivals are read for a window, what is found in them, and what the mark says of it. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ReplayDeps } from "../../src/replay/contract.ts";
import { replayResponse } from "../../src/replay/replay.ts";
import { cutArrivals, parseTimeRange } from "../../src/replay/time-parameter.ts";
import { bytes, HOUR, millis, MINUTE, type Millis } from "../../src/units.ts";
import { lengthField, logs, tag } from "../otlp/wire-builder.ts";
import { at, freshKey } from "../reader/archive-sample.ts";
import { concat, gzip, namesOf } from "../reader/otlp-sample.ts";
import { openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, toText } from "./replay-kit.ts";

const START = at("2026-05-01T14:00:00Z");
const END = at("2026-05-01T15:00:00Z");
/** After the last arrival that belongs to the window. */
const LONG_AFTER = millis(END + 200 * HOUR);
const HALF_A_DAY = millis(12 * HOUR);

interface Sample {
  readonly name: string;
  readonly arrival: Millis;
  /** `null`: it has none. */
  readonly time: Millis | null;
}

function storeOf(samples: readonly Sample[]): SyntheticStore {
  const objects = new Map<string, Uint8Array[]>();
  for (const { name, arrival, time } of samples) {
    const nanos = [...new Uint8Array(BigUint64Array.of(BigInt(time ?? 0) * 1_000_000n).buffer)];
    const key = freshKey(new Date(arrival).toISOString(), { signal: "logs" });
    const record = logs([...tag(1, 1), ...nanos], lengthField(5, lengthField(1, name)));
    objects.set(key, [...(objects.get(key) ?? []), record]);
  }
  return openSyntheticStore(Object.fromEntries([...objects].map(([key, records]) => [key, gzip(concat(records))])));
}

interface Answer {
  readonly names: readonly string[];
  readonly mark: Readonly<Record<string, unknown>> & { readonly next: string | null };
}

async function ask(
  store: SyntheticStore,
  {
    start = START,
    end = END,
    cursor,
  }: { readonly start?: Millis; readonly end?: Millis; readonly cursor?: string } = {},
  options: Partial<ReplayDeps> = {},
): Promise<Answer> {
  const query = new URLSearchParams({
    signal: "logs",
    time: "event",
    start: new Date(start).toISOString(),
    end: new Date(end).toISOString(),
    ...(cursor === undefined ? {} : { cursor }),
  });
  const deps = depsOf(store, { watermark: () => Promise.resolve(LONG_AFTER), now: () => LONG_AFTER, ...options });
  const text = toText(await (await replayResponse({ query, accept: null }, deps)).bytes());
  const { firn: mark } = JSON.parse(text.split("\n").at(-2) ?? "") as { readonly firn: Answer["mark"] };
  return { names: namesOf(text), mark };
}

const sample = (name: string, arrival: string, time: string | null): Sample => ({
  name,
  arrival: at(arrival),
  time: time === null ? null : at(time),
});

test("replayResponse() finds items by their own time, however late they arrived within the limit", async () => {
  const store = storeOf([
    sample("early clock", "2026-05-01T13:00:00Z", "2026-05-01T14:10:00Z"),
    sample("on time", "2026-05-01T14:10:00Z", "2026-05-01T14:09:00Z"),
    sample("before", "2026-05-01T14:11:00Z", "2026-05-01T13:59:59.999Z"),
    sample("first", "2026-05-01T14:12:00Z", "2026-05-01T14:00:00Z"),
    sample("after", "2026-05-01T14:13:00Z", "2026-05-01T15:00:00Z"),
    sample("no time", "2026-05-01T14:59:00Z", null),
    sample("no time later", "2026-05-01T15:00:00Z", null),
    sample("a week late", "2026-05-08T14:59:00Z", "2026-05-01T14:30:00Z"),
    sample("later than that", "2026-05-08T15:00:00Z", "2026-05-01T14:30:00Z"),
    sample("earlier than an hour", "2026-05-01T12:59:00Z", "2026-05-01T14:30:00Z"),
  ]);

  const { names, mark } = await ask(store);

  expect(names).toEqual(["early clock", "on time", "first", "no time", "a week late"]);
  expect(mark).toMatchObject({
    items: 5,
    complete: true,
    next: null,
    time: "event",
    arrivals_from: "2026-05-01T13:00:00.000Z",
    arrivals_until: "2026-05-08T15:00:00.000Z",
  });
});

test("replayResponse() looks for late items as long as it is told to", async () => {
  const store = storeOf([
    sample("late", "2026-05-01T20:00:00Z", "2026-05-01T14:30:00Z"),
    sample("later", "2026-05-02T14:00:00Z", "2026-05-01T14:30:00Z"),
  ]);
  const ends = await Promise.all([0, 12, 24].map((hours) => ask(store, {}, { eventMaxLate: millis(hours * HOUR) })));

  expect(ends.map(({ names }) => names)).toEqual([[], ["late"], ["late", "later"]]);
  expect(ends.map(({ mark }) => mark["arrivals_until"])).toEqual([
    "2026-05-01T15:00:00.000Z",
    "2026-05-02T03:00:00.000Z",
    "2026-05-02T15:00:00.000Z",
  ]);
});

test("replayResponse() is complete when the window lies below the watermark, and says how far it looked", async () => {
  const now = at("2026-05-01T18:00:30Z");
  const store = storeOf([sample("late", "2026-05-01T18:00:00Z", "2026-05-01T14:30:00Z")]);
  const askAt = (watermark: Millis | "unknown"): Promise<Answer> =>
    ask(store, {}, { now: () => now, watermark: () => Promise.resolve(watermark) });

  const [above, within, unknown] = await Promise.all([
    askAt(at("2026-05-01T17:59:00Z")),
    askAt(at("2026-05-01T14:59:00Z")),
    askAt("unknown"),
  ]);

  expect(above.mark).toMatchObject({ complete: true, arrivals_until: "2026-05-01T17:59:00.000Z", items: 1 });
  expect(within.mark).toMatchObject({ complete: false, arrivals_until: "2026-05-01T14:59:00.000Z", items: 1 });
  expect(unknown.mark).toMatchObject({ complete: false, arrivals_until: "unknown", watermark: "unknown" });
});

test("replayResponse() does not list the hours that are still to come", async () => {
  const now = at("2026-05-01T15:10:00Z");
  const store = storeOf([sample("on time", "2026-05-01T14:10:00Z", "2026-05-01T14:09:00Z")]);

  await ask(store, {}, { now: () => now, watermark: () => Promise.resolve(now) });

  expect(store.calls.length).toBeLessThan(12);
});

test("replayResponse() goes on with a cursor beyond the end of the window", async () => {
  const store = storeOf(
    ["13:30", "14:10", "16:00", "20:00"].map((time) => sample(time, `2026-05-01T${time}:00Z`, "2026-05-01T14:30:00Z")),
  );
  const limits = { maxStoreCalls: 1, maxRawBytes: bytes(1), fetchAhead: 0 };
  const names: string[] = [];
  let until: unknown = null;
  let cursor: string | undefined;
  for (let page = 0; page < 40; page += 1) {
    const answer = await ask(store, cursor === undefined ? {} : { cursor }, { limits, eventMaxLate: HALF_A_DAY });
    names.push(...answer.names);
    until = answer.mark["arrivals_until"];
    if (answer.mark.next === null) {
      expect(answer.mark["complete"]).toBe(true);
      break;
    }
    cursor = answer.mark.next;
  }

  expect(names).toEqual(["13:30", "14:10", "16:00", "20:00"]);
  expect(until).toBe("2026-05-02T03:00:00.000Z");
});

test("replayResponse() gives every item in exactly one of the windows that share their edges", async () => {
  const minute = fc.integer({ min: 0, max: 120 }).map((value) => millis(START + value * MINUTE));
  const time = fc.oneof(
    fc.constant(null),
    fc.integer({ min: 0, max: 120 * 60_000 }).map((value) => millis(START + value)),
    minute,
  );
  const items = fc.array(fc.record({ arrival: minute, time }), { minLength: 1, maxLength: 12 });
  const edges = fc.uniqueArray(fc.integer({ min: 1, max: 179 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(items, edges, async (drawn, cuts) => {
      const samples = drawn.map((each, index) => ({ ...each, name: `n-${index}` }));
      const store = storeOf(samples);
      const ends = [-60, ...cuts.toSorted((left, right) => left - right), 180].map((value) =>
        millis(START + value * MINUTE),
      );
      const names: string[] = [];
      for (const [index, end] of ends.slice(1).entries()) {
        names.push(...(await ask(store, { start: ends[index] ?? START, end })).names);
      }

      // An item whose clock ran ahead by more than an hour is not looked for.
      const found = samples.filter(({ arrival, time: own }) => own === null || own - arrival <= HOUR);
      expect(names.filter((name) => found.some((each) => each.name === name)).toSorted()).toEqual(
        found.map(({ name }) => name).toSorted(),
      );
      expect(new Set(names).size).toBe(names.length);
    }),
    { numRuns: 30 },
  );
});

test("parseTimeRange() reads arrivals around a window of event time, down to the nanosecond", () => {
  const query = new URLSearchParams(
    "time=event&start=2026-05-01T14:00:00.000000001Z&end=2026-05-01T14:00:00.000000002Z",
  );

  expect(parseTimeRange(query, "logs", HALF_A_DAY)).toEqual({
    window: { start: START, end: START + 1 },
    arrivals: { start: START - HOUR, end: START + 1 + HALF_A_DAY },
    eventTime: { startUnixNano: BigInt(START) * 1_000_000n + 1n, endUnixNano: BigInt(START) * 1_000_000n + 2n },
  });
});

test("parseTimeRange() begins no arrivals before 1970", () => {
  const query = new URLSearchParams("time=event&start=1970-01-01T00:10&end=1970-01-02");

  expect(parseTimeRange(query, "logs", HALF_A_DAY).arrivals.start).toBe(0);
});

test.each([
  ["logs", "time=seal", 'Cannot parse "time": found "seal", expected arrival or event'],
  ["logs", "time=", 'Cannot parse "time": found "", expected arrival or event'],
  ["profiles", "time=event", 'Cannot use time "event" with signal "profiles": its requests are kept whole and have no'],
] as const)("parseTimeRange() of %s refuses %s", (signal, query, message) => {
  expect(() =>
    parseTimeRange(new URLSearchParams(`${query}&start=2026-05-01&end=2026-05-02`), signal, HALF_A_DAY),
  ).toThrow(message);
});

test("cutArrivals() ends after the minute of now, and never before the place to read from", () => {
  const arrivals = { start: START, end: END };
  const cut = (now: Millis, from = START): Millis => cutArrivals(arrivals, { now, from }).end;

  expect(cut(millis(START + 90_000))).toBe(START + 2 * MINUTE);
  expect(cut(millis(START + 2 * MINUTE))).toBe(START + 3 * MINUTE);
  expect(cut(LONG_AFTER)).toBe(END);
  expect(cut(millis(0), millis(START + HOUR / 2))).toBe(START + HOUR / 2 + MINUTE);
});
