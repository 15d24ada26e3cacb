import { expect, test } from "vitest";
import { formatKey } from "../../src/archive/key.ts";
import type { ObjectInfo } from "../../src/object-store/contract.ts";
import { openHourCollector, pickVisible, type VisibleObject } from "../../src/reader/visible.ts";
import { MINUTE, millis } from "../../src/units.ts";
import { at, freshKey, HOUR_FORMAT, layoutOf } from "./archive-sample.ts";

const HOUR = at("2026-05-01T14:00:00Z");
const SELECTION = {
  layout: layoutOf(),
  signal: "traces",
  hour: HOUR,
  start: HOUR,
  end: at("2026-05-01T15:00:00Z"),
} as const;
const info = (key: string): ObjectInfo => ({ key, length: 5, etag: null, sha256Hex: null });
const pick = (key: string, options: Partial<Parameters<typeof pickVisible>[1]> = {}): readonly VisibleObject[] =>
  pickVisible([info(key)], { ...SELECTION, ...options });

test("pickVisible() takes a fresh object by the minute of its seal time", () => {
  const [object] = pick(freshKey("2026-05-01T14:09:30.123Z"));

  expect(object).toMatchObject({ minute: at("2026-05-01T14:09:00Z"), length: 5 });
});

test("pickVisible() takes a foreign object by its partition's minute", () => {
  const [object] = pick("p/year=2026/month=05/day=01/hour=14/minute=09/traces_312302042.json");

  expect(object).toMatchObject({ minute: at("2026-05-01T14:09:00Z"), form: { marshaler: "otlp_json" } });
});

test("pickVisible() takes a foreign object of an hour partition by the hour's first instant", () => {
  const layout = layoutOf({ format: HOUR_FORMAT });
  const key = "p/year=2026/month=05/day=01/hour=14/traces_312302042.binpb";

  expect(pick(key, { layout })).toHaveLength(1);
  expect(pick(key, { layout, start: millis(HOUR + 1) })).toHaveLength(0);
});

test("pickVisible() skips what is not wanted or not telemetry", () => {
  expect(pick(freshKey("2026-05-01T14:09:30Z", { signal: "logs" }))).toEqual([]);
  expect(pick("p/year=2026/month=05/day=01/hour=14/minute=09/notes.txt")).toEqual([]);
  expect(pick(freshKey("2026-05-01T14:09:30Z", { layout: layoutOf({ tenant: "acme" }) }))).toEqual([]);
  expect(pick(freshKey("2026-05-01T14:09:30Z"), { hour: at("2026-05-01T13:00:00Z") })).toEqual([]);
});

test("pickVisible() does not see a compacted object that no manifest names", () => {
  const form = { marshaler: "otlp_proto", compression: "gzip" } as const;
  const key = formatKey(
    { kind: "compacted", signal: "traces", form, hour: HOUR, attempt: 1, incarnation: "7be0c1d2", output: 1 },
    layoutOf(),
  );

  expect(pick(key)).toEqual([]);
});

test("pickVisible() is half-open: start ≤ minute < end", () => {
  const key = freshKey("2026-05-01T14:09:30Z");
  const minute = at("2026-05-01T14:09:00Z");

  expect(pick(key, { start: minute })).toHaveLength(1);
  expect(pick(key, { start: millis(minute + 1) })).toHaveLength(0);
  expect(pick(key, { end: minute })).toHaveLength(0);
  expect(pick(key, { end: millis(minute + 1) })).toHaveLength(1);
});

const object = (minute: number, key: string): VisibleObject => ({
  key,
  length: 1,
  minute: millis(HOUR + minute * MINUTE),
  form: { marshaler: "otlp_proto", compression: "gzip" },
});

test("openHourCollector() orders by minute, then key", () => {
  const collector = openHourCollector({ maxObjects: 10, maxMinuteObjects: 10 });

  collector.add([object(2, "a"), object(1, "c")]);
  collector.add([object(1, "b")]);

  const keys = collector.end().minutes.flatMap((minute) => minute.objects.map(({ key }) => key));
  expect(keys).toEqual(["b", "c", "a"]);
});

test("openHourCollector() refuses a listing that gives a key twice, on whatever pages", () => {
  const collector = openHourCollector({ maxObjects: 10, maxMinuteObjects: 10 });

  collector.add([object(1, "a"), object(1, "b")]);
  collector.add([object(1, "a")]);

  expect(() => collector.end()).toThrow('Cannot list the hour of object "a": the store listed it twice');
});

test("openHourCollector() leaves out the latest minutes of too large an hour and says from where on", () => {
  const collector = openHourCollector({ maxObjects: 3, maxMinuteObjects: 10 });

  collector.add([object(1, "a"), object(3, "c"), object(2, "b"), object(3, "d")]);
  collector.add([object(4, "e"), object(2, "f")]);

  const { minutes, cutAt } = collector.end();
  expect(minutes.map(({ objects }) => objects.length)).toEqual([1, 2]);
  expect(cutAt).toBe(HOUR + 3 * MINUTE);
});

test("openHourCollector() refuses a minute that no response can fetch", () => {
  const collector = openHourCollector({ maxObjects: 3, maxMinuteObjects: 4 });

  expect(() => collector.add([1, 2, 3, 4, 5].map((each) => object(9, String(each))))).toThrow(
    "Cannot read minute 2026-05-01T14:09:00.000Z: it has more than 4 objects",
  );
});
