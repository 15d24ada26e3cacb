import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FirnError } from "../../src/errors.ts";
import type { ReplayDeps } from "../../src/replay/contract.ts";
import { findPrices, toCost } from "../../src/replay/list-prices.ts";
import { replayResponse } from "../../src/replay/replay.ts";
import { bytes } from "../../src/units.ts";
import { freshKey, LIMITS } from "../reader/archive-sample.ts";
import { makeOutput, publish } from "../reader/hour-kit.ts";
import { gzip, request } from "../reader/otlp-sample.ts";
import { openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, replay, toText, WINDOW } from "./replay-kit.ts";
import { hour, openBucket } from "./sample-hour.ts";

type Found = Readonly<Record<string, unknown>>;

async function ask(store: SyntheticStore, query = "signal=traces", deps: Partial<ReplayDeps> = {}): Promise<Found> {
  const text = toText(await replay(store, `dry_run=true&${query}`, deps));
  return JSON.parse(text) as Found;
}

/** Two minutes of an output and one of a fresh object. */
async function openStore(): Promise<SyntheticStore> {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:11:00Z")]: gzip(request("traces", ["n-3"])) });
  await publish(store, { outputs: [await makeOutput([[[9, ["n-1", "n-2"]]], [[10, ["n-4"]]]])] });
  return store;
}

test("dryRunResponse() says what a replay takes, and what only reading would tell", async () => {
  const store = await openStore();

  expect(await ask(store)).toEqual({
    signal: "traces",
    start: "2026-05-01T14:00:00.000Z",
    end: "2026-05-01T15:00:00.000Z",
    complete: true,
    next: null,
    objects: 2,
    frozen_objects: 0,
    items: null,
    items_at_least: 3,
    stored_bytes: expect.any(Number),
    raw_bytes: null,
    store_calls: { list: 2, get: 4 },
    pages: 1,
    unreadable: 0,
    retired: 0,
    expired: 0,
    watermark: "2026-05-02T00:00:00.000Z",
    cost_usd: null,
  });
  expect(store.calls.filter((call) => call.includes("/traces_"))).toEqual([]);
});

test("dryRunResponse() knows the items and bytes of what is compacted", async () => {
  const store = await openStore();
  const raw = request("traces", ["n-1", "n-2"]).length + request("traces", ["n-4"]).length;

  const query = new URLSearchParams(
    "dry_run=true&signal=traces&format=proto&start=2026-05-01T14:00:00Z&end=2026-05-01T14:11:00Z",
  );
  const response = await replayResponse({ query, accept: null }, depsOf(store));

  expect(await response.json()).toMatchObject({ objects: 1, items: 3, items_at_least: 3, raw_bytes: raw });
});

test("dryRunResponse() counts what is there when it is asked to be exact", async () => {
  const store = await openStore();

  const found = await ask(store, "signal=traces&exact=true");

  expect(found).toMatchObject({ items: 4, items_at_least: 4, objects: 2, store_calls: { list: 2, get: 4 }, pages: 1 });
  expect(found["raw_bytes"]).toBeGreaterThan(0);
});

test("dryRunResponse() of any hour names the calls, objects and bytes that a replay then takes", async () => {
  await fc.assert(
    fc.asyncProperty(hour, async (sample) => {
      const { store } = await openBucket(sample);

      const listed = await ask(store);
      const exact = await ask(store, "signal=traces&exact=true");
      store.calls.length = 0;
      const body = new TextDecoder("latin1").decode(await replay(store, "signal=traces&format=proto"));
      const names = body.match(/n-\d+-\d+-/g) ?? [];

      const lists = store.calls.filter((call) => call.startsWith("list ")).length;
      expect(listed["store_calls"]).toEqual({ list: lists, get: store.calls.length - lists });
      expect(exact).toMatchObject({ items: names.length, store_calls: listed["store_calls"] });
      expect(listed["stored_bytes"]).toBe(exact["stored_bytes"]);
      expect(listed["objects"]).toBe(exact["objects"]);
      if (listed["items"] !== null) expect(listed).toMatchObject({ items: names.length });
      expect(listed["items_at_least"]).toBeLessThanOrEqual(names.length);
    }),
    { numRuns: 60 },
  );
});

