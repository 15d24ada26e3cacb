import { expect, test } from "vitest";
import type { ReplayDeps } from "../../src/replay/contract.ts";
import { formatKey } from "../../src/archive/key.ts";
import { SIGNALS, type Signal } from "../../src/signal.ts";
import { bytes } from "../../src/units.ts";
import { profilesObject } from "../reader/archive-forms.ts";
import { at, freshKey, layoutOf, LIMITS } from "../reader/archive-sample.ts";
import { gzip, request } from "../reader/otlp-sample.ts";
import { openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, NOW, replay, toText } from "./replay-kit.ts";
import { replayResponse } from "../../src/replay/replay.ts";

const GZIP = { marshaler: "otlp_proto", compression: "gzip" } as const;
const PROFILES_KEY = formatKey(
  {
    kind: "fresh",
    signal: "profiles",
    form: GZIP,
    sealTime: at("2026-05-01T14:09:00Z"),
    shard: 0,
    incarnation: "9f2c4e7a",
    sequence: 1,
  },
  layoutOf(),
);

/** Two minutes of each signal but profiles, which have one request. */
async function openStore(): Promise<SyntheticStore> {
  const store = openSyntheticStore({ [PROFILES_KEY]: profilesObject("profile-1", GZIP) });
  for (const signal of ["logs", "metrics", "traces"] as const) {
    for (const minute of ["09", "10"]) {
      const key = freshKey(`2026-05-01T14:${minute}:00Z`, { signal });
      const content = openSyntheticStore({ [key]: gzip(request(signal, [`${signal}-${minute}`])) });
      for (const [name, object] of content.objects) store.objects.set(name, object);
    }
  }
  return store;
}

const NAMES = ["traces-09", "traces-10", "metrics-09", "metrics-10", "logs-09", "logs-10", "profile-1"];
const namesIn = (text: string): string[] => text.match(/(?:traces|metrics|logs)-\d\d|profile-1/g) ?? [];
const markOf = (text: string): Record<string, unknown> =>
  (JSON.parse(text.trimEnd().split("\n").at(-1) ?? "") as { firn: Record<string, unknown> }).firn;

test("replayResponse() of all signals gives one after another, each in lines of its own, and one mark", async () => {
  const text = toText(await replay(await openStore(), "signal=all"));
  const lists = text
    .trimEnd()
    .split("\n")
    .map((line) => Object.keys(JSON.parse(line) as object)[0]);

  expect(namesIn(text)).toEqual(NAMES);
  expect(lists).toEqual(["resourceSpans", "resourceMetrics", "resourceLogs", "resourceProfiles", "resourceSpans"]);
  expect(markOf(text)).toMatchObject({ items: 7, complete: true, next: null });
  expect(markOf(text)["bytes"]).toBe(text.lastIndexOf('{"resourceSpans":[]'));
});

test.each([
  ["store calls", { maxStoreCalls: 3 }],
  ["raw bytes", { maxRawBytes: bytes(1) }],
])("replayResponse() of all signals goes on in pages when the %s are used up", async (_, bounds) => {
  const store = await openStore();
  const pages: string[] = [];
  let cursor = "";
  for (let page = 0; page < 30; page++) {
    const text = toText(await replay(store, `signal=all${cursor}`, { limits: { ...LIMITS, ...bounds } }));
    pages.push(text);
    const { next } = markOf(text);
    if (next === null) break;
    if (typeof next !== "string") throw new Error("the page has no next");
    expect(next).toMatch(/^v2\.all-/);
    cursor = `&cursor=${next}`;
  }

  expect(pages.length).toBeGreaterThan(3);
  expect(pages.flatMap(namesIn)).toEqual(NAMES);
  expect(markOf(pages.at(-1) ?? "")).toMatchObject({ complete: true });
});

test("replayResponse() of all signals counts one budget, not one a signal", async () => {
  const store = await openStore();

  await replay(store, "signal=all", { limits: { ...LIMITS, maxStoreCalls: 9 } });

  // The listing that finds out is the one call beyond.
  expect(store.calls.length).toBeLessThanOrEqual(10);
});

const watermark: ReplayDeps["watermark"] = (signal: Signal) =>
  Promise.resolve(signal === "logs" ? at("2026-05-01T14:30:00Z") : NOW);

test("replayResponse() of all signals is complete only below the watermark of each", async () => {
  const text = toText(await replay(await openStore(), "signal=all", { watermark }));

  expect(markOf(text)).toMatchObject({ complete: false, next: null, watermark: "2026-05-01T14:30:00.000Z" });
});

test.each(SIGNALS)("replayResponse() refuses a cursor of all signals for %s alone", async (signal) => {
  const query = `signal=${signal}&cursor=v2.all-${signal}.29627409&start=2026-05-01T14:00Z&end=2026-05-01T15:00Z`;
  const given = { query: new URLSearchParams(query.replaceAll("0Z", "0:00Z")), accept: null };

  await expect(replayResponse(given, depsOf(await openStore()))).rejects.toMatchObject({ field: "cursor" });
});

test("replayResponse() of all signals is answered as JSON Lines whatever else is accepted", async () => {
  const query = new URLSearchParams("signal=all&start=2026-05-01&end=2026-05-02");

  const refused = replayResponse({ query, accept: "application/x-protobuf" }, depsOf(await openStore()));

  await expect(refused).rejects.toMatchObject({ kind: "not_acceptable" });
});
