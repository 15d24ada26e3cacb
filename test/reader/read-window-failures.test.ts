import { expect, test } from "vitest";
import { FirnError } from "../../src/errors.ts";
import type { ListRequest } from "../../src/object-store/contract.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import { at, freshKey, readRequest, take } from "./archive-sample.ts";
import { makeOutput, publish } from "./hour-kit.ts";
import { concat, gzip, request } from "./otlp-sample.ts";
import { bytesObject, openSyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const traces = (...names: string[]): Uint8Array => request("traces", names);

test("readWindow() stops at a corrupt object with its key in the message", async () => {
  const key = freshKey("2026-05-01T14:09:00Z");
  const store = openSyntheticStore({ [key]: gzip(traces("n-1")).subarray(0, -3) });

  await expect(take(readRequest(HOUR, { store }))).rejects.toThrow(`Cannot read object "${key}": `);
  expect(store.openBodies()).toBe(0);
});

test.each([
  ["a cut gzip member", gzip(traces("n-x")).subarray(0, -3), "traces_1.binpb.gz"],
  ["a field that ends early", traces("n-x").subarray(0, -1), "traces_1.binpb"],
  ["text that is not UTF-8", request("traces", ["n-x"]).map((byte) => (byte === 0x78 ? 0xff : byte)), "traces_1.binpb"],
  ["no JSON", new TextEncoder().encode("x"), "traces_1.json"],
  ["no zstd", new Uint8Array(9), "traces_1.binpb.zst"],
  ["a JSON document that ends early", new TextEncoder().encode('{"resourceSpans":['), "traces_1.json"],
])("readWindow() skips %s, counts it and goes on", async (_, broken, name) => {
  const key = `p/year=2026/month=05/day=01/hour=14/minute=09/${name}`;
  const store = openSyntheticStore({ [key]: broken, [freshKey("2026-05-01T14:10:00Z")]: gzip(traces("n-2")) });

  const taken = await take(readRequest(HOUR, { store, onError: "skip" }));

  expect(taken.unreadable).toEqual([key]);
  expect(taken.itemCount).toBe(1);
});

test("readWindow() keeps what a skipped object gave before it failed", async () => {
  const key = freshKey("2026-05-01T14:09:00Z");
  const store = openSyntheticStore({ [key]: concat([gzip(traces("n-1")), new Uint8Array([1])]) });

  const taken = await take(readRequest(HOUR, { store, onError: "skip" }));

  expect(taken).toMatchObject({ itemCount: 1, unreadable: [key] });
});

test("readWindow() takes a body that differs in length from the listing for corrupt", async () => {
  const key = "p/year=2026/month=05/day=01/hour=14/minute=09/traces_1.binpb";
  const store = openSyntheticStore({ [key]: traces("n-1") });
  store.objects.set(key, { ...bytesObject(traces("n-1")), length: 1000 });

  await expect(take(readRequest(HOUR, { store }))).rejects.toThrow("but 1000 were listed");
});

test("readWindow() does not skip a store that fails", async () => {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-1")) });
  store.before = (call) => {
    if (call.startsWith("get")) throw new FirnError("store_unavailable", "Cannot reach the store");
  };

  await expect(take(readRequest(HOUR, { store, onError: "skip" }))).rejects.toMatchObject({
    kind: "store_unavailable",
  });
});

function* breakOff(): Generator<Uint8Array> {
  yield gzip(traces("n-1")).subarray(0, 20);
  throw new Error("connection reset");
}

test("readWindow() takes a body that breaks off for a failing store, not for a corrupt object", async () => {
  const key = freshKey("2026-05-01T14:09:00Z");
  const store = openSyntheticStore();
  store.objects.set(key, { length: 500, open: breakOff });

  await expect(take(readRequest(HOUR, { store, onError: "skip" }))).rejects.toMatchObject({
    kind: "store_unavailable",
  });
});

test("readWindow() lists the hour again when an object vanished, and fails as nothing stands for it", async () => {
  const key = freshKey("2026-05-01T14:09:00Z");
  const store = openSyntheticStore({ [key]: gzip(traces("n-1")) });
  store.before = (call) => {
    if (call.startsWith("get")) store.objects.delete(key);
  };

  await expect(take(readRequest(HOUR, { store }))).rejects.toMatchObject({
    kind: "object_not_found",
    message: `Cannot read object "${key}": it has vanished since it was listed, and nothing stands for it`,
  });
  const hour = "year=2026/month=05/day=01/hour=14/";
  const look = [`list p/${hour}`, `list p/_firn/manifests/-/traces/${hour}`];
  expect(store.calls.filter((call) => call.startsWith("list"))).toEqual([...look, ...look]);
});

test("readWindow() takes a listing that leads back for a failing store: objects would come twice", async () => {
  const keys = [1, 2, 3, 4].map((sequence) => freshKey("2026-05-01T14:09:00Z", { sequence }));
  const store = openSyntheticStore(Object.fromEntries(keys.map((key) => [key, gzip(traces(key))])));
  const list = store.list.bind(store);
  store.pageKeys = 3;
  const leadsBack = { ...store, list: async (asked: ListRequest) => list({ ...asked, cursor: "p/" }) };

  await expect(take(readRequest(HOUR, { store: leadsBack }))).rejects.toMatchObject({
    kind: "store_unavailable",
    message: `Cannot list "p/year=2026/month=05/day=01/hour=14/": the store listed "${keys[0]}" twice or out of order`,
  });
});

test("readWindow() says so when a vanished object is still listed", async () => {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-1")) });
  store.before = (call) => {
    if (call.startsWith("get")) throw new FirnError("object_not_found", "Cannot get: no such object");
  };

  await expect(take(readRequest(HOUR, { store }))).rejects.toThrow("the store lists it and does not give it");
});

test("readWindow() fails with a later listing only when it gets there", async () => {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-1")) });
  store.before = (call) => {
    if (call.includes("hour=15")) throw new FirnError("store_unavailable", "Cannot reach the store");
  };
  const events = readWindow(readRequest({ ...HOUR, end: "2026-05-01T16:00:00Z" }, { store }));

  const minute = await events.next();
  const first = await events.next();

  expect(minute.value).toMatchObject({ kind: "minute", minute: at(HOUR.start) + 9 * 60_000 });
  expect(first.value).toMatchObject({ kind: "fields", itemCount: 1 });
  await expect(events.next()).rejects.toMatchObject({ kind: "store_unavailable" });
});

test.each([
  ["GLACIER", 'the frozen storage class "GLACIER"'],
  [undefined, "a frozen storage class"],
])("readWindow() stops at an object in the class %s, and says that it must be restored", async (name, place) => {
  const key = freshKey("2026-05-01T14:09:00Z");
  const store = openSyntheticStore({
    [key]: gzip(traces("n-1")),
    [freshKey("2026-05-01T14:10:00Z")]: gzip(traces("n-2")),
  });
  const options = name === undefined ? {} : { storageClass: name };
  store.before = (call) => {
    if (call === `get ${key}`) throw new FirnError("object_frozen", "Cannot get: InvalidObjectState", options);
  };

  await expect(take(readRequest(HOUR, { store }))).rejects.toMatchObject({
    kind: "object_frozen",
    storageClass: name,
    message: `Cannot read object "${key}": it lies in ${place}, restore it first`,
  });
  const skipped = await take(readRequest(HOUR, { store, onError: "skip" }));
  expect(skipped).toMatchObject({ bytes: traces("n-2"), unreadable: [key] });
});

test("readWindow() skips an output that is frozen, with its member table or without", async () => {
  const output = await makeOutput([[[9, ["n-1"]]], [[10, ["n-2"]]]]);
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:11:00Z")]: gzip(traces("n-3")) });
  await publish(store, { outputs: [output] });
  for (const frozen of [[output.key], [output.key, output.table.key]]) {
    store.before = (call) => {
      const isFrozen = frozen.some((key) => call.startsWith(`get ${key}`));
      if (isFrozen) throw new FirnError("object_frozen", "Cannot get: InvalidObjectState");
    };

    const skipped = await take(readRequest(HOUR, { store, onError: "skip" }));

    expect(skipped).toMatchObject({ bytes: traces("n-3"), unreadable: [output.key] });
    await expect(take(readRequest(HOUR, { store }))).rejects.toMatchObject({ kind: "object_frozen" });
  }
});
