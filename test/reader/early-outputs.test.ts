/** The first content of a compacted hour comes after three rounds of calls, and takes no more of them. */
import { expect, test } from "vitest";
import type { ReadPlace, ReadRequest } from "../../src/reader/contract.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import { at, freshKey, HOUR_FORMAT, layoutOf, readRequest, take } from "./archive-sample.ts";
import { HOUR, MANIFESTS, membersOf, namesIn } from "./early-hour.ts";
import { makeOutput, publish, sourcesOf } from "./hour-kit.ts";
import { gzip, request } from "./otlp-sample.ts";
import { openRoundStore } from "./round-store.ts";
import { openSyntheticStore, type SyntheticStore } from "./synthetic-store.ts";

const HALF = { start: "2026-05-01T14:20:00Z", end: "2026-05-01T14:40:00Z" };

/** An hour of outputs from minute to minute, such as `0-30 30-60`. */
async function openStore(spans: string): Promise<SyntheticStore> {
  const outputs = spans.split(" ").map((span, index) => {
    const [first = 0, end = 0] = span.split("-").map(Number);
    const minutes = Array.from({ length: end - first }, (_, minute) => first + minute);
    return makeOutput(membersOf(minutes), { number: index + 1 });
  });
  const store = openSyntheticStore();
  await publish(store, { outputs: await Promise.all(outputs) });
  return store;
}

/** The calls to the first content, round by round. */
async function roundsOf(
  store: SyntheticStore,
  window: typeof HOUR,
  options: Partial<ReadRequest> = {},
): Promise<readonly (readonly string[])[]> {
  const rounds = openRoundStore(store);
  const events = readWindow(readRequest(window, { ...options, store: rounds.store }));
  const content = (async () => {
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      if (next.value.kind === "fields") return namesIn(next.value.fields[0]?.field ?? new Uint8Array(0));
    }
    throw new Error("there is no content");
  })();
  const answered = await rounds.answerUntil(content);
  expect(await content).toHaveLength(1);
  const end = events.return();
  await rounds.answerUntil(end);
  expect(store.openBodies()).toBe(0);
  return answered;
}

test.each([HOUR_FORMAT, undefined])("readWindow() gives fresh content in the third round, %s", async (format) => {
  const layout = layoutOf(format === undefined ? {} : { format });
  const store = openSyntheticStore({ [freshKey(HALF.start, { layout })]: gzip(request("traces", ["n-20"])) });

  expect(await roundsOf(store, HOUR, { layout })).toHaveLength(3);
});

test.each([
  ["one output, from its beginning", HOUR, "0-60"],
  ["one output, from its middle", HALF, "0-60"],
  ["outputs that follow each other, from its beginning", HOUR, "0-10 9-20 20-30 30-40 40-50"],
  ["outputs that follow each other, from its middle", HALF, "0-10 9-20 20-30 30-40"],
])("readWindow() gives content of an hour of %s, in the third round", async (_, window, spans) => {
  const store = await openStore(spans);

  const rounds = await roundsOf(store, window);

  expect(rounds).toHaveLength(3);
  expect(rounds[0]).toEqual([expect.stringMatching(/^list p\/year=/)]);
  expect(rounds[1]).toContain(`list ${MANIFESTS}`);
  expect(rounds[2]).toContainEqual(expect.stringContaining(`get ${MANIFESTS}`));
});

test("readWindow() gives content beside late outputs, and sources that still stand, in the third round", async () => {
  const sources = [0, 3, 9].map((minute) => freshKey(`2026-05-01T14:0${minute}:00Z`, { sequence: minute + 1 }));
  const store = openSyntheticStore(Object.fromEntries(sources.map((key) => [key, gzip(request("traces", ["n-no"]))])));
  const outputs = [
    await makeOutput(membersOf([0, 3, 9])),
    await makeOutput(membersOf([0, 9], "b"), { attempt: 2 }),
    await makeOutput(membersOf([9], "c"), { attempt: 3 }),
    await makeOutput(membersOf([0, 59], "d"), { attempt: 4 }),
  ];
  const ranges = sources.map((key) => sourcesOf([key])[0]?.ranges[0] ?? ([0, 0] as const));
  const set = { shard: 0, incarnation: "9f2c4e7a", ranges };
  await publish(store, { outputs, sources: [set] });

  const rounds = await roundsOf(store, HOUR);

  expect(rounds).toHaveLength(3);
  // A listing and four tables, a manifest and three chunks: below the six connections.
  expect(rounds.map((calls) => calls.length)).toEqual([1, 5, 4]);
  const taken = await take(readRequest(HOUR, { store }));
  expect(namesIn(taken.bytes)).toEqual(["n-0", "n-0b", "n-0d", "n-3", "n-9", "n-9b", "n-9c", "n-59d"]);
});

test.each([
  [HOUR, "0-60", 5],
  [HALF, "0-60", 5],
  [HOUR, "0-10 9-20 20-60", 9],
  // Of more than a few outputs in the middle of an hour, nothing says which to begin with.
  [HALF, "0-10 10-20 20-30 30-50 50-60", 7],
])("readWindow() takes no call more for asking early, %j of %s", async (window, spans, storeCalls) => {
  const store = await openStore(spans);

  const taken = await take(readRequest(window, { store }));

  expect(taken.end.usage.storeCalls).toBe(storeCalls);
  expect(store.calls).toHaveLength(storeCalls);
  expect(new Set(store.calls).size).toBe(storeCalls);
});

test.each([undefined, "day=%d/month=%m/year=%Y/%H/%M"])(
  "readWindow() asks for nothing early where it is hinted, or goes on inside a minute, %s",
  async (format) => {
    const layout = layoutOf(format === undefined ? {} : { format });
    const store = openSyntheticStore();
    const output = await makeOutput([[[20, ["n-20"]]], [[20, ["n-21"]]]], { layout });
    await publish(store, { outputs: [output], layout });
    const whole = readRequest(HALF, { store, layout });
    const places: ReadPlace[] = [];
    for await (const event of readWindow(whole)) if (event.kind === "fields") places.push(event.place);
    expect(places).toHaveLength(2);

    const hints = { service: "shop", traceId: null, eventTime: null };
    for (const options of [{ hints }, ...places.map((place) => ({ place }))]) {
      store.calls.length = 0;
      await take({ ...whole, ...options });
      const manifest = store.calls.findIndex((call) => call.startsWith("get p/_firn/manifests/"));
      expect(store.calls.slice(0, manifest).filter((call) => call.startsWith("get "))).toEqual([]);
    }
  },
);

test("readWindow() asks early in the first hour with outputs alone", async () => {
  const store = openSyntheticStore();
  for (const hour of ["12", "14", "15"].map((each) => at(`2026-05-01T${each}:00:00Z`))) {
    await publish(store, { outputs: [await makeOutput(membersOf([1]), { hour })], hour });
  }

  await take(readRequest({ start: "2026-05-01T11:00:00Z", end: "2026-05-01T16:00:00Z" }, { store }));

  const isEarly = ["12", "14", "15"].map((hour) => {
    const [table, manifest] = ["members", "manifests"].map((of) => {
      const folder = `p/_firn/${of}/-/traces/year=2026/month=05/day=01/hour=${hour}/`;
      return store.calls.findIndex((call) => call.startsWith(`get ${folder}`));
    });
    return Number(table) < Number(manifest);
  });
  expect(isEarly).toEqual([true, false, false]);
});
