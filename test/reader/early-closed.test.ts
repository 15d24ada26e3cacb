/** What may be asked for early, how much of it is held, and that all of it is closed. */
import { expect, test } from "vitest";
import { FirnError } from "../../src/errors.ts";
import type { GetOptions } from "../../src/object-store/contract.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import { openUsage } from "../../src/reader/usage.ts";
import { freshKey, readRequest, take } from "./archive-sample.ts";
import { HOUR, MANIFESTS, membersOf, NAMES, namesIn, openHour, putOrphan } from "./early-hour.ts";
import { makeOutput, publish } from "./hour-kit.ts";
import { gzip, request } from "./otlp-sample.ts";
import { openRoundStore } from "./round-store.ts";
import { bytesObject, type SyntheticStore } from "./synthetic-store.ts";

test("readWindow() holds no table that is longer than an early one may be", async () => {
  const hour = await openHour();
  const { table } = await putOrphan(hour, 2, [0]);
  const length = 64 * 1024 * 1024;
  hour.store.objects.set(table.key, {
    length,
    *open() {
      for (let position = 0; position < length; position += 65_536) yield new Uint8Array(65_536);
    },
  });

  const taken = await take(readRequest(HOUR, { store: hour.store }));

  expect(namesIn(taken.bytes)).toEqual(NAMES);
  expect(hour.store.bytesGiven()).toBeLessThan(2 * 1024 * 1024);
  expect(hour.store.openBodies()).toBe(0);
});

test("readWindow() asks early for the very version that was listed", async () => {
  const { store: bare, output, sha256Hex } = await openHour();
  const gets: [string, GetOptions | undefined][] = [];
  let version = 0;
  const store: SyntheticStore = {
    ...bare,
    list: async (asked) => {
      const page = await bare.list(asked);
      return { ...page, objects: page.objects.map((info) => ({ ...info, etag: `v${version}` })) };
    },
    get: async (key, options) => {
      gets.push([key, options]);
      // Something is missing when the hour is looked at first, so that it is looked at again, and has another version.
      if (key.startsWith(MANIFESTS)) version++;
      return bare.get(key, options);
    },
  };
  const lost = await makeOutput(membersOf([5]), { attempt: 3 });
  await publish(bare, { outputs: [output, lost], generation: 2, parent: sha256Hex });
  bare.objects.delete(lost.key);

  const taken = await take(readRequest(HOUR, { store, onError: "skip" }));

  expect(namesIn(taken.bytes)).toEqual(NAMES);
  const chunks = gets.filter(([key]) => key === output.key).map(([, options]) => options?.ifMatch);
  expect(chunks).toEqual(["v0", "v1"]);
  expect(bare.openBodies()).toBe(0);
});

test("readWindow() asks for no early chunk that would wait for fresh objects of another minute", async () => {
  const { store: bare } = await openHour();
  bare.objects.set(freshKey("2026-05-01T14:00:00Z"), bytesObject(gzip(request("traces", ["n-0"]))));
  const { store, ...gate } = openRoundStore(bare);
  const reading = take(readRequest(HOUR, { store }));

  const rounds = await gate.answerUntil(reading);

  expect(namesIn((await reading).bytes)).toEqual(["n-0", ...NAMES]);
  expect(rounds[2]).toEqual([expect.stringContaining(`get ${MANIFESTS}`)]);
  expect(bare.calls).toHaveLength(6);
});

test("readWindow() asks for nothing early while bodies of an earlier hour are open", async () => {
  const { store } = await openHour();
  for (const sequence of [1, 2, 3, 4]) {
    const key = freshKey("2026-05-01T13:59:00Z", { sequence });
    store.objects.set(key, bytesObject(gzip(request("traces", ["n-0"]))));
  }

  const taken = await take(readRequest({ ...HOUR, start: "2026-05-01T13:00:00Z" }, { store }));

  expect(namesIn(taken.bytes)).toEqual(["n-0", "n-0", "n-0", "n-0", ...NAMES]);
  const [manifest, table] = [`get ${MANIFESTS}`, "get p/_firn/members"].map((text) =>
    store.calls.findIndex((call) => call.startsWith(text)),
  );
  expect(table).toBeGreaterThan(manifest ?? 0);
});

test("readWindow() asks for no early chunk of what is listed as frozen", async () => {
  const { store: bare, output } = await openHour();
  const store: SyntheticStore = {
    ...bare,
    list: async (asked) => {
      const page = await bare.list(asked);
      return { ...page, objects: page.objects.map((info) => ({ ...info, frozenClass: "GLACIER" })) };
    },
  };
  bare.before = (call) => {
    if (call.startsWith(`get ${output.key}`)) throw new FirnError("object_frozen", "Cannot get");
  };

  await expect(take(readRequest(HOUR, { store }))).rejects.toMatchObject({ kind: "object_frozen" });

  expect(bare.calls.filter((call) => call.startsWith(`get ${output.key}`))).toHaveLength(1);
});

test.each([0, 1, 2, 3])("readWindow() closes what it asked for early when it ends after %d rounds", async (rounds) => {
  const hour = await openHour();
  await putOrphan(hour, 2, [0, 1]);
  const { store, ...gate } = openRoundStore(hour.store);
  const usage = openUsage();
  const events = readWindow(readRequest(HOUR, { store }), usage);
  const next = events.next();
  for (let round = 0; round < rounds; round++) await gate.answer();

  const end = events.return();
  await gate.answerUntil(Promise.all([next, end]));

  expect(gate.waiting()).toEqual([]);
  expect(hour.store.openBodies()).toBe(0);
  expect(hour.store.maxOpenBodies()).toBeLessThan(6);
});

test("readWindow() closes an early chunk when the manifest cannot be read", async () => {
  const { store: bare } = await openHour();
  const { store, ...gate } = openRoundStore(bare);
  const reading = take(readRequest(HOUR, { store }));
  const failing = expect(reading).rejects.toMatchObject({ kind: "store_unavailable" });
  await gate.answer();
  await gate.answer();
  await gate.answer("get p/year");
  expect(bare.openBodies()).toBe(1);
  bare.before = () => {
    throw new FirnError("store_unavailable", "Cannot get");
  };

  await gate.answerUntil(reading.catch(() => undefined));

  await failing;
  expect(bare.openBodies()).toBe(0);
});

test("readWindow() asks for no early chunk once it has failed", async () => {
  const { store: bare } = await openHour();
  const { store, ...gate } = openRoundStore(bare);
  const reading = take(readRequest(HOUR, { store }));
  const failing = expect(reading).rejects.toMatchObject({ kind: "store_unavailable" });
  await gate.answer();
  bare.before = (call) => {
    if (call.startsWith("list ")) throw new FirnError("store_unavailable", "Cannot list");
  };
  await gate.answer("list ");

  await gate.answerUntil(reading.catch(() => undefined));

  await failing;
  expect(bare.calls.filter((call) => call.startsWith("get p/year"))).toEqual([]);
  expect(bare.openBodies()).toBe(0);
});

test("readWindow() has closed what does not count when it gives content", async () => {
  const hour = await openHour();
  await putOrphan(hour, 2, [0, 1]);
  const { store } = hour;

  const open: number[] = [];
  for await (const { kind } of readWindow(readRequest(HOUR, { store }))) {
    if (kind === "fields") open.push(store.openBodies());
  }

  expect(open[0]).toBe(0);
});
