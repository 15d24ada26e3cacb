import { expect, test } from "vitest";
import { formatKey } from "../../src/archive/key.ts";
import type { ObjectInfo } from "../../src/object-store/contract.ts";
import { hashKey } from "../../src/reader/part-hash.ts";
import {
  openHourCollector,
  type HourObjects,
  type HourSelection,
  type VisibleObject,
} from "../../src/reader/visible.ts";
import { millis } from "../../src/units.ts";
import { at, freshKey, HOUR_FORMAT, layoutOf } from "./archive-sample.ts";

const HOUR = at("2026-05-01T14:00:00Z");
const SELECTION: HourSelection = {
  layout: layoutOf(),
  signal: "traces",
  hour: HOUR,
  start: HOUR,
  end: at("2026-05-01T15:00:00Z"),
};
const BOUNDS = { maxObjects: 10, maxMinuteObjects: 10 };
const COMPACTED = formatKey(
  {
    kind: "compacted",
    signal: "traces",
    form: { marshaler: "otlp_proto", compression: "zstd" },
    hour: HOUR,
    attempt: 1,
    incarnation: "7be0c1d2",
    output: 1,
  },
  layoutOf(),
);
const info = (key: string): ObjectInfo => ({ key, length: 5, etag: "e", sha256Hex: null });
const collect = (keys: readonly string[], options: Partial<HourSelection> = {}): HourObjects => {
  const collector = openHourCollector({ ...SELECTION, ...options }, BOUNDS);
  collector.add(keys.map(info));
  return collector.end();
};
const pick = (key: string, options: Partial<HourSelection> = {}): readonly VisibleObject[] =>
  collect([key], options).minutes.flatMap(({ objects }) => objects);

test("openHourCollector() takes a fresh object by the minute of its seal time", () => {
  const [object] = pick(freshKey("2026-05-01T14:09:30.123Z"));

  expect(object).toMatchObject({ minute: at("2026-05-01T14:09:00Z"), length: 5, etag: "e" });
});

test("openHourCollector() takes a foreign object by its partition's minute", () => {
  const [object] = pick("p/year=2026/month=05/day=01/hour=14/minute=09/traces_312302042.json");

  expect(object).toMatchObject({ minute: at("2026-05-01T14:09:00Z"), form: { marshaler: "otlp_json" } });
});

test("openHourCollector() takes a foreign object of an hour partition by the hour's first instant", () => {
  const layout = layoutOf({ format: HOUR_FORMAT });
  const key = "p/year=2026/month=05/day=01/hour=14/traces_312302042.binpb";

  expect(pick(key, { layout })).toHaveLength(1);
  expect(pick(key, { layout, start: millis(HOUR + 1) })).toHaveLength(0);
});

test("openHourCollector() skips what is not wanted or not telemetry", () => {
  expect(pick(freshKey("2026-05-01T14:09:30Z", { signal: "logs" }))).toEqual([]);
  expect(pick("p/year=2026/month=05/day=01/hour=14/minute=09/notes.txt")).toEqual([]);
  expect(pick(freshKey("2026-05-01T14:09:30Z", { layout: layoutOf({ tenant: "acme" }) }))).toEqual([]);
  expect(pick(freshKey("2026-05-01T14:09:30Z"), { hour: at("2026-05-01T13:00:00Z") })).toEqual([]);
});

test("openHourCollector() knows an hour without any key from one without a wanted object", () => {
  expect(collect([]).isEmpty).toBe(true);
  expect(collect([freshKey("2026-05-01T14:09:30Z", { signal: "logs" })])).toMatchObject({
    isEmpty: false,
    minutes: [],
  });
});

test("openHourCollector() keeps compacted objects apart: only a manifest makes them visible", () => {
  const { minutes, compacted } = collect([COMPACTED, freshKey("2026-05-01T14:09:30Z")]);

  expect(minutes.flatMap(({ objects }) => objects).map(({ key }) => key)).toEqual([freshKey("2026-05-01T14:09:30Z")]);
  expect([...compacted.keys()]).toEqual([COMPACTED]);
  expect(collect([COMPACTED], { signal: "logs" }).compacted.size).toBe(0);
});

