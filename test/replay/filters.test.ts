/** Filters of `GET /replay`, each over an archive of fresh and compacted objects, in every format. */
import { expect, test } from "vitest";
import { FORMATS } from "../../src/replay/format.ts";
import { replayResponse } from "../../src/replay/replay.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { freshKey } from "../reader/archive-sample.ts";
import { makeOutput, publish } from "../reader/hour-kit.ts";
import { concat, gzip, namesOf } from "../reader/otlp-sample.ts";
import { openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";
import { fill, lengthField, varintField } from "../otlp/wire-builder.ts";
import { depsOf, replay, toText } from "./replay-kit.ts";

type Bytes = readonly number[];

const text = (value: string): Bytes => lengthField(1, value);
const attribute = (number: number, key: string, value: Bytes): Bytes =>
  lengthField(number, lengthField(1, key), lengthField(2, value));
const resource = (service: string, zone: string): Bytes =>
  lengthField(1, attribute(1, "service.name", text(service)), attribute(1, "zone", text(zone)));

function container(service: string, ...items: readonly Bytes[]): Uint8Array {
  const scope = lengthField(2, ...items.map((item) => lengthField(2, item)));
  return Uint8Array.from(lengthField(1, resource(service, service === "shop" ? "eu" : "us"), scope));
}

const span = (name: string, trace: number, status: number): Bytes => [
  ...lengthField(1, fill(16, trace)),
  ...lengthField(2, fill(8, 9)),
  ...lengthField(5, name),
  ...attribute(9, "http.status", varintField(3, status)),
];
const record = (body: string, severity: Bytes, trace: number): Bytes => [
  ...severity,
  ...lengthField(5, text(body)),
  ...attribute(6, "kind", text(`kind ${body}`)),
  ...lengthField(9, fill(16, trace)),
];
const gauge = (name: string, ...labels: readonly string[]): Bytes => {
  const points = labels.map((label) => lengthField(1, attribute(7, "label", text(label)), [0x21, ...fill(8, 0)]));
  return [...lengthField(1, name), ...lengthField(5, ...points)];
};

const CONTENT: Readonly<Record<ItemSignal, readonly Uint8Array[]>> = {
  traces: [
    container("shop", span("n-1", 1, 200), span("n-2", 2, 500)),
    container("cart", span("n-3", 1, 500), span("n-4", 3, 404)),
  ],
  logs: [
    container("shop", record("n-1", varintField(2, 9), 1), record("n-2", varintField(2, 17), 2)),
    container("cart", record("n-3", lengthField(3, "Warning"), 1), record("n-4", lengthField(3, "loud"), 3)),
  ],
  metrics: [container("shop", gauge("n-1", "a", "b"), gauge("n-2", "a")), container("cart", gauge("n-1", "b", "c"))],
};

function storeOf(signal: ItemSignal): SyntheticStore {
  return openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z", { signal })]: gzip(...CONTENT[signal]),
    [freshKey("2026-05-01T14:10:00Z", { signal })]: gzip(...CONTENT[signal]),
  });
}

/** Names of items: other texts are attributes. */
function listNames(lines: string): readonly string[] {
  return namesOf(lines).filter((name) => name.startsWith("n-"));
}

const TRACE_1 = "01".repeat(16);

test.each<readonly [signal: ItemSignal, filter: string, names: readonly string[], items: number]>([
  ["traces", "service=shop", ["n-1", "n-2"], 2],
  ["traces", "service=Shop", [], 0],
  ["traces", `trace_id=${TRACE_1}`, ["n-1", "n-3"], 2],
  ["traces", `trace_id=${"FF".repeat(16)}`, [], 0],
  ["traces", "span_name=n-4", ["n-4"], 1],
  ["traces", "attr.http.status=500", ["n-2", "n-3"], 2],
  ["traces", "attr.http.status=500.0", [], 0],
  ["traces", "resource.zone=us", ["n-3", "n-4"], 2],
  ["traces", "resource.zone=us&attr.http.status=500", ["n-3"], 1],
  ["traces", `service=shop&trace_id=${TRACE_1}&span_name=n-1&attr.http.status=200&resource.zone=eu`, ["n-1"], 1],
  ["logs", "severity=info", ["n-1", "n-2", "n-3"], 3],
  ["logs", "severity=WARN", ["n-2", "n-3"], 2],
  ["logs", "severity=14", ["n-2"], 1],
  ["logs", `trace_id=${TRACE_1}&severity=info2`, ["n-3"], 1],
  ["logs", "attr.kind=kind%20n-4&service=cart", ["n-4"], 1],
  ["metrics", "metric_name=n-1", ["n-1", "n-1"], 4],
  ["metrics", "metric_name=n-1&service=cart", ["n-1"], 2],
  ["metrics", "attr.label=a", ["n-1", "n-2"], 2],
  ["metrics", "attr.label=c", ["n-1"], 1],
])("replayResponse() of %s gives what %s finds, and counts it in the mark", async (signal, filter, names, items) => {
  const lines = toText(await replay(storeOf(signal), `signal=${signal}&${filter}`)).split("\n");

  const mark = JSON.parse(lines.at(-2) ?? "") as { readonly firn: unknown };
  expect(listNames(lines.slice(0, -2).join("\n"))).toEqual([...names, ...names]);
  expect(mark.firn).toMatchObject({ items: 2 * items, complete: true, next: null, unreadable: 0 });
});

