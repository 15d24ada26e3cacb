import { expect, test, vi } from "vitest";
import { FirnError } from "../../src/errors.ts";
import type { ReplayDeps } from "../../src/replay/contract.ts";
import { replayResponse } from "../../src/replay/replay.ts";
import { ITEM_SIGNALS } from "../../src/signal.ts";
import { bytes, millis } from "../../src/units.ts";
import { at, freshKey, LIMITS } from "../reader/archive-sample.ts";
import { concat, gzip, namesOf, request } from "../reader/otlp-sample.ts";
import { openSyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, NOW, WINDOW } from "./replay-kit.ts";

const traces = (...names: string[]): Uint8Array => request("traces", names);

const replay = (query: string, deps: ReplayDeps): Promise<Response> =>
  replayResponse({ query: new URLSearchParams(query), accept: null }, deps);

interface Answer {
  readonly body: Uint8Array;
  readonly mark: Record<string, unknown>;
}

/** Takes a mark off the end of a body, by what it says itself about the bytes before it. */
async function takeAnswer(response: Response, format: "jsonl" | "proto"): Promise<Answer> {
  const whole = new Uint8Array(await response.arrayBuffer());
  const text = new TextDecoder("latin1").decode(whole);
  const markAt = format === "jsonl" ? text.lastIndexOf("\n", text.length - 2) + 1 : text.lastIndexOf('{"items"');
  const parsed: unknown = JSON.parse(text.slice(markAt));
  const mark = (format === "jsonl" ? (parsed as { firn: unknown }).firn : parsed) as Answer["mark"];
  return { body: whole.subarray(0, Number(mark["bytes"])), mark };
}

/** Names that no two items share, in more data than a piece of the body. */
const manyNames = (tag: string): string[] => Array.from({ length: 4000 }, (_, index) => `n-${tag}-${index}`);

test("replayResponse() gives protobuf as the exact concatenation of what is stored", async () => {
  const parts = [traces("n-1"), traces(...manyNames("b")), traces("n-3")];
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-1"), traces(...manyNames("b"))),
    [freshKey("2026-05-01T14:10:00Z")]: gzip(traces("n-3")),
  });

  const response = await replay(`signal=traces&format=proto&${WINDOW}`, depsOf(store));
  const { body, mark } = await takeAnswer(response, "proto");

  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/x-protobuf");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(body).toEqual(concat(parts));
  expect(mark).toMatchObject({ items: 4002, bytes: concat(parts).length, complete: true, next: null, unreadable: 0 });
});

test.each(ITEM_SIGNALS)("replayResponse() gives %s as JSON Lines with every item once", async (signal) => {
  const names = [manyNames("a"), ["n-2"], ["n-3", "n-4"]];
  const [a = [], b = [], c = []] = names;
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z", { signal })]: gzip(request(signal, a), request(signal, b)),
    [freshKey("2026-05-01T14:10:00Z", { signal })]: gzip(request(signal, c)),
  });

  const response = await replay(`signal=${signal}&${WINDOW}`, depsOf(store));
  const { body, mark } = await takeAnswer(response, "jsonl");

  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  expect(namesOf(new TextDecoder().decode(body))).toEqual(names.flat());
  expect(mark).toMatchObject({ items: names.flat().length, complete: true });
});

test("replayResponse() keeps lines below max_line_bytes", async () => {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: gzip(traces(...manyNames("a"))) });

  const response = await replay(`signal=traces&max_line_bytes=5000&${WINDOW}`, depsOf(store));
  const lines = (await response.text()).split("\n");

  expect(lines.length).toBeGreaterThan(50);
  expect(Math.max(...lines.map((line) => line.length + 1))).toBeLessThanOrEqual(5000);
});

test("replayResponse() reads what awss3exporter wrote", async () => {
  const document = { resourceSpans: [{ scopeSpans: [{ spans: [spanOf("n-1"), spanOf("n-2")] }] }] };
  const store = openSyntheticStore({
    "p/year=2026/month=05/day=01/hour=14/minute=09/traces_312302042.json": new TextEncoder().encode(
      JSON.stringify(document),
    ),
    "p/year=2026/month=05/day=01/hour=14/minute=10/traces_312302043.binpb.gz": gzip(traces("n-3")),
  });

  const { body, mark } = await takeAnswer(await replay(`signal=traces&${WINDOW}`, depsOf(store)), "jsonl");

  expect(namesOf(new TextDecoder().decode(body))).toEqual(["n-1", "n-2", "n-3"]);
  expect(mark).toMatchObject({ items: 3 });
});

