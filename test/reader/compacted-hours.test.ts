/** A window gives the same items before, during and after compaction, whatever part of the hour it is. */
import { describe, expect, test } from "vitest";
import type { Layout } from "../../src/archive/key.ts";
import type { ObjectForm } from "../../src/archive/object-form.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../src/signal.ts";
import { millis, MINUTE } from "../../src/units.ts";
import { freshKey, HOUR_FORMAT, layoutOf, LIMITS, readRequest, take, takePages, type Taken } from "./archive-sample.ts";
import {
  HOUR_FORMS,
  HOUR_START,
  makeOutput,
  publish,
  sourcesOf,
  type SampleMember,
  type SampleRun,
} from "./hour-kit.ts";
import { gzip, request } from "./otlp-sample.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const MINUTES = [0, 9, 10, 11, 40, 59];
const EDGES = [0, 1, 9, 10, 11, 12, 40, 41, 59, 60];
const WINDOWS = EDGES.flatMap((start) => EDGES.filter((end) => end > start).map((end) => ({ start, end })));

const minuteText = (minute: number): string => `2026-05-01T14:${String(minute).padStart(2, "0")}:00Z`;
const namesAt = (minute: number, sequence: number): readonly string[] =>
  Array.from({ length: 3 }, (_, index) => `n-${minute}-${sequence}-${index}`);

interface World {
  readonly signal: ItemSignal;
  readonly form: ObjectForm;
  readonly layout: Layout;
}

/** Two fresh objects a minute; the first one's items, and the second one's but for the last minutes, are compacted. */
interface Hour {
  readonly store: SyntheticStore;
  readonly sources: readonly string[];
  readonly late: readonly string[];
}

async function openHour(world: World, compaction: "none" | "during" | "after" | "late"): Promise<Hour> {
  const { signal, layout } = world;
  const store = openSyntheticStore();
  const sources: string[] = [];
  const late: string[] = [];
  for (const minute of MINUTES) {
    for (const sequence of [minute + 1, minute + 1001]) {
      const key = freshKey(minuteText(minute), { signal, layout, sequence, shard: sequence > 1000 ? 2 : 1 });
      store.objects.set(key, bytesObject(gzip(request(signal, namesAt(minute, sequence)))));
      (sequence > 1000 && minute % 2 === 1 ? late : sources).push(key);
    }
  }
  if (compaction === "none") return { store, sources, late };
  const first = await publish(store, { ...world, ...(await makeOutputs(world)), sources: namedBy(sources, layout) });
  if (compaction !== "during") for (const key of sources) store.objects.delete(key);
  if (compaction === "late") {
    const { outputs } = await makeOutputs(world);
    const lateOutput = await makeOutput([lateRuns()], { ...world, attempt: 2 });
    const named = namedBy([...sources, ...late], layout);
    await publish(store, {
      ...world,
      outputs: [...outputs, lateOutput],
      sources: named,
      generation: 2,
      parent: first.sha256Hex,
    });
    for (const key of late) store.objects.delete(key);
  }
  return { store, sources, late };
}

/** A range for each, since the sequences have gaps. */
function namedBy(keys: readonly string[], layout: Layout): ReturnType<typeof sourcesOf> {
  const byShard = new Map<number, [number, number][]>();
  for (const key of keys) {
    const [source] = sourcesOf([key], layout);
    const [first, last] = source?.ranges[0] ?? [0, 0];
    byShard.set(source?.shard ?? 0, [...(byShard.get(source?.shard ?? 0) ?? []), [first, last]]);
  }
  return [...byShard].map(([shard, ranges]) => ({
    shard,
    incarnation: "9f2c4e7a",
    ranges: joinRanges(ranges.toSorted(([left], [right]) => left - right)),
  }));
}

function joinRanges(ranges: readonly (readonly [number, number])[]): [number, number][] {
  const joined: [number, number][] = [];
  for (const [first, last] of ranges) {
    const before = joined.at(-1);
    if (before !== undefined && before[1] + 1 === first) before[1] = last;
    else joined.push([first, last]);
  }
  return joined;
}

