/** Every form that stands in an archive is read, whoever wrote it. */
import { expect, test } from "vitest";
import { readWindow } from "../../src/reader/read-window.ts";
import { ITEM_SIGNALS } from "../../src/signal.ts";
import { readRequest, take } from "./archive-sample.ts";
import {
  foreignKey,
  foreignObject,
  FORMS,
  jsonElement,
  LIST_NAME,
  ownObject,
  profilesDocument,
  profilesMessage,
  profilesObject,
} from "./archive-forms.ts";
import { concat, request } from "./otlp-sample.ts";
import { openSyntheticStore } from "./synthetic-store.ts";
import type { ReadRequest } from "../../src/reader/contract.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const REQUESTS = [["n-1", "n-2"], ["n-3"], Array.from({ length: 3000 }, (_, index) => `n-many-${index}`)];
const EXPECTED = REQUESTS.flat();
const CASES = ITEM_SIGNALS.flatMap((signal) => FORMS.map((form) => ({ signal, ...form })));

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each(CASES)("readWindow() reads $signal in $marshaler and $compression as Firn writes it", async (each) => {
  const { signal, ...form } = each;
  const store = openSyntheticStore({ [foreignKey(signal, form)]: ownObject(signal, form, REQUESTS) });

  const taken = await take(readRequest(HOUR, { store, signal }));

  expect(taken.itemCount).toBe(EXPECTED.length);
  expect(new TextDecoder("latin1").decode(taken.bytes).match(/n-[a-z0-9-]*\d+/g)).toEqual(EXPECTED);
});

test.each(CASES)("readWindow() reads $signal in $marshaler and $compression as others write it", async (each) => {
  const { signal, ...form } = each;
  const store = openSyntheticStore({ [foreignKey(signal, form)]: foreignObject(signal, form, REQUESTS) });

  const taken = await take(readRequest(HOUR, { store, signal }));

  expect(taken.itemCount).toBe(EXPECTED.length);
  expect(taken.bytes).toEqual(concat(REQUESTS.map((names) => request(signal, names))));
});

test("readWindow() reads a JSON document of 100 MB with few bytes outstanding", { timeout: 120_000 }, async () => {
  const element = toBytes(
    jsonElement(
      "logs",
      Array.from({ length: 200 }, (_, index) => `n-${index}`),
    ),
  );
  const count = Math.ceil(100_000_000 / element.length);
  const head = toBytes(`{"${LIST_NAME.logs}":[`);
  const length = head.length + count * element.length + (count - 1) + 2;
  const store = openSyntheticStore();
  const open = function* (): Generator<Uint8Array> {
    yield head;
    for (let index = 0; index < count; index++) yield index === 0 ? element.slice() : concat([toBytes(","), element]);
    yield toBytes("]}");
  };
  store.objects.set(foreignKey("logs", { marshaler: "otlp_json", compression: "none" }), { length, open });
  let itemCount = 0;
  let maxOutstandingBytes = 0;

  for await (const event of readWindow(readRequest(HOUR, { store, signal: "logs" }))) {
    if (event.kind !== "fields") continue;
    itemCount += event.itemCount;
    maxOutstandingBytes = Math.max(maxOutstandingBytes, store.bytesGiven() - (itemCount / 200) * element.length);
  }

  expect(itemCount).toBe(200 * count);
  expect(maxOutstandingBytes).toBeLessThan(1_000_000);
});

interface Request {
  readonly encoding: string;
  readonly body: Uint8Array;
}

async function takeRequests(read: ReadRequest): Promise<{ requests: Request[]; unreadable: string[] }> {
  const requests: Request[] = [];
  const unreadable: string[] = [];
  for await (const event of readWindow(read)) {
    if (event.kind === "request") {
      expect(event.itemCount).toBe(1);
      requests.push({ encoding: event.encoding, body: event.body });
    }
    if (event.kind === "unreadable") unreadable.push(event.reason);
  }
  return { requests, unreadable };
}

