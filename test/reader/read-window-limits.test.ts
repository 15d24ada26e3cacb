import { expect, test } from "vitest";
import { REPLAY_MAX_MINUTE_OBJECTS } from "../../src/limits.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import { openUsage } from "../../src/reader/usage.ts";
import { bytes, GIB } from "../../src/units.ts";
import { at, freshKey, LIMITS, readRequest, take, takePages } from "./archive-sample.ts";
import { concat, gzip, request } from "./otlp-sample.ts";
import { openSyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const traces = (...names: string[]): Uint8Array => request("traces", names);

test("readWindow() ends itself at a minute before the store calls are used up, and goes on from there", async () => {
  const keys = [9, 9, 10, 10, 11].map((minute, index) =>
    freshKey(`2026-05-01T14:${String(minute).padStart(2, "0")}:00Z`, { sequence: index + 1 }),
  );
  const store = openSyntheticStore(Object.fromEntries(keys.map((key, index) => [key, gzip(traces(`n-${index}`))])));
  const limits = { ...LIMITS, maxStoreCalls: 5 };

  const first = await take(readRequest(HOUR, { store, limits }));
  const rest = await take({ ...readRequest(HOUR, { store, limits }), start: first.next ?? at(HOUR.start) });

  expect(first).toMatchObject({ itemCount: 2, next: at("2026-05-01T14:10:00Z") });
  expect(rest).toMatchObject({ itemCount: 3, next: null });
});

test("readWindow() ends itself at an hour when listings without matching objects use up the store calls", async () => {
  const hours = ["10", "11", "12", "13", "14", "15"];
  const store = openSyntheticStore(
    Object.fromEntries(
      hours.map((hour) => [freshKey(`2026-05-01T${hour}:09:00Z`, { signal: "logs" }), gzip(request("logs", ["n-1"]))]),
    ),
  );
  const window = { start: "2026-05-01T10:00:00Z", end: "2026-05-01T16:00:00Z" };

  const taken = await take(readRequest(window, { store, limits: { ...LIMITS, maxStoreCalls: 4 } }));

  expect(taken).toMatchObject({ itemCount: 0, next: at("2026-05-01T12:00:00Z") });
  expect(store.calls).toHaveLength(4);
});

test("readWindow() ends itself at a minute before the raw bytes are used up", async () => {
  const big = traces(...Array.from({ length: 100 }, (_, index) => `n-${index}`));
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z")]: gzip(big),
    [freshKey("2026-05-01T14:10:00Z")]: gzip(big),
    [freshKey("2026-05-01T14:11:00Z")]: gzip(big),
  });
  const limits = { ...LIMITS, maxRawBytes: bytes(big.length * 2.5) };

  const taken = await take(readRequest(HOUR, { store, limits }));

  expect(taken).toMatchObject({ itemCount: 200, next: at("2026-05-01T14:11:00Z") });
  expect(taken.end.usage.rawBytes).toBeLessThanOrEqual(limits.maxRawBytes);
  expect(store.openBodies()).toBe(0);
});

test.each([
  ["store calls", { maxStoreCalls: 4 }],
  ["raw bytes", { maxRawBytes: bytes(400) }],
  ["anything", { maxStoreCalls: 0, maxRawBytes: bytes(0) }],
])("readWindow() ends itself inside the minute at its start before %s are used up", async (_, bounds) => {
  const keys = [1, 2, 3, 4, 5].map((sequence) => freshKey("2026-05-01T14:00:00Z", { sequence }));
  const store = openSyntheticStore(Object.fromEntries(keys.map((key) => [key, gzip(traces(key), traces("n"))])));
  const whole = readRequest(HOUR, { store, limits: { ...LIMITS, ...bounds } });

  const first = await take(whole);
  const pages = await takePages(whole);

  expect(first.end).toMatchObject({ next: at(HOUR.start), place: { generation: 0, runs: 0 } });
  expect(pages.length).toBeGreaterThan(1);
  expect(concat(pages.map((page) => page.bytes))).toEqual(concat(keys.flatMap((key) => [traces(key), traces("n")])));
});

test("readWindow() always gets ahead, whatever the budget", async () => {
  const keys = [9, 9, 9, 40, 41].map((minute, index) =>
    freshKey(`2026-05-01T${14 + (index % 2)}:${String(minute).padStart(2, "0")}:00Z`, { sequence: index + 1 }),
  );
  const store = openSyntheticStore(Object.fromEntries(keys.map((key) => [key, gzip(traces(key))])));
  const window = { start: "2026-05-01T10:00:00Z", end: "2026-05-01T20:00:00Z" };

  const pages = await takePages(readRequest(window, { store, limits: { ...LIMITS, maxStoreCalls: 1 } }));

  expect(pages.reduce((sum, { itemCount }) => sum + itemCount, 0)).toBe(5);
});

