/** Filters of `signal=all`: only the signals that have all of them are looked through, and the mark names these. */
import { expect, test } from "vitest";
import type { ItemSignal, Signal } from "../../src/signal.ts";
import { profilesObject } from "../reader/archive-forms.ts";
import { freshKey, LIMITS } from "../reader/archive-sample.ts";
import { gzip, namesOf } from "../reader/otlp-sample.ts";
import { openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";
import { fill, lengthField } from "../otlp/wire-builder.ts";
import { replay, toText } from "./replay-kit.ts";

type Bytes = readonly number[];

const GZIP = { marshaler: "otlp_proto", compression: "gzip" } as const;
const NANOS = 1_777_645_800n * 1_000_000_000n; // 2026-05-01T14:30:00Z
const time = (field: number): Bytes => {
  const digits = [0n, 8n, 16n, 24n, 32n, 40n, 48n, 56n].map((shift) => Number((NANOS >> shift) & 0xffn));
  return [field * 8 + 1, ...digits];
};
const text = (value: string): Bytes => lengthField(1, value);

function container(service: string, ...items: readonly Bytes[]): Uint8Array {
  const attribute = lengthField(1, lengthField(1, "service.name"), lengthField(2, lengthField(1, service)));
  const scope = lengthField(2, ...items.map((item) => lengthField(2, item)));
  return Uint8Array.from(lengthField(1, lengthField(1, attribute), scope));
}

const span = (name: string, trace: number): Bytes => [
  ...lengthField(1, fill(16, trace)),
  ...lengthField(2, fill(8, 9)),
  ...lengthField(5, name),
  ...time(7),
];
const gauge = (name: string): Bytes => [
  ...lengthField(1, name),
  ...lengthField(5, lengthField(1, time(3), [0x31, ...fill(8, 0)])),
];
const record = (body: string, trace: number): Bytes => [
  ...time(1),
  ...lengthField(5, text(body)),
  ...lengthField(9, fill(16, trace)),
];

const keyOf = (signal: ItemSignal): string => freshKey("2026-05-01T14:09:00Z", { signal });
const PROFILES_KEY = keyOf("logs").replace("logs", "profiles");

/** A minute of each signal, profiles among them, of two services and traces. */
function openStore(): SyntheticStore {
  const shop = { traces: span("span-shop", 1), metrics: gauge("metric-shop"), logs: record("log-shop", 1) };
  const cart = { traces: span("span-cart", 2), metrics: gauge("metric-cart"), logs: record("log-cart", 2) };
  const objects = (["traces", "metrics", "logs"] as const).map((signal): [string, Uint8Array] => [
    keyOf(signal),
    gzip(container("shop", shop[signal]), container("cart", cart[signal])),
  ]);
  return openSyntheticStore({ ...Object.fromEntries(objects), [PROFILES_KEY]: profilesObject("profile-1", GZIP) });
}

const itemsIn = (answer: string): string[] => namesOf(answer).filter((name) => /^(?:span|metric|log)-/.test(name));
const markOf = (answer: string): Record<string, unknown> =>
  (JSON.parse(answer.trimEnd().split("\n").at(-1) ?? "") as { firn: Record<string, unknown> }).firn;

test.each<readonly [query: string, items: readonly string[], signals: readonly Signal[]]>([
  ["service=shop", ["span-shop", "metric-shop", "log-shop"], ["traces", "metrics", "logs"]],
  ["resource.service.name=cart", ["span-cart", "metric-cart", "log-cart"], ["traces", "metrics", "logs"]],
  ["attr.absent=1", [], ["traces", "metrics", "logs"]],
  [`trace_id=${"02".repeat(16)}`, ["span-cart", "log-cart"], ["traces", "logs"]],
  [`trace_id=${"02".repeat(16)}&service=shop`, [], ["traces", "logs"]],
  [
    "time=event",
    ["span-shop", "span-cart", "metric-shop", "metric-cart", "log-shop", "log-cart"],
    ["traces", "metrics", "logs"],
  ],
  ["time=event&service=shop", ["span-shop", "metric-shop", "log-shop"], ["traces", "metrics", "logs"]],
])("replayResponse() of all signals with %s gives those that have it", async (query, items, signals) => {
  const store = openStore();

  const answer = toText(await replay(store, `signal=all&${query}`));

  expect(itemsIn(answer)).toEqual(items);
  expect(answer).not.toContain("profile-1");
  expect(markOf(answer)).toMatchObject({ items: items.length, complete: true, next: null, signals });
});

test("replayResponse() of all signals without filters names none in its mark", async () => {
  const answer = toText(await replay(openStore(), "signal=all"));

  expect(answer).toContain("profile-1");
  expect(markOf(answer)).not.toHaveProperty("signals");
});

test("replayResponse() of all signals with filters goes on in pages", async () => {
  const store = openStore();
  const limits = { ...LIMITS, maxStoreCalls: 3 };
  const pages: string[] = [];
  for (
    let cursor: unknown = "";
    typeof cursor === "string" && pages.length < 20;
    cursor = markOf(pages.at(-1) ?? "")["next"]
  ) {
    const going = cursor === "" ? "" : `&cursor=${cursor}`;
    pages.push(toText(await replay(store, `signal=all&trace_id=${"01".repeat(16)}${going}`, { limits })));
  }

  expect(pages.length).toBeGreaterThan(1);
  expect(pages.flatMap(itemsIn)).toEqual(["span-shop", "log-shop"]);
  expect(markOf(pages.at(-1) ?? "")).toMatchObject({ complete: true, signals: ["traces", "logs"] });
});

test.each([`trace_id=${"01".repeat(16)}&cursor=v2.all-metrics`, "service=shop&cursor=v2.all-profiles"])(
  "replayResponse() of all signals refuses a cursor of a signal that is left out: %s",
  async (query) => {
    const refused = replay(openStore(), `signal=all&${query}.29627409`); // of a request without the filter

    await expect(refused).rejects.toMatchObject({ field: "cursor", message: expect.stringContaining("the filters") });
  },
);

test("replayResponse() of all signals with a filter asks no store for profiles", async () => {
  const store = openStore();
  const dry = toText(await replay(store, "signal=all&service=shop&dry_run=true&exact=true"));

  expect(JSON.parse(dry)).toMatchObject({ items: 3, objects: 3, complete: true });
});