test.each(FORMS)("readWindow() gives a profile in $marshaler and $compression whole, as it came", async (form) => {
  const store = openSyntheticStore({
    [foreignKey("profiles", form, 1)]: profilesObject("n-1", form),
    [foreignKey("profiles", form, 2)]: profilesObject("n-2", form),
  });

  const { requests } = await takeRequests(readRequest(HOUR, { store, signal: "profiles" }));

  const expected = ["n-1", "n-2"].map((name) =>
    form.marshaler === "otlp_json"
      ? { encoding: "json", body: toBytes(`${profilesDocument(name)}\n`) }
      : { encoding: "protobuf", body: profilesMessage(name) },
  );
  expect(requests).toEqual(expected);
});

test("readWindow() converts profiles where another encoding is wanted", async () => {
  const store = openSyntheticStore({
    [foreignKey("profiles", { marshaler: "otlp_json", compression: "gzip" }, 1)]: profilesObject("n-1", {
      marshaler: "otlp_json",
      compression: "gzip",
    }),
    [foreignKey("profiles", { marshaler: "otlp_proto", compression: "gzip" }, 2)]: profilesObject("n-2", {
      marshaler: "otlp_proto",
      compression: "gzip",
    }),
  });
  const read = readRequest(HOUR, { store, signal: "profiles" });

  const asProtobuf = await takeRequests({ ...read, encoding: "protobuf" });
  const asJson = await takeRequests({ ...read, encoding: "json" });

  expect(asProtobuf.requests.map(({ body }) => body)).toEqual([profilesMessage("n-1"), profilesMessage("n-2")]);
  const documents = asJson.requests.map(({ body }) => JSON.parse(new TextDecoder().decode(body)) as unknown);
  expect(documents[0]).toEqual(JSON.parse(profilesDocument("n-1")));
  expect(documents[1]).toMatchObject(JSON.parse(profilesDocument("n-2")) as object);
});

const PROTO = foreignKey("profiles", { marshaler: "otlp_proto", compression: "none" });
const JSON_KEY = foreignKey("profiles", { marshaler: "otlp_json", compression: "none" });

test.each([
  ["that is no protobuf", PROTO, new Uint8Array([0xff]), undefined],
  ["that is no JSON", JSON_KEY, toBytes('{"resourceProfiles":'), undefined],
  ["that is two documents", JSON_KEY, toBytes("{}{}"), undefined],
  ["without a byte", PROTO, new Uint8Array(0), undefined],
  ["that cannot become JSON", PROTO, new Uint8Array([0x0a, 0x02, 0x0a, 0x7f]), "json"],
  ["that cannot become protobuf", JSON_KEY, toBytes('{"resourceProfiles":7}'), "protobuf"],
  ["above 32 MiB", JSON_KEY, toBytes(profilesDocument("n-1").padEnd(32 * 1024 * 1024 + 1)), undefined],
] as const)("readWindow() takes a profile %s for unreadable", { timeout: 60_000 }, async (_, key, object, encoding) => {
  const store = openSyntheticStore({ [key]: object });
  const read = readRequest(HOUR, { store, signal: "profiles", ...(encoding === undefined ? {} : { encoding }) });

  const { requests, unreadable } = await takeRequests({ ...read, onError: "skip" });

  expect(requests).toEqual([]);
  expect(unreadable).toHaveLength(1);
  await expect(takeRequests(read)).rejects.toMatchObject({
    kind: "corrupt_object",
    message: expect.stringContaining(`Cannot read object "${key}": `) as unknown,
  });
});

test("readWindow() gives a profile that only cannot be converted where it need not be", async () => {
  const store = openSyntheticStore({ [PROTO]: new Uint8Array([0x0a, 0x02, 0x0a, 0x7f]) });

  const { requests } = await takeRequests(readRequest(HOUR, { store, signal: "profiles", encoding: "protobuf" }));

  expect(requests).toHaveLength(1);
});

test("readWindow() gives no profile to those who ask for another signal", async () => {
  const form = { marshaler: "otlp_proto", compression: "none" } as const;
  const store = openSyntheticStore({ [PROTO]: profilesObject("n-1", form) });

  expect(await take(readRequest(HOUR, { store, signal: "traces" }))).toMatchObject({ itemCount: 0 });
});