const compactedRun = (minute: number): SampleRun => [
  minute,
  [minute + 1, minute + 1001]
    .filter((each) => each <= 1000 || minute % 2 === 0)
    .flatMap((each) => namesAt(minute, each)),
];
const lateRuns = (): SampleMember =>
  MINUTES.filter((minute) => minute % 2 === 1).map((minute) => [minute, namesAt(minute, minute + 1001)]);

/** Three outputs: one of several minutes in a member, one minute over two members and two outputs, one alone. */
async function makeOutputs(world: World): Promise<{ outputs: Awaited<ReturnType<typeof makeOutput>>[] }> {
  const run10 = compactedRun(10);
  const parts = [run10[1].slice(0, 1), run10[1].slice(1, 2), run10[1].slice(2)];
  const part = (index: number): SampleRun => [10, parts[index] ?? []];
  const samples: readonly SampleMember[][] = [
    [[compactedRun(0), compactedRun(9), part(0)], [part(1)]],
    [[part(2), compactedRun(11)], [compactedRun(40)]],
    [[compactedRun(59)]],
  ];
  const outputs = samples.map((members, index) => makeOutput(members, { ...world, number: index + 1 }));
  return { outputs: await Promise.all(outputs) };
}

const namesIn = (taken: Taken): readonly string[] =>
  (new TextDecoder("latin1").decode(taken.bytes).match(/n-\d+-\d+-\d/g) ?? []).toSorted();
const expectedIn = (window: { start: number; end: number }): readonly string[] =>
  MINUTES.filter((minute) => minute >= window.start && minute < window.end)
    .flatMap((minute) => [...namesAt(minute, minute + 1), ...namesAt(minute, minute + 1001)])
    .toSorted();

async function takeMinutes(
  store: SyntheticStore,
  window: { start: number; end: number },
  world: World,
): Promise<Taken> {
  const { signal, layout } = world;
  const edges = {
    start: millis(HOUR_START + window.start * MINUTE),
    end: millis(HOUR_START + window.end * MINUTE),
  };
  return take({ ...readRequest(HOUR, { store, signal, layout }), ...edges });
}

const STATES = ["none", "during", "after", "late"] as const;
const LAYOUTS = [
  ["minutes", layoutOf()],
  ["hours", layoutOf({ format: HOUR_FORMAT })],
  ["minutes of a tenant", layoutOf({ tenant: "acme", basePrefix: "b", format: "%Y%m%d%H%M" })],
] as const;
const CASES = LAYOUTS.flatMap(([name, layout]) =>
  HOUR_FORMS.map((form) => ({ name, ...form, world: { signal: "traces", form, layout } satisfies World })),
);

describe.each(CASES)("readWindow() over $name with outputs in $marshaler and $compression", ({ world }) => {
  test.each(STATES)("gives the same items for every window, compaction being %s", async (state) => {
    const { store } = await openHour(world, state);

    for (const window of WINDOWS) {
      const taken = await takeMinutes(store, window, world);

      expect(namesIn(taken), JSON.stringify(window)).toEqual(expectedIn(window));
      expect(taken.itemCount).toBe(expectedIn(window).length);
    }
  });
});

test.each(ITEM_SIGNALS.flatMap((signal) => HOUR_FORMS.map((form) => ({ signal, ...form, form }))))(
  "readWindow() reads outputs of $signal in $marshaler and $compression",
  async ({ signal, form }) => {
    const world = { signal, form, layout: layoutOf() };
    const { store } = await openHour(world, "late");

    const taken = await takeMinutes(store, { start: 0, end: 60 }, world);

    expect(namesIn(taken)).toEqual(expectedIn({ start: 0, end: 60 }));
  },
);

const WORLD: World = {
  signal: "traces",
  form: HOUR_FORMS[0] ?? { marshaler: "otlp_proto", compression: "zstd" },
  layout: layoutOf(),
};