function spanOf(name: string): Record<string, unknown> {
  return { traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", name };
}

test("replayResponse() of an empty window is the mark alone, or nothing without it", async () => {
  const store = openSyntheticStore();

  expect(await (await replay(`signal=logs&${WINDOW}`, depsOf(store))).text()).toBe(
    '{"resourceLogs":[],"firn":{"items":0,"bytes":0,"complete":true,"next":null,' +
      '"watermark":"2026-05-02T00:00:00.000Z","unreadable":0,"retired":0,"expired":0}}\n',
  );
  expect(await (await replay(`signal=logs&mark=false&${WINDOW}`, depsOf(store))).text()).toBe("");
});

test("replayResponse() leaves the mark out on request and changes nothing else", async () => {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-1")) });

  const response = await replay(`signal=traces&format=proto&mark=false&${WINDOW}`, depsOf(store));

  expect(new Uint8Array(await response.arrayBuffer())).toEqual(traces("n-1"));
});

test("replayResponse() asks for the watermark before it lists", async () => {
  const store = openSyntheticStore();
  const calls: string[] = [];
  store.before = (call) => calls.push(call.slice(0, 4));
  const watermark = (): Promise<"unknown"> => {
    calls.push("watermark");
    return Promise.resolve("unknown");
  };

  const response = await replay(`signal=traces&${WINDOW}`, depsOf(store, { watermark }));

  expect(calls.slice(0, 2)).toEqual(["watermark", "list"]);
  expect((await takeAnswer(response, "jsonl")).mark).toMatchObject({ complete: false, watermark: "unknown" });
});

test("replayResponse() gives what lies past the watermark, and says that it is not complete", async () => {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:40:00Z")]: gzip(traces("n-1")) });
  const deps = depsOf(store, { watermark: () => Promise.resolve(at("2026-05-01T14:30:00Z")) });

  const { mark } = await takeAnswer(await replay(`signal=traces&${WINDOW}`, deps), "jsonl");

  expect(mark).toMatchObject({ items: 1, complete: false, next: null, watermark: "2026-05-01T14:30:00.000Z" });
});

test("replayResponse() pages through a window by next, without loss and without repeats", async () => {
  const minutes = ["09", "09", "10", "11", "11", "30"];
  const requests = minutes.map((minute, index) => traces(`n-${minute}-${index}`));
  const store = openSyntheticStore(
    Object.fromEntries(
      minutes.map((minute, index) => [
        freshKey(`2026-05-01T14:${minute}:00Z`, { sequence: index + 1 }),
        gzip(requests[index] ?? new Uint8Array()),
      ]),
    ),
  );
  const deps = depsOf(store, { limits: { ...LIMITS, maxStoreCalls: 3 } });
  const query = `signal=traces&format=proto&${WINDOW}`;
  const bodies: Uint8Array[] = [];
  const marks: Answer["mark"][] = [];
  let cursor = "";

  for (let page = 0; page < 10; page++) {
    const { body, mark } = await takeAnswer(await replay(`${query}${cursor}`, deps), "proto");
    bodies.push(body);
    marks.push(mark);
    if (mark["next"] === null) break;
    cursor = `&cursor=${mark["next"] as string}`;
  }

  expect(bodies.length).toBeGreaterThan(2);
  expect(concat(bodies)).toEqual(concat(requests));
  expect(marks.map((mark) => mark["complete"])).toEqual([...marks.slice(1).map(() => false), true]);
});

test("replayResponse() fails with an error, not a response, before the first byte", async () => {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: new Uint8Array([1, 2, 3]) });

  await expect(replay("signal=traces", depsOf(store))).rejects.toMatchObject({ kind: "invalid_request" });
  await expect(replay(`signal=traces&${WINDOW}`, depsOf(store))).rejects.toMatchObject({ kind: "corrupt_object" });
  store.before = () => {
    throw new FirnError("store_unavailable", "Cannot reach the store");
  };
  await expect(replay(`signal=traces&${WINDOW}`, depsOf(store))).rejects.toMatchObject({ kind: "store_unavailable" });
});

