/** An answer that leaves out what does not match ends itself early enough for clients that wait for its first byte. */
import { expect, test } from "vitest";
import { REPLAY_FILTERED_MAX_STORE_CALLS } from "../../src/limits.ts";
import { FORMATS, type ReplayFormat } from "../../src/replay/format.ts";
import { parseReplayRequest } from "../../src/replay/parameters.ts";
import { openSignals } from "../../src/replay/signal-sources.ts";
import { GIB } from "../../src/units.ts";
import { freshKey } from "../reader/archive-sample.ts";
import { gzip, request } from "../reader/otlp-sample.ts";
import { openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, replay, WINDOW } from "./replay-kit.ts";

/** More than two answers' worth of objects, of which the last alone has what is asked for. */
const OBJECT_COUNT = 2 * REPLAY_FILTERED_MAX_STORE_CALLS + 500;

function openStore(): SyntheticStore {
  const other = gzip(request("traces", ["other"]));
  const keys = Array.from({ length: OBJECT_COUNT }, (_, index) => {
    const minute = String(Math.floor((index * 60) / OBJECT_COUNT)).padStart(2, "0");
    return freshKey(`2026-05-01T14:${minute}:00Z`, { sequence: index + 1 });
  });
  const store = openSyntheticStore(Object.fromEntries(keys.map((key) => [key, other])));
  const last = openSyntheticStore({ last: gzip(request("traces", ["wanted"])) }).objects.get("last");
  if (last !== undefined) store.objects.set(keys.at(-1) ?? "", last);
  return store;
}

interface Answer {
  readonly text: string;
  readonly next: string | null;
  readonly calls: number;
}

async function take(store: SyntheticStore, query: string): Promise<Answer> {
  store.calls.length = 0;
  const text = new TextDecoder("latin1").decode(await replay(store, query));
  const next = /"next":"([^"]+)"/.exec(text)?.[1] ?? null;
  return { text, next, calls: store.calls.length };
}

test.each(FORMATS)(
  "replayResponse() of a filter that matches little ends itself in time as %s, and its pages are the window",
  { timeout: 60_000 },
  async (format: ReplayFormat) => {
    const store = openStore();
    const query = `signal=traces&span_name=wanted&format=${format}`;
    const pages: Answer[] = [await take(store, query)];
    for (let next = pages[0]?.next; typeof next === "string"; next = pages.at(-1)?.next)
      pages.push(await take(store, `${query}&cursor=${next}`));
    const dryRun = await take(store, `${query}&dry_run=true`);
    const exact = await take(store, `${query}&dry_run=true&exact=true`);

    for (const { calls } of pages) expect(calls).toBeLessThanOrEqual(REPLAY_FILTERED_MAX_STORE_CALLS);
    expect(pages.map(({ text }) => /"complete":(true|false)/.exec(text)?.[1])).toEqual(["false", "false", "true"]);
    expect(pages.map(({ text }) => text.includes("wanted"))).toEqual([false, false, true]);
    expect(JSON.parse(dryRun.text)).toMatchObject({ complete: true, pages: pages.length });
    expect(JSON.parse(exact.text)).toMatchObject({ complete: true, pages: pages.length, items: 1 });
    expect(JSON.parse(exact.text)).toMatchObject({ objects: OBJECT_COUNT });
  },
);

test("replayResponse() without a mark, or without a filter, is the whole window in one answer", async () => {
  const store = openStore();

  const unmarked = await take(store, "signal=traces&span_name=wanted&mark=false");
  const unfiltered = await take(store, "signal=traces");

  expect(unmarked.text).toContain("wanted");
  expect(unfiltered).toMatchObject({ next: null, text: expect.stringContaining('"complete":true') });
});

test.each([
  ["", 8 * GIB],
  ["&span_name=wanted", GIB],
  ["&time=event", GIB],
  ["&span_name=wanted&mark=false", 8 * GIB],
])("openSignals() reads for an answer to %j at most %d raw bytes", async (filter, maxRawBytes) => {
  const query = new URLSearchParams(`signal=traces&${WINDOW}${filter}`);

  const [source] = await openSignals(parseReplayRequest({ query, accept: null }), depsOf(openSyntheticStore()));

  expect(source?.request.limits.maxRawBytes).toBe(maxRawBytes);
});
