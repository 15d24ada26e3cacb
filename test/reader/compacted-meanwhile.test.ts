/** Hours that are compacted, rewritten or retired while they are read. */
import { expect, test } from "vitest";
import type { ReadEvent, ReadRequest } from "../../src/reader/contract.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import { at, freshKey, HOUR_FORMAT, layoutOf, readRequest } from "./archive-sample.ts";
import { makeOutput, publish, sourcesOf, type SampleRun } from "./hour-kit.ts";
import { gzip, request } from "./otlp-sample.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const LAYOUTS = [
  ["minutes", layoutOf()],
  ["hours", layoutOf({ format: HOUR_FORMAT })],
] as const;

interface Got {
  readonly names: readonly string[];
  readonly events: readonly ReadEvent[];
  readonly error: unknown;
}

/** Reads until the end or a failure; `onName` may change the world after a name was given. */
async function got(read: ReadRequest, onName: (name: string) => void | Promise<void> = () => undefined): Promise<Got> {
  const names: string[] = [];
  const events: ReadEvent[] = [];
  try {
    for await (const event of readWindow(read)) {
      events.push(event);
      if (event.kind !== "fields") continue;
      const texts = event.fields.flatMap(
        ({ field }) => new TextDecoder("latin1").decode(field).match(/n-[\w-]+/g) ?? [],
      );
      names.push(...texts);
      for (const name of texts) await onName(name);
    }
    return { names, events, error: null };
  } catch (error) {
    return { names, events, error };
  }
}

/** Minutes with so many fresh objects each, an item in each. */
function openFresh(counts: Readonly<Record<number, number>>, layout = layoutOf()): SyntheticStore {
  const store = openSyntheticStore();
  let sequence = 1;
  for (const [minute, count] of Object.entries(counts)) {
    for (let index = 0; index < count; index++) {
      const key = freshKey(`2026-05-01T14:${minute.padStart(2, "0")}:00Z`, { layout, sequence: sequence++ });
      store.objects.set(key, bytesObject(gzip(request("traces", [`n-${minute}-${index}`]))));
    }
  }
  return store;
}

const runsOf = (counts: Readonly<Record<number, number>>): readonly SampleRun[] =>
  Object.entries(counts).map(([minute, count]) => [
    Number(minute),
    Array.from({ length: count }, (_, index) => `n-${minute}-${index}`),
  ]);
const namesOf = (counts: Readonly<Record<number, number>>): readonly string[] =>
  runsOf(counts).flatMap(([, names]) => names);

/** Compacts everything that stands in the store, and deletes the sources. */
async function prepare(
  counts: Readonly<Record<number, number>>,
  layout = layoutOf(),
): Promise<{ store: SyntheticStore; compact: () => void }> {
  const store = openFresh(counts, layout);
  const sources = [...store.objects.keys()];
  const compacted = openSyntheticStore();
  const output = await makeOutput([runsOf(counts)], { layout });
  await publish(compacted, { outputs: [output], sources: sourcesOf(sources, layout), layout });
  const compact = (): void => {
    for (const [key, object] of compacted.objects) store.objects.set(key, object);
    for (const key of sources) store.objects.delete(key);
  };
  return { store, compact };
}

test.each(LAYOUTS)(
  "readWindow() looks once more when an hour of %s was compacted after its listing",
  async (_, layout) => {
    const counts = { 1: 2, 2: 2 };
    const { store, compact } = await prepare(counts, layout);
    store.before = (call) => {
      if (call.startsWith("list p/_firn/")) compact();
    };

    const { names, error } = await got(readRequest(HOUR, { store, layout }));

    expect(error).toBeNull();
    expect(names.toSorted()).toEqual(namesOf(counts));
  },
);

test.each(LAYOUTS)("readWindow() lists an hour of %s before it reads the manifest", async (_, layout) => {
  const counts = { 1: 2, 2: 2 };
  const { store, compact } = await prepare(counts, layout);
  store.before = (call) => {
    if (call.startsWith("list p/year=")) compact();
  };

  const { names, error } = await got(readRequest(HOUR, { store, layout }));

  expect(error).toBeNull();
  expect(names.toSorted()).toEqual(namesOf(counts));
});

test.each(LAYOUTS)(
  "readWindow() goes on with outputs when sources of later minutes vanish, in %s",
  async (_, layout) => {
    const counts = { 1: 2, 20: 2, 30: 7, 40: 1 };
    const { store, compact } = await prepare(counts, layout);

    const { names, error } = await got(readRequest(HOUR, { store, layout }), (name) => {
      if (name === "n-1-0") compact();
    });

    expect(error).toBeNull();
    expect(names.toSorted()).toEqual(namesOf(counts).toSorted());
  },
);

test("readWindow() gives a small minute whole from its outputs when its last object vanishes first", async () => {
  const counts = { 1: 4 };
  const { store, compact } = await prepare(counts);
  const last = [...store.objects.keys()].at(-1) ?? "";
  store.before = (call) => {
    if (call === `get ${last}`) compact();
  };

  const { names, error } = await got(readRequest(HOUR, { store }));

  expect(error).toBeNull();
  expect(names).toEqual(namesOf(counts));
  expect(store.openBodies()).toBe(0);
});