test("dryRunResponse() counts the answers that a replay would take, and goes on where it ended itself", async () => {
  const keys = Array.from({ length: 40 }, (_, index) =>
    freshKey(`2026-05-01T14:${String(index).padStart(2, "0")}:00Z`, { sequence: index + 1 }),
  );
  const store = openSyntheticStore(Object.fromEntries(keys.map((key) => [key, gzip(request("traces", [key]))])));
  const limits = { ...LIMITS, maxStoreCalls: 20 };

  expect(await ask(store, "signal=traces", { limits })).toMatchObject({ complete: true, objects: 40, pages: 3 });
  const few = { ...LIMITS, maxStoreCalls: 6 };
  let found = await ask(store, "signal=traces", { limits: few });
  let objects = Number(found["objects"]);
  expect(found).toMatchObject({ complete: false, pages: null, next: expect.stringMatching(/^v1\.traces\./) });
  for (let asked = 0; typeof found["next"] === "string" && asked < 40; asked++) {
    found = await ask(store, `signal=traces&cursor=${found["next"]}`, { limits: few });
    objects += Number(found["objects"]);
  }
  expect(objects).toBe(40);
});

test("dryRunResponse() of bytes beyond one answer counts several", async () => {
  const store = await openStore();

  const found = await ask(store, "signal=traces", { limits: { ...LIMITS, maxRawBytes: bytes(1) } });

  expect(found).toMatchObject({ complete: true, pages: 3 });
  expect(await ask(store, "signal=traces&limit_bytes=65536")).toMatchObject({ complete: true, pages: null });
});

test("dryRunResponse() counts objects in a frozen class, by the listing or by reading", async () => {
  const [store, plain] = [await openStore(), await openStore()];
  const frozen = freshKey("2026-05-01T14:11:00Z");
  store.list = async (asked) => {
    const page = await plain.list(asked);
    const objects = page.objects.map((info) => (info.key === frozen ? { ...info, frozenClass: "GLACIER" } : info));
    return { ...page, objects };
  };
  store.get = async (key, options) => {
    if (key === frozen) throw new FirnError("object_frozen", "Cannot get", { storageClass: "GLACIER" });
    return plain.get(key, options);
  };

  expect(await ask(store)).toMatchObject({ objects: 2, frozen_objects: 1, unreadable: 0 });
  expect(await ask(store, "signal=traces&exact=true")).toMatchObject({ frozen_objects: 1, unreadable: 1, items: 3 });
});

test("dryRunResponse() sums up all signals", async () => {
  const store = await openStore();
  store.objects.set(
    freshKey("2026-05-01T14:30:00Z", { signal: "logs" }),
    store.objects.get(freshKey("2026-05-01T14:11:00Z")) ?? { length: 0, *open() {} },
  );

  expect(await ask(store, "signal=all")).toMatchObject({ signal: "all", objects: 3, items: null, pages: 1 });
});

test("dryRunResponse() fails in its document, without a word of the store's", async () => {
  const store = await openStore();
  store.before = () => {
    throw new FirnError("store_unavailable", 'Cannot list "secret-bucket": SlowDown');
  };

  const message = "Cannot look through the archive, try again or ask the operator";
  expect(await ask(store)).toEqual({ complete: false, errors: [{ message }] });
});

test("dryRunResponse() is text where that is wanted, and JSON otherwise", async () => {
  const query = new URLSearchParams(`signal=traces&dry_run=true&${WINDOW}`);
  const store = Object.assign(await openStore(), { identity: "r2:telemetry" });

  const text = await replayResponse({ query, accept: "text/plain" }, depsOf(store));
  const json = await replayResponse({ query, accept: "*/*" }, depsOf(store));

  expect(text.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await text.text()).toMatch(
    /\nitems: unknown\n[\s\S]*\nstore_calls\.list: 2\n[\s\S]*\ncost_usd\.total: 0\.00001\d*\n/,
  );
  expect(json.headers.get("content-type")).toBe("application/json");
});

test.each([
  ["r2:telemetry", "Cloudflare R2"],
  ["s3:https://abc.r2.cloudflarestorage.com/telemetry", "Cloudflare R2"],
  ["s3:https://abc.eu.r2.cloudflarestorage.com/telemetry", "Cloudflare R2"],
  ["s3:https://s3.eu-central-1.amazonaws.com/telemetry", "Amazon S3"],
  ["s3:https://s3.cn-north-1.amazonaws.com.cn/telemetry", null],
  ["s3:https://storage.googleapis.com/telemetry", "Google Cloud Storage"],
  ["s3:https://minio.example/amazonaws.com/", null],
  ["azure:https://firn.blob.core.windows.net/c", null],
  ["memory:x", null],
])("findPrices() of %s are those of %s", (identity, name) => {
  expect(findPrices(identity)?.name.split(",")[0] ?? null).toBe(name);
});

test("toCost() is calls and bytes at their prices", () => {
  const s3 = findPrices("s3:https://s3.us-east-1.amazonaws.com/b");
  if (s3 === null) throw new Error("no prices");

  expect(toCost(s3, { lists: 2000, gets: 1_000_000, egressBytes: 5e10 })).toEqual({
    list: 0.01,
    get: 0.4,
    egress: 4.5,
    total: 4.91,
    prices: s3.name,
  });
});