test("openHourCollector() is half-open: start ≤ minute < end", () => {
  const key = freshKey("2026-05-01T14:09:30Z");
  const minute = at("2026-05-01T14:09:00Z");

  expect(pick(key, { start: minute })).toHaveLength(1);
  expect(pick(key, { start: millis(minute + 1) })).toHaveLength(0);
  expect(pick(key, { end: minute })).toHaveLength(0);
  expect(pick(key, { end: millis(minute + 1) })).toHaveLength(1);
});

const fresh = (minute: number, sequence: number): ObjectInfo =>
  info(freshKey(`2026-05-01T14:${String(minute).padStart(2, "0")}:00Z`, { sequence }));
const sequencesOf = ({ minutes }: HourObjects): (readonly number[])[] =>
  minutes.map(({ objects }) => objects.map(({ key }) => Number.parseInt(key.split("-").at(-1)?.slice(0, 8) ?? "", 16)));

test("openHourCollector() orders by minute, then key", () => {
  const collector = openHourCollector(SELECTION, BOUNDS);

  collector.add([fresh(2, 1), fresh(1, 3)]);
  collector.add([fresh(1, 2)]);

  expect(sequencesOf(collector.end())).toEqual([[2, 3], [1]]);
});

test("openHourCollector() leaves out the latest minutes of too large an hour and says from where on", () => {
  const collector = openHourCollector(SELECTION, { maxObjects: 3, maxMinuteObjects: 10 });

  collector.add([fresh(1, 1), fresh(3, 3), fresh(2, 2), fresh(3, 4)]);
  collector.add([fresh(4, 5), fresh(2, 6)]);

  const objects = collector.end();
  expect(sequencesOf(objects)).toEqual([[1], [2, 6]]);
  expect(objects.cutAt).toBe(at("2026-05-01T14:03:00Z"));
});

test("openHourCollector() keeps the first objects of a minute that no response can fetch, and says so", () => {
  const collector = openHourCollector(SELECTION, { maxObjects: 30, maxMinuteObjects: 4 });

  collector.add([1, 2, 3, 4, 5].map((sequence) => fresh(9, sequence)));

  const { minutes, isOverfull } = collector.end();
  expect(isOverfull).toBe(true);
  expect(minutes[0]).toMatchObject({ isCut: true });
  expect(minutes[0]?.objects.map(({ key }) => key)).toEqual([1, 2, 3, 4].map((sequence) => fresh(9, sequence).key));
});

test("openHourCollector() begins the minute at the start with the object that was named", () => {
  const keys = [1, 2, 3, 4, 5, 6].map((sequence) => fresh(0, sequence));
  const startPart = hashKey(keys[3]?.key ?? "");
  const collector = openHourCollector({ ...SELECTION, startPart }, { maxObjects: 30, maxMinuteObjects: 4 });

  collector.add(keys);

  const { minutes, isOverfull } = collector.end();
  expect(isOverfull).toBe(false);
  expect(minutes[0]?.objects.map(({ key }) => key)).toEqual(keys.slice(3).map(({ key }) => key));
});

test("openHourCollector() gives no room to what is replaced", () => {
  const replaced = new Set([1, 2, 3].map((sequence) => fresh(9, sequence).key));
  const collector = openHourCollector(SELECTION, { maxObjects: 2, maxMinuteObjects: 2 }, (_, { key }) =>
    replaced.has(key),
  );

  collector.add([1, 2, 3, 4, 5].map((sequence) => fresh(9, sequence)));

  const objects = collector.end();
  expect(sequencesOf(objects)).toEqual([[4, 5]]);
  expect(objects).toMatchObject({ cutAt: null, isOverfull: false });
});
