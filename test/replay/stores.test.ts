import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { ObjectStore, PutSource } from "../../src/object-store/contract.ts";
import { withFaults, type Fault } from "../../src/object-store/memory/faults.ts";
import { openMemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { openR2Store } from "../../src/object-store/r2/r2-store.ts";
import { withCallCounter } from "../../src/object-store/with-counter.ts";
import { replayResponse } from "../../src/replay/replay.ts";
import { at, freshKey, HOUR_FORMAT, layoutOf } from "../reader/archive-sample.ts";
import { concat, gzip, namesOf, request } from "../reader/otlp-sample.ts";

const NOW = at("2026-06-01T00:00:00Z");
const HOUR = "start=2026-05-01 14:00&end=2026-05-01 15:00";
const traces = (...names: string[]): Uint8Array => request("traces", names);
const many = (tag: string): string[] => Array.from({ length: 5000 }, (_, index) => `n-${tag}-${index}`);

const replay = (store: ObjectStore, query: string, layout = layoutOf()): Promise<Response> =>
  replayResponse(
    { query: new URLSearchParams(`signal=traces&${query}`), accept: null },
    { store, layout, watermark: () => Promise.resolve(NOW), now: () => NOW },
  );

async function put(store: ObjectStore, key: string, body: Uint8Array): Promise<void> {
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const source: PutSource = {
    length: body.length,
    sha256,
    contentType: "application/gzip",
    async *open() {
      yield await Promise.resolve(body);
    },
  };
  await store.put(key, source);
}

const bytesOf = async (answer: Promise<Response>): Promise<Uint8Array> => (await answer).bytes();

describe.each([
  ["R2", () => openR2Store(env.ARCHIVE, "telemetry")],
  ["memory", () => openMemoryStore()],
])("replayResponse() over %s", (name, openStore) => {
  /** Its own part of the bucket for each test: the simulator keeps what an earlier one stored. */
  const layoutFor = (part: string, format?: string): ReturnType<typeof layoutOf> =>
    layoutOf({ basePrefix: `${name}-${part}`, ...(format === undefined ? {} : { format }) });

  test("gives protobuf as the exact concatenation, and JSON Lines with every item once", async () => {
    const [store, layout] = [openStore(), layoutFor("exact")];
    await put(store, freshKey("2026-05-01T14:10:00Z", { layout }), gzip(traces("n-3"), traces(...many("x"))));
    await put(store, freshKey("2026-05-01T14:09:00Z", { layout, sequence: 2 }), gzip(traces("n-1", "n-2")));
    await put(store, freshKey("2026-05-01T14:11:00Z", { layout, signal: "logs" }), gzip(request("logs", ["n-log"])));

    const proto = await bytesOf(replay(store, `format=proto&mark=false&${HOUR}`, layout));
    const lines = await bytesOf(replay(store, HOUR, layout));

    expect(proto).toEqual(concat([traces("n-1", "n-2"), traces("n-3"), traces(...many("x"))]));
    expect(namesOf(new TextDecoder().decode(lines))).toEqual(["n-1", "n-2", "n-3", ...many("x")]);
  });

  test("gives many objects in a stable order", async () => {
    const [store, layout] = [openStore(), layoutFor("order")];
    const names = Array.from({ length: 30 }, (_, index) => `n-${index}`);
    for (const [index, each] of names.toReversed().entries()) {
      const minute = String(59 - index * 2 < 0 ? 0 : 59 - index * 2).padStart(2, "0");
      await put(store, freshKey(`2026-05-01T14:${minute}:00Z`, { layout, sequence: 30 - index }), gzip(traces(each)));
    }

    const first = await bytesOf(replay(store, `format=proto&${HOUR}`, layout));
    const second = await bytesOf(replay(store, `format=proto&${HOUR}`, layout));

    expect(second).toEqual(first);
    expect(new TextDecoder("latin1").decode(first).match(/n-\d+/g)).toEqual(names);
  });

  test("crosses years without data in a few listings", async () => {
    const [bare, layout] = [openStore(), layoutFor("sparse")];
    await put(bare, freshKey("2021-03-01T00:00:00Z", { layout }), gzip(traces("n-1")));
    await put(bare, freshKey("2026-05-01T14:10:00Z", { layout }), gzip(traces("n-2")));
    const calls: string[] = [];
    const store = withCallCounter(bare, (call) => calls.push(call));

    const body = await bytesOf(replay(store, "format=proto&mark=false&start=1971-01-01&end=2090-01-01", layout));

    expect(body).toEqual(concat([traces("n-1"), traces("n-2")]));
    expect(calls.length).toBeLessThan(18);
  });

  test("keeps tenants apart", async () => {
    const [store, unnamed] = [openStore(), layoutFor("tenants")];
    const [acme, acmeToo] = [
      { ...unnamed, tenant: "acme" },
      { ...unnamed, tenant: "acme-2" },
    ];
    for (const layout of [unnamed, acme, acmeToo]) {
      await put(store, freshKey("2026-05-01T14:10:00Z", { layout }), gzip(traces(`n-${layout.tenant}`)));
    }

    for (const layout of [unnamed, acme, acmeToo]) {
      const body = await bytesOf(replay(store, "format=proto&mark=false&start=2020-01-01&end=2030-01-01", layout));
      expect(body).toEqual(traces(`n-${layout.tenant}`));
    }
  });

  test.each([
    ["minute", undefined, "hour=14/minute=00/"],
    ["hour", HOUR_FORMAT, "hour=14/"],
  ])("reads what awss3exporter wrote by the %s", async (part, format, path) => {
    const [store, layout] = [openStore(), layoutFor(part, format)];
    const span = { traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", name: "n-1" };
    const document = new TextEncoder().encode(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
    const folder = `${layout.basePrefix}/p/year=2026/month=05/day=01/${path}`;
    await put(store, `${folder}traces_312302042.json`, document);
    await put(store, `${folder}traces_312302043.json.gz`, gzip(document));
    await put(store, `${folder}traces_312302044.binpb`, traces("n-2"));

    const body = await bytesOf(replay(store, HOUR, layout));

    expect(namesOf(new TextDecoder().decode(body))).toEqual(["n-1", "n-1", "n-2"]);
  });

  test("breaks the stream when the store fails after the first byte", async () => {
    const [bare, layout] = [openStore(), layoutFor("faults")];
    await put(bare, freshKey("2026-05-01T14:09:00Z", { layout }), gzip(traces(...many("x"))));
    await put(bare, freshKey("2026-05-01T14:10:00Z", { layout }), gzip(traces("n-2")));
    const fault: Fault = { call: "get", nth: 2, moment: "before" };
    const store = withFaults(bare, [fault]);

    const response = await replay(store, `format=proto&${HOUR}`, layout);

    await expect(response.bytes()).rejects.toThrow("as planned");
    expect(store.fired).toEqual([fault]);
  });

  test("refuses when the first listing fails", async () => {
    const fault: Fault = { call: "list", nth: 1, moment: "after" };
    const store = withFaults(openStore(), [fault]);

    await expect(replay(store, HOUR)).rejects.toMatchObject({ kind: "store_unavailable" });
    expect(store.fired).toEqual([fault]);
  });

  test("fails when an object vanishes after it was listed", async () => {
    const [bare, layout] = [openStore(), layoutFor("vanish")];
    const key = freshKey("2026-05-01T14:09:00Z", { layout });
    await put(bare, key, gzip(traces("n-1")));
    const store: ObjectStore = {
      ...bare,
      get: async (wanted) => {
        await bare.delete([key]);
        return bare.get(wanted);
      },
    };

    await expect(replay(store, HOUR, layout)).rejects.toMatchObject({
      kind: "object_not_found",
      message: expect.stringContaining("it has vanished since it was listed"),
    });
  });

  test("leaves nothing behind when the client goes", async () => {
    const [store, layout] = [openStore(), layoutFor("cancel")];
    for (let sequence = 1; sequence <= 8; sequence++) {
      await put(store, freshKey("2026-05-01T14:09:00Z", { layout, sequence }), gzip(traces(...many(`${sequence}`))));
    }
    const reader = (await replay(store, `format=proto&${HOUR}`, layout)).body?.getReader();

    await reader?.read();
    await reader?.cancel();

    expect(await bytesOf(replay(store, `format=proto&mark=false&${HOUR}`, layout))).toHaveLength(
      concat(Array.from({ length: 8 }, (_, index) => traces(...many(`${index + 1}`)))).length,
    );
  });
});
