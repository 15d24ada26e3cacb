/** Every form of the archive in every format of the answer. */
import { expect, test } from "vitest";
import { replayResponse } from "../../src/replay/replay.ts";
import { ITEM_SIGNALS } from "../../src/signal.ts";
import { bytes } from "../../src/units.ts";
import { freshKey, LIMITS } from "../reader/archive-sample.ts";
import { foreignKey, foreignObject, FORMS, LIST_NAME, ownObject } from "../reader/archive-forms.ts";
import { concat, gzip, namesOf, request } from "../reader/otlp-sample.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, replay, takeMessages, toText, WINDOW } from "./replay-kit.ts";

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The names of an archive with an object of each form, by Firn and by another writer, in the order of its keys. */
function openMixedStore(signal: (typeof ITEM_SIGNALS)[number]): { store: SyntheticStore; names: string[] } {
  const objects = FORMS.flatMap((form, index) => {
    const [own, foreign] = [`n-own-${index}`, `n-foreign-${index}`];
    const many = Array.from({ length: 500 }, (_, item) => `${own}-${item}`);
    return [
      {
        key: foreignKey(signal, form, 100 + index),
        object: ownObject(signal, form, [[own], many]),
        names: [own, ...many],
      },
      {
        key: foreignKey(signal, form, 200 + index),
        object: foreignObject(signal, form, [[foreign]]),
        names: [foreign],
      },
    ];
  }).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const store = openSyntheticStore(Object.fromEntries(objects.map(({ key, object }) => [key, object])));
  return { store, names: objects.flatMap(({ names }) => names) };
}

test.each(ITEM_SIGNALS)(
  "replayResponse() gives %s of every form in every format, each item once",
  { timeout: 60_000 },
  async (signal) => {
    const { store, names } = openMixedStore(signal);
    const query = `signal=${signal}&mark=false`;

    const lines = await replay(store, `${query}&format=jsonl`);
    const document = await replay(store, `${query}&format=json`);
    const message = await replay(store, `${query}&format=proto`);
    const messages = takeMessages(await replay(store, `${query}&format=proto-delimited`));

    expect(namesOf(toText(lines))).toEqual(names);
    expect(namesOf(toText(document))).toEqual(names);
    expect(new TextDecoder("latin1").decode(message).match(/n-(own|foreign)-\d+(-\d+)?/g)).toEqual(names);
    expect(concat(messages)).toEqual(message);
  },
);

test.each(ITEM_SIGNALS)("replayResponse() gives %s as one JSON document, the mark its last member", async (signal) => {
  const { store, names } = openMixedStore(signal);

  const marked = toText(await replay(store, `signal=${signal}&format=json`));
  const unmarked = toText(await replay(store, `signal=${signal}&format=json&mark=false`));

  const document = JSON.parse(marked) as { firn: Record<string, unknown> };
  expect(Object.keys(document)).toEqual([LIST_NAME[signal], "firn"]);
  expect(document.firn).toEqual({
    items: names.length,
    bytes: toBytes(unmarked).length - 2,
    complete: true,
    next: null,
    watermark: "2026-05-02T00:00:00.000Z",
    unreadable: 0,
    retired: 0,
    expired: 0,
  });
  expect(marked.startsWith(`${unmarked.slice(0, -2)},"firn":{`)).toBe(true);
  expect(marked.indexOf("\n")).toBe(marked.length - 1);
  expect(unmarked.indexOf("\n")).toBe(unmarked.length - 1);
});

test.each(ITEM_SIGNALS)("replayResponse() gives a window without %s as a document without elements", async (signal) => {
  const store = openSyntheticStore();
  const document = `{"${LIST_NAME[signal]}":[]`;

  const marked = toText(await replay(store, `signal=${signal}&format=json`));

  expect(marked).toBe(
    `${document},"firn":{"items":0,"bytes":${document.length},"complete":true,"next":null,` +
      '"watermark":"2026-05-02T00:00:00.000Z","unreadable":0,"retired":0,"expired":0}}\n',
  );
  expect(toText(await replay(store, `signal=${signal}&format=json&mark=false`))).toBe(`${document}}\n`);
});