test.each(["stop", "skip"] as const)(
  "readWindow() breaks off inside a minute that is compacted while it is given, and says where to go on (%s)",
  async (onError) => {
    const counts = { 1: 2, 2: 20, 3: 2 };
    const { store, compact } = await prepare(counts);
    const read = readRequest(HOUR, { store, onError });

    const broken = await got(read, (name) => {
      if (name === "n-2-3") compact();
    });

    expect(broken.error).toMatchObject({
      kind: "unavailable",
      message:
        "Cannot go on inside minute 2026-05-01T14:02:00.000Z: it was compacted while it was read, " +
        "read again from 2026-05-01T14:02:00.000Z",
    });
    expect(store.openBodies()).toBe(0);
    const rest = await got({ ...read, start: at("2026-05-01T14:02:00Z") });
    const before = broken.names.filter((name) => name.startsWith("n-1-"));
    expect([...before, ...rest.names].toSorted()).toEqual(namesOf(counts).toSorted());
  },
);

test("readWindow() goes on with the outputs that replace those it was reading", async () => {
  const counts = { 1: 2, 2: 2, 3: 2, 4: 2 };
  const store = openSyntheticStore();
  // Members of several minutes, in chunks of their own: the second output is opened when its minute comes.
  const [head, tail] = [runsOf({ 1: 2, 2: 2 }), runsOf({ 3: 2, 4: 2 })];
  const outputs = [await makeOutput([head], { number: 1 }), await makeOutput([tail], { number: 2 })];
  const { sha256Hex } = await publish(store, { outputs });
  const rewritten = await makeOutput([runsOf(counts)], { attempt: 2 });
  const newer = openSyntheticStore();
  await publish(newer, { outputs: [rewritten], generation: 2, parent: sha256Hex });
  let isRewritten = false;
  store.before = (call) => {
    if (isRewritten || !call.startsWith(`get ${outputs[1]?.key}`)) return;
    isRewritten = true;
    for (const [key, object] of newer.objects) store.objects.set(key, object);
    for (const { key } of outputs) store.objects.delete(key);
  };

  const { names, error } = await got(readRequest(HOUR, { store }));

  expect(isRewritten).toBe(true);
  expect(error).toBeNull();
  expect(names).toEqual(namesOf(counts));
});

test("readWindow() reports what is retired while it is read", async () => {
  const store = openSyntheticStore();
  const outputs = [
    await makeOutput([runsOf({ 1: 2 })], { number: 1 }),
    await makeOutput([runsOf({ 3: 2 })], { number: 2 }),
  ];
  // Something of the hour was retired before: the hour is reported once all the same.
  const older = { ...(await makeOutput([runsOf({ 0: 2 })], { number: 9 })).output, retired: true };
  const { sha256Hex } = await publish(store, { outputs: [...outputs, older] });
  const newer = openSyntheticStore();
  const retired = outputs.map(({ output }) => ({ ...output, retired: true }));
  await publish(newer, { outputs: [...retired, older], generation: 2, parent: sha256Hex });
  store.before = (call) => {
    if (!call.startsWith(`get ${outputs[1]?.key}`)) return;
    for (const [key, object] of newer.objects) store.objects.set(key, object);
    for (const { key } of outputs) store.objects.delete(key);
  };

  const { names, events, error } = await got(readRequest(HOUR, { store }));

  expect(error).toBeNull();
  expect(names).toEqual(["n-1-0", "n-1-1"]);
  expect(events.filter(({ kind }) => kind === "retired")).toEqual([
    { kind: "retired", hour: at(HOUR.start), itemCount: 2 },
  ]);
  expect(events.at(-1)).toMatchObject({ kind: "end", next: null });
});

test("readWindow() fails at an output that vanished although the newest manifest names it", async () => {
  const store = openSyntheticStore();
  const output = await makeOutput([runsOf({ 1: 2 })]);
  await publish(store, { outputs: [output] });
  store.before = (call) => {
    if (call.startsWith(`get ${output.key}`)) store.objects.delete(output.key);
  };

  const stopped = await got(readRequest(HOUR, { store }));

  expect(stopped.error).toMatchObject({
    kind: "object_not_found",
    message: `Cannot read object "${output.key}": it has vanished since it was listed, and nothing stands for it`,
  });
});

test("readWindow() takes what replaces an output that is gone, table and all, before its first minute", async () => {
  const counts = { 1: 2, 3: 1 };
  const store = openSyntheticStore();
  const first = await makeOutput([runsOf(counts)]);
  const rewritten = await makeOutput([runsOf(counts)], { attempt: 2 });
  const { sha256Hex } = await publish(store, { outputs: [first] });
  const replaced: SyntheticStore = {
    ...store,
    get: async (key, options) => {
      if (key === first.table.key && store.objects.delete(key)) {
        store.objects.delete(first.key);
        await publish(store, { outputs: [rewritten], generation: 2, parent: sha256Hex });
      }
      return store.get(key, options);
    },
  };

  const { names, error } = await got(readRequest(HOUR, { store: replaced }));

  expect(error).toBeNull();
  expect(names).toEqual(namesOf(counts));
});