test("readWindow() does not count what it passes over towards the raw bytes", async () => {
  const big = traces(...Array.from({ length: 1000 }, (_, index) => `n-${index}`));
  // Inflated, all of it would come in one piece.
  const key = freshKey("2026-05-01T14:00:00Z").replace(/\.gz$/, "");
  const store = openSyntheticStore({ [key]: concat([big, big, big, big]) });
  const limits = { ...LIMITS, maxRawBytes: bytes(big.length * 2) };

  const pages = await takePages(readRequest(HOUR, { store, limits }));

  expect(pages.length).toBeGreaterThan(1);
  expect(pages.length).toBeLessThan(5);
  expect(concat(pages.map((page) => page.bytes))).toEqual(concat([big, big, big, big]));
});

test("readWindow() reads a minute of more objects than one read may remember", { timeout: 60_000 }, async () => {
  const count = REPLAY_MAX_MINUTE_OBJECTS + 1500;
  const object = gzip(traces("n-1"));
  const keys = Array.from({ length: count }, (_, index) => freshKey("2026-05-01T14:09:00Z", { sequence: index + 1 }));
  const store = openSyntheticStore(Object.fromEntries(keys.map((key) => [key, object])));

  const pages = await takePages(readRequest(HOUR, { store }));

  // The first ends itself before the minute.
  expect(pages.length).toBe(3);
  expect(pages.reduce((sum, { itemCount }) => sum + itemCount, 0)).toBe(count);
});

test("readWindow() ends itself before its first minute when the answer has used up what it may", async () => {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-1")) });
  const usage = { ...openUsage(), storeCalls: LIMITS.maxStoreCalls - 2 };
  const events = [];

  for await (const event of readWindow(readRequest(HOUR, { store, isContinued: true }), usage)) events.push(event);

  expect(events).toMatchObject([{ kind: "end", next: at("2026-05-01T14:09:00Z"), place: null }]);
});

test("readWindow() opens no more than the current body and those fetched ahead", async () => {
  const keys = Array.from({ length: 20 }, (_, index) => freshKey("2026-05-01T14:09:00Z", { sequence: index + 1 }));
  const store = openSyntheticStore(Object.fromEntries(keys.map((key) => [key, gzip(traces(key))])));

  await take(readRequest(HOUR, { store }));

  expect(store.maxOpenBodies()).toBe(1 + LIMITS.fetchAhead);
});

test("readWindow() closes every body when its consumer stops", async () => {
  const keys = Array.from({ length: 20 }, (_, index) => freshKey("2026-05-01T14:09:00Z", { sequence: index + 1 }));
  const store = openSyntheticStore(Object.fromEntries(keys.map((key) => [key, gzip(traces(key))])));
  const events = readWindow(readRequest(HOUR, { store }));

  await events.next();
  await events.return();

  expect(store.openBodies()).toBe(0);
  expect(store.calls.filter((call) => call.startsWith("get")).length).toBeLessThanOrEqual(1 + LIMITS.fetchAhead);
});

test("readWindow() holds a bounded number of bytes of a 200 MB window", { timeout: 60_000 }, async () => {
  const member = gzip(traces(...Array.from({ length: 2000 }, (_, index) => `n-${index}-${Math.sin(index)}`)));
  const rawLength = traces(...Array.from({ length: 2000 }, (_, index) => `n-${index}-${Math.sin(index)}`)).length;
  const memberCount = Math.ceil(50_000_000 / rawLength);
  const store = openSyntheticStore();
  for (const sequence of [1, 2, 3, 4]) {
    const open = function* (): Generator<Uint8Array> {
      for (let index = 0; index < memberCount; index++) yield member.slice();
    };
    store.objects.set(freshKey("2026-05-01T14:09:00Z", { sequence }), { length: member.length * memberCount, open });
  }
  let rawBytes = 0;
  let maxOutstandingBytes = 0;

  for await (const event of readWindow(readRequest(HOUR, { store, limits: { ...LIMITS, maxRawBytes: bytes(GIB) } }))) {
    if (event.kind !== "fields") continue;
    for (const each of event.fields) rawBytes += each.field.length;
    const takenBytes = (rawBytes / rawLength) * member.length;
    maxOutstandingBytes = Math.max(maxOutstandingBytes, store.bytesGiven() - takenBytes);
  }

  expect(rawBytes).toBe(4 * memberCount * rawLength);
  expect(rawBytes).toBeGreaterThan(199_000_000);
  expect(maxOutstandingBytes).toBeLessThan(2_000_000);
});