test("replayResponse() joins runs of a large window into one document", { timeout: 60_000 }, async () => {
  const names = Array.from({ length: 40 }, (_, index) => `n-${index}-`.padEnd(100_000, "x"));
  const store = openSyntheticStore(
    Object.fromEntries(
      names.map((name, index) => [
        freshKey("2026-05-01T14:09:00Z", { sequence: index + 1 }),
        gzip(request("traces", [name])),
      ]),
    ),
  );

  const text = toText(await replay(store, "signal=traces&format=json"));

  expect(text.length).toBeGreaterThan(4_000_000);
  expect(Object.keys(JSON.parse(text) as object)).toEqual(["resourceSpans", "firn"]);
  expect(namesOf(text).map((name) => Number(name.split("-")[1]))).toEqual(names.map((_, index) => index));
});

test.each([
  ["jsonl", "application/x-ndjson"],
  ["json", "application/json"],
  ["proto", "application/x-protobuf"],
  ["proto-delimited", "application/octet-stream"],
])("replayResponse() names %s %s", async (format, contentType) => {
  const query = new URLSearchParams(`signal=traces&format=${format}&${WINDOW}`);

  const response = await replayResponse({ query, accept: null }, depsOf(openSyntheticStore()));

  expect(response.headers.get("content-type")).toBe(contentType);
  expect(response.headers.get("vary")).toBe("Accept, Accept-Encoding");
});

test.each(["json", "proto", "proto-delimited"])(
  "replayResponse() fails with a status, not with half a body in %s, when its first object is unreadable",
  async (format) => {
    const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: new Uint8Array([1, 2, 3]) });

    await expect(replay(store, `signal=traces&format=${format}`)).rejects.toMatchObject({ kind: "corrupt_object" });
  },
);

test("replayResponse() gives a document that is well-formed though an object in it is not", async () => {
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z")]: gzip(request("traces", ["n-1"])),
    [freshKey("2026-05-01T14:20:00Z")]: gzip(request("traces", ["n-x"])).subarray(0, -12),
    [freshKey("2026-05-01T14:30:00Z")]: gzip(request("traces", ["n-2"])),
  });

  const text = toText(await replay(store, "signal=traces&format=json&on_error=skip"));

  expect(namesOf(text)).toEqual(["n-1", "n-2"]);
  expect(JSON.parse(text)).toMatchObject({ firn: { items: 2, unreadable: 1, complete: false } });
});

test("replayResponse() pages through a window in JSON, each page a document of its own", async () => {
  const minutes = ["09", "10", "11", "30"];
  const store = openSyntheticStore(
    Object.fromEntries(
      minutes.map((each) => [freshKey(`2026-05-01T14:${each}:00Z`), gzip(request("traces", [`n-${each}`]))]),
    ),
  );
  const deps = { limits: { ...LIMITS, maxStoreCalls: 4 } };
  const names: string[] = [];
  const marks: unknown[] = [];
  let cursor = "";

  for (let page = 0; page < 10; page++) {
    const text = toText(await replay(store, `signal=traces&format=json${cursor}`, deps));
    const { firn } = JSON.parse(text) as { firn: { next: string | null; complete: boolean } };
    names.push(...namesOf(text));
    marks.push(firn.complete);
    if (firn.next === null) break;
    cursor = `&cursor=${firn.next}`;
  }

  expect(names).toEqual(minutes.map((each) => `n-${each}`));
  expect(marks).toEqual([false, true]);
});

test.each(["jsonl", "json", "proto", "proto-delimited"])(
  "replayResponse() breaks off in %s where it would end itself and no mark could say so",
  async (format) => {
    const names = ["09", "10", "11", "30"];
    const store = openSyntheticStore(
      Object.fromEntries(names.map((each) => [freshKey(`2026-05-01T14:${each}:00Z`), gzip(request("traces", [each]))])),
    );
    const deps = { limits: { ...LIMITS, maxStoreCalls: 4 } };

    await expect(replay(store, `signal=traces&mark=false&format=${format}`, deps)).rejects.toThrow(
      "Cannot replay the window in one response without a mark: leave out mark=false, or narrow the window",
    );
  },
);