test("replayResponse() breaks the stream at a corrupt object, without a mark, and logs why", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const key = freshKey("2026-05-01T14:20:00Z");
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z")]: gzip(traces(...manyNames("a"))),
    [key]: gzip(traces("n-1")).subarray(0, -3),
  });
  const response = await replay(`signal=traces&format=proto&${WINDOW}`, depsOf(store));
  const received: Uint8Array[] = [];

  const taking = (async (): Promise<void> => {
    for await (const piece of response.body ?? []) received.push(piece);
  })();

  await expect(taking).rejects.toThrow(`Cannot read object "${key}"`);
  expect(concat(received).length).toBeGreaterThan(10_000);
  expect(new TextDecoder("latin1").decode(concat(received))).not.toContain('"complete"');
  expect(log.mock.calls).toHaveLength(1);
  expect(JSON.parse(String(log.mock.calls[0]?.[0]))).toMatchObject({ event: "replay.failed", signal: "traces" });
  log.mockRestore();
});

test("replayResponse() skips a corrupt object on request, counts it and is not complete", async () => {
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-1")),
    [freshKey("2026-05-01T14:20:00Z")]: gzip(traces("n-x")).subarray(0, -3),
    [freshKey("2026-05-01T14:30:00Z")]: gzip(traces("n-2")),
  });

  const response = await replay(`signal=traces&on_error=skip&${WINDOW}`, depsOf(store));
  const { mark } = await takeAnswer(response, "jsonl");

  expect(mark).toMatchObject({ unreadable: 1, complete: false, next: null });
});

test("replayResponse() logs one line about a replay that ended", async () => {
  const log = vi.spyOn(console, "info").mockImplementation(() => undefined);
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: gzip(traces("n-1", "n-2")) });
  const times = [millis(1000), millis(1250)];

  await (
    await replay(`signal=traces&format=proto&${WINDOW}`, depsOf(store, { now: () => times.shift() ?? NOW }))
  ).bytes();

  expect(log.mock.calls.map(([line]) => JSON.parse(String(line)))).toEqual([
    {
      level: "info",
      event: "replay.ended",
      signal: "traces",
      format: "proto",
      coding: "identity",
      objects: 1,
      store_calls: 3,
      items: 2,
      size_bytes: traces("n-1", "n-2").length,
      unreadable: 0,
      has_next: false,
      millis: 250,
    },
  ]);
  log.mockRestore();
});

test("replayResponse() reads no further than its client, and closes everything when the client goes", async () => {
  const member = gzip(traces(...manyNames("a")));
  const store = openSyntheticStore();
  for (let sequence = 1; sequence <= 20; sequence++) {
    const open = function* (): Generator<Uint8Array> {
      for (let index = 0; index < 1000; index++) yield member.slice();
    };
    store.objects.set(freshKey("2026-05-01T14:09:00Z", { sequence }), { length: member.length * 1000, open });
  }
  const response = await replay(`signal=traces&format=proto&${WINDOW}`, depsOf(store));
  const reader = response.body?.getReader();

  for (let piece = 0; piece < 10; piece++) await reader?.read();
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  const given = store.bytesGiven();
  await reader?.cancel();

  expect(given).toBeLessThan(2_000_000);
  await vi.waitFor(() => expect(store.openBodies()).toBe(0));
});

test("replayResponse() streams a 200 MB window with few bytes outstanding", { timeout: 120_000 }, async () => {
  const raw = traces(...manyNames("a"));
  const member = gzip(raw);
  const memberCount = Math.ceil(50_000_000 / raw.length);
  const store = openSyntheticStore();
  for (let sequence = 1; sequence <= 4; sequence++) {
    const open = function* (): Generator<Uint8Array> {
      for (let index = 0; index < memberCount; index++) yield member.slice();
    };
    store.objects.set(freshKey("2026-05-01T14:09:00Z", { sequence }), { length: member.length * memberCount, open });
  }
  const limits = { ...LIMITS, maxRawBytes: bytes(1e9) };
  const response = await replay(`signal=traces&format=proto&${WINDOW}`, depsOf(store, { limits }));
  let received = 0;
  let maxOutstandingBytes = 0;

  for await (const piece of response.body ?? []) {
    received += piece.length;
    maxOutstandingBytes = Math.max(maxOutstandingBytes, store.bytesGiven() - received * (member.length / raw.length));
  }

  expect(received).toBeGreaterThan(199_000_000);
  expect(maxOutstandingBytes).toBeLessThan(2_000_000);
});
