import { expect, test } from "vitest";
import { freshKey, HOUR_FORMAT, layoutOf, readRequest, take } from "./archive-sample.ts";
import { concat, field, gzip, request } from "./otlp-sample.ts";
import { openSyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const traces = (...names: string[]): Uint8Array => request("traces", names);

test("readWindow() gives the bytes and items of all objects in the order of minute and key", async () => {
  const [a, b, c] = [traces("n-1", "n-2"), traces("n-3"), traces("n-4")];
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:10:01Z")]: gzip(c),
    [freshKey("2026-05-01T14:09:59Z", { sequence: 2 })]: gzip(b),
    [freshKey("2026-05-01T14:09:02Z", { shard: 1 })]: gzip(a),
  });

  const taken = await take(readRequest(HOUR, { store }));

  expect(taken.bytes).toEqual(concat([a, b, c]));
  expect(taken).toMatchObject({ itemCount: 4, next: null, unreadable: [] });
  expect(taken.end.usage).toMatchObject({ storeCalls: 5, objectCount: 3, rawBytes: taken.bytes.length });
});

test("readWindow() keeps order over objects of both granularities in one hour", async () => {
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:20:00Z", { layout: layoutOf({ format: HOUR_FORMAT }) })]: gzip(traces("n-2")),
    [freshKey("2026-05-01T14:10:00Z")]: gzip(traces("n-1")),
    [freshKey("2026-05-01T14:30:00Z")]: gzip(traces("n-3")),
  });

  const taken = await take(readRequest(HOUR, { store }));

  expect(taken.bytes).toEqual(concat([traces("n-1"), traces("n-2"), traces("n-3")]));
});

test("readWindow() reads multi-member objects, unknown fields and raw protobuf as they are", async () => {
  const unknown = field(77, new Uint8Array([1, 2, 3]));
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:10:00Z")]: gzip(traces("n-1"), unknown, traces("n-2")),
    "p/year=2026/month=05/day=01/hour=14/minute=11/traces_123456789.binpb": traces("n-3"),
  });

  const taken = await take(readRequest(HOUR, { store }));

  expect(taken.bytes).toEqual(concat([traces("n-1"), unknown, traces("n-2"), traces("n-3")]));
  expect(taken.itemCount).toBe(3);
});

test("readWindow() reads all pages of a listing", async () => {
  const names = Array.from({ length: 25 }, (_, index) => `n-${index}`);
  const store = openSyntheticStore(
    Object.fromEntries(
      names.map((name, index) => [freshKey("2026-05-01T14:10:00Z", { sequence: index + 1 }), gzip(traces(name))]),
    ),
  );
  store.pageKeys = 4;

  const taken = await take(readRequest(HOUR, { store }));

  expect(taken.bytes).toEqual(concat(names.map((name) => traces(name))));
});

test.each([
  ["hour", "2026-05-01T14:59:59.999Z", "2026-05-01T15:00:00Z", "2026-05-01T15:00:59Z", "2026-05-01T15:01:00Z"],
  ["day", "2026-04-30T23:59:59.999Z", "2026-05-01T00:00:00Z", "2026-05-01T00:59:59Z", "2026-05-01T01:00:00Z"],
  ["month", "2024-02-28T23:59:59Z", "2024-02-29T00:00:00Z", "2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z"],
  ["year", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"],
])("readWindow() takes start and leaves end out at the border of a %s", async (_, before, start, inside, end) => {
  const times = [before, start, inside, end];
  const store = openSyntheticStore(
    Object.fromEntries(times.map((time, index) => [freshKey(time), gzip(traces(`n-${index}`))])),
  );

  const taken = await take(readRequest({ start, end }, { store }));

  expect(taken.bytes).toEqual(concat([traces("n-1"), traces("n-2")]));
});

test("readWindow() decides by the first instant of the minute, exact to the minute", async () => {
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:45Z")]: gzip(traces("n-1")),
    [freshKey("2026-05-01T14:10:05Z")]: gzip(traces("n-2")),
  });

  const taken = await take(readRequest({ start: "2026-05-01T14:09:30Z", end: "2026-05-01T14:10:01Z" }, { store }));

  expect(taken.bytes).toEqual(traces("n-2"));
});

test("readWindow() crosses years without data in a few listings", async () => {
  const store = openSyntheticStore({
    "p/_firn/owner": new Uint8Array(1),
    "p/zeta/year=2023/month=01/day=01/hour=00/minute=00/traces_1.json": new Uint8Array(1),
    "p/year=2022/notes.txt": new Uint8Array(1),
    [freshKey("2021-06-01T10:00:00Z")]: gzip(traces("n-1")),
    [freshKey("2025-06-01T10:00:00Z")]: gzip(traces("n-2")),
  });

  const taken = await take(readRequest({ start: "2020-01-01T00:00:00Z", end: "2030-01-01T00:00:00Z" }, { store }));

  expect(taken.itemCount).toBe(2);
  expect(store.calls.filter((call) => call.startsWith("list")).length).toBeLessThan(20);
});

test("readWindow() lists an hour and its manifests once where every hour has objects of any signal", async () => {
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-1")),
    [freshKey("2026-05-01T15:09:00Z", { signal: "logs" })]: gzip(request("logs", ["n-2"])),
    [freshKey("2026-05-01T16:09:00Z")]: gzip(traces("n-3")),
  });

  const taken = await take(readRequest({ ...HOUR, end: "2026-05-01T17:00:00Z" }, { store }));

  expect(taken.itemCount).toBe(2);
  expect(store.calls.filter((call) => call.startsWith("list"))).toEqual(
    ["14", "15", "16"].flatMap((hour) => [
      `list p/year=2026/month=05/day=01/hour=${hour}/`,
      `list p/_firn/manifests/-/traces/year=2026/month=05/day=01/hour=${hour}/`,
    ]),
  );
});

test("readWindow() finds everything under a format whose text order is not time order", async () => {
  const layout = layoutOf({ format: "%d/%m/%Y/%H" });
  expect(layout.partition.isTimeOrdered).toBe(false);
  const store = openSyntheticStore({
    [freshKey("2026-05-31T10:00:00Z", { layout })]: gzip(traces("n-1")),
    [freshKey("2026-06-01T10:00:00Z", { layout })]: gzip(traces("n-2")),
  });

  const taken = await take(
    readRequest({ start: "2026-05-30T00:00:00Z", end: "2026-06-02T00:00:00Z" }, { store, layout }),
  );

  expect(taken.bytes).toEqual(concat([traces("n-1"), traces("n-2")]));
});

test("readWindow() reads no other tenant's objects", async () => {
  const acme = layoutOf({ tenant: "acme" });
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-unnamed")),
    [freshKey("2026-05-01T14:09:00Z", { layout: acme })]: gzip(traces("n-acme")),
    [freshKey("2026-05-01T14:09:00Z", { layout: layoutOf({ tenant: "acme2" }) })]: gzip(traces("n-acme2")),
  });
  const day = { start: "2026-05-01T00:00:00Z", end: "2026-05-02T00:00:00Z" };

  expect((await take(readRequest(day, { store }))).bytes).toEqual(traces("n-unnamed"));
  expect((await take(readRequest(day, { store, layout: acme }))).bytes).toEqual(traces("n-acme"));
});