test(
  "replayResponse() streams a window of 50 MB as one document with few bytes outstanding",
  { timeout: 120_000 },
  async () => {
    const raw = request(
      "logs",
      Array.from({ length: 4000 }, (_, index) => `n-${index}`),
    );
    const member = gzip(raw);
    const memberCount = Math.ceil(12_500_000 / raw.length);
    const store = openSyntheticStore();
    for (let sequence = 1; sequence <= 4; sequence++) {
      const open = function* (): Generator<Uint8Array> {
        for (let index = 0; index < memberCount; index++) yield member.slice();
      };
      const key = freshKey("2026-05-01T14:09:00Z", { sequence, signal: "logs" });
      store.objects.set(key, { length: member.length * memberCount, open });
    }
    const query = new URLSearchParams(`signal=logs&format=json&${WINDOW}`);
    const limits = { ...LIMITS, maxRawBytes: bytes(1e9) };
    const response = await replayResponse({ query, accept: null }, depsOf(store, { limits }));
    const expectedBytes = 4 * memberCount * member.length;
    let received = 0;
    const progress: { received: number; given: number }[] = [];

    for await (const piece of response.body ?? []) {
      received += piece.length;
      progress.push({ received, given: store.bytesGiven() });
    }

    const outstanding = progress.map((each) => each.given - (each.received / received) * expectedBytes);
    expect(received).toBeGreaterThan(50_000_000);
    expect(Math.max(...outstanding)).toBeLessThan(2_000_000);
  },
);

test("replayResponse() cuts the same messages whatever pieces an object arrives in", { timeout: 60_000 }, async () => {
  const objects = {
    [freshKey("2026-05-01T14:09:00Z")]: gzip(
      request(
        "traces",
        Array.from({ length: 90_000 }, (_, index) => `n-${index}`),
      ),
    ),
    [freshKey("2026-05-01T14:10:00Z")]: gzip(
      ...Array.from({ length: 3000 }, (_, index) => request("traces", [`n-${index}`.padEnd(900, "-")])),
    ),
  };
  const bodies = await Promise.all(
    [700, 64_000].map((pieceBytes) => {
      const store = openSyntheticStore();
      for (const [key, object] of Object.entries(objects)) store.objects.set(key, bytesObject(object, pieceBytes));
      return replay(store, "signal=traces&format=proto-delimited");
    }),
  );

  const [few = new Uint8Array(0), many = new Uint8Array(0)] = bodies;
  const lengths = takeMessages(many).map(({ length }) => length);
  expect(few.length).toBe(many.length);
  expect(few.every((byte, index) => byte === many[index])).toBe(true);
  // A large field by itself, gathered ones of at most a megabyte, and the mark.
  expect(lengths[0]).toBeGreaterThan(2_000_000);
  expect(Math.max(...lengths.slice(1))).toBeLessThanOrEqual(1_000_000);
  expect(lengths).toHaveLength(5);
});

test("replayResponse() ends delimited messages with one that holds the mark alone", async () => {
  const store = openSyntheticStore({ [freshKey("2026-05-01T14:09:00Z")]: gzip(request("traces", ["n-1"])) });

  const body = await replay(store, "signal=traces&format=proto-delimited");

  const [message, mark, ...rest] = takeMessages(body);
  expect(message).toEqual(request("traces", ["n-1"]));
  expect(rest).toEqual([]);
  expect(mark?.subarray(0, 3)).toEqual(new Uint8Array([0x82, 0xea, 0x30]));
  // The length behind it takes two bytes.
  expect(JSON.parse(toText((mark ?? new Uint8Array(0)).subarray(5)))).toMatchObject({
    items: 1,
    bytes: 4 + request("traces", ["n-1"]).length,
    complete: true,
  });
});