test.each(STATES)("readWindow() pages to the same items with tiny limits, compaction being %s", async (state) => {
  const { store } = await openHour(WORLD, state);
  for (const maxStoreCalls of [1, 4, 6, 9]) {
    const pages = await takePages(readRequest(HOUR, { store, limits: { ...LIMITS, maxStoreCalls } }));

    expect(pages.flatMap(namesIn).toSorted()).toEqual(expectedIn({ start: 0, end: 60 }));
  }
});

test("readWindow() goes on in another representation from a minute where a page ended", async () => {
  let names: string[] = [];
  let start = HOUR_START;
  for (const state of ["none", "during", "after", "late", "late", "late", "late"] as const) {
    const { store } = await openHour(WORLD, state);
    const limits = { ...LIMITS, maxStoreCalls: 12 };
    const taken = await take({ ...readRequest(HOUR, { store, limits }), start });
    names.push(...namesIn(taken));
    const { next, place } = taken.end;
    if (next === null) break;
    // What was given of a minute in one representation is nothing in another.
    if (place !== null) names = names.filter((name) => !name.startsWith(`n-${(next - HOUR_START) / MINUTE}-`));
    start = next;
  }

  expect(names.toSorted()).toEqual(expectedIn({ start: 0, end: 60 }));
});

test("readWindow() gives nothing of an output from a minute of which fresh objects had no room", async () => {
  const store = openSyntheticStore();
  for (let sequence = 1; sequence <= 30; sequence++) {
    const minute = sequence === 1 ? 1 : 2;
    const object = gzip(request("traces", [`n-${minute}-${sequence}-0`]));
    store.objects.set(freshKey(minuteText(minute), { sequence }), bytesObject(object));
  }
  const output = await makeOutput([
    [
      [1, ["n-1-100-0"]],
      [2, ["n-2-100-0"]],
    ],
  ]);
  await publish(store, { outputs: [output] });
  const read = readRequest(HOUR, { store, limits: { ...LIMITS, maxStoreCalls: 20 } });

  const first = await take(read);
  const second = await take({ ...read, start: first.next ?? read.start });

  expect(namesIn(first)).toEqual(["n-1-1-0", "n-1-100-0"]);
  expect(first.next).toBe(HOUR_START + 2 * MINUTE);
  expect(second.itemCount).toBeGreaterThan(10);
  expect(namesIn(second)).toContain("n-2-100-0");
});

test("readWindow() gives the outputs of a minute first, in the order of keys, then its fresh objects", async () => {
  const { store } = await openHour(WORLD, "after");

  const taken = await takeMinutes(store, { start: 9, end: 12 }, WORLD);

  const minutes = (new TextDecoder("latin1").decode(taken.bytes).match(/n-\d+-\d+-\d/g) ?? []).map((name) =>
    name.split("-").slice(1, 3).join("-"),
  );
  const expected = ["9-10", "9-1010", "10-11", "10-1011", "11-12", "11-1012"];
  expect(minutes).toEqual(expected.flatMap((each) => [each, each, each]));
});

test("readWindow() asks for a list, tables, the manifest, and chunks of what the window needs", async () => {
  const { store } = await openHour(WORLD, "late");
  const folder = "year=2026/month=05/day=01/hour=14/";

  const taken = await takeMinutes(store, { start: 40, end: 41 }, WORLD);

  const shown = store.calls.map((call) =>
    call.replace(/\d{8}-[0-9a-f]{16}/, "manifest").replace(/20260501T14\S*-(c..)-\w+-/, "$1#"),
  );
  expect(shown).toEqual([
    `list p/${folder}`,
    // Keys do not say which of four outputs hold a minute in the middle of the hour.
    ...["c01#00000001", "c01#00000002", "c01#00000003", "c02#00000001"].map(
      (id) => `get p/_firn/members/-/traces/${folder}${id}.json`,
    ),
    `list p/_firn/manifests/-/traces/${folder}`,
    `get p/_firn/manifests/-/traces/${folder}manifest.json`,
    expect.stringMatching(/^get p\/year=2026\/month=05\/day=01\/hour=14\/traces_c01#00000002.binpb.zst \d+\+\d+$/),
  ]);
  expect(taken.end.usage).toMatchObject({ storeCalls: 8, objectCount: 1 });
});