test.each(FORMATS)("replayResponse() filters %s as it filters the others", async (format) => {
  const body = toText(
    await replay(storeOf("logs"), `signal=logs&severity=error&format=${format}`).then((bytes) =>
      Uint8Array.from(bytes, (byte) => (byte < 0x80 ? byte : 0x20)),
    ),
  );

  expect(body.match(/n-\d/g)).toEqual(["n-2", "n-2", "n-2", "n-2"]);
  expect(body).toContain('"items":2,');
});

test("replayResponse() gives containers that match whole byte for byte", async () => {
  const [shop] = CONTENT.traces;

  const body = await replay(storeOf("traces"), "signal=traces&service=shop&format=proto&mark=false");

  expect([...body]).toEqual([...(shop ?? []), ...(shop ?? [])]);
});

test("replayResponse() pages filtered items as it pages all", async () => {
  const store = storeOf("traces");
  const names: string[] = [];
  let cursor = "";
  for (let page = 0; page < 10 && cursor !== null; page += 1) {
    const limits = { limits: { maxStoreCalls: 1, maxRawBytes: 1 as never, fetchAhead: 0 } };
    const query = `signal=traces&attr.http.status=500${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const lines = toText(await replay(store, query, limits));
    names.push(...listNames(lines));
    cursor = (JSON.parse(lines.split("\n").at(-2) ?? "") as { firn: { next: string } }).firn.next;
  }

  expect(names).toEqual(["n-2", "n-3", "n-2", "n-3"]);
  expect(cursor).toBe(null);
});

test("replayResponse() filters every field of a page that is limited in bytes", async () => {
  // In one member, so that both are read at once: what is given stands behind what is not.
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: gzip(concat(CONTENT.traces)) });

  const lines = toText(await replay(store, "signal=traces&service=cart&limit_bytes=65536"));

  expect(listNames(lines)).toEqual(["n-3", "n-4"]);
});

test("replayResponse() filters compacted minutes, by which items without a time count", async () => {
  const store = openSyntheticStore();
  const output = await makeOutput([
    [
      [9, ["n-1", "n-2"]],
      [10, ["n-1", "n-3"]],
    ],
  ]);
  await publish(store, { outputs: [output], sources: [] });

  const named = toText(await replay(store, "signal=traces&span_name=n-1"));
  const query = new URLSearchParams("signal=traces&time=event&start=2026-05-01T14:10&end=2026-05-01T14:11");
  const timed = toText(await (await replayResponse({ query, accept: null }, depsOf(store))).bytes());

  expect(listNames(named)).toEqual(["n-1", "n-1"]);
  expect(listNames(timed)).toEqual(["n-1", "n-3"]);
});

test("replayResponse() refuses the filters of profiles before it reads", async () => {
  const store = openSyntheticStore();

  await expect(replay(store, "signal=profiles&service=shop")).rejects.toMatchObject({ field: "service" });
  await expect(replay(store, "signal=profiles&time=event")).rejects.toMatchObject({ field: "time" });
});

test("dryRunResponse() does not know without reading what matches, and with exact=true counts it", async () => {
  const query = "signal=logs&severity=error&dry_run=true";
  const guessed: unknown = JSON.parse(toText(await replay(storeOf("logs"), query)));
  const exact: unknown = JSON.parse(toText(await replay(storeOf("logs"), `${query}&exact=true`)));

  expect(guessed).toMatchObject({ items: null, items_at_least: 0, objects: 2 });
  expect(exact).toMatchObject({ items: 2, items_at_least: 2, objects: 2 });
});

test("dryRunResponse() knows that nothing matches where no object is read", async () => {
  const query = "signal=logs&severity=error&dry_run=true";
  const empty: unknown = JSON.parse(toText(await replay(openSyntheticStore(), query)));

  expect(empty).toMatchObject({ items: 0, items_at_least: 0, objects: 0 });
});
