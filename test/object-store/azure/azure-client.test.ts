import { describe, expect, it } from "vitest";
import { sourceOf } from "../../conformance/put-source.ts";
import type { ObjectStore } from "../../../src/object-store/contract.ts";
import {
  blobOf,
  NOW,
  openFakeAzure,
  pageOf,
  SECRET_KEY,
  SECRET_TOKEN,
  type Answerer,
  type FakeAnswer,
} from "./fake-azure.ts";

const FAILED: FakeAnswer = { status: 403, code: "AuthenticationFailed" };

/** Refuses signatures whose time is more than 15 minutes from its own, as Azure does. */
function serviceAhead(millis: number, answer: FakeAnswer): Answerer {
  return ({ headers }) => {
    const date = new Date(NOW + millis).toUTCString();
    const isOff = Math.abs(Date.parse(headers.get("x-ms-date") ?? "") - (NOW + millis)) > 15 * 60_000;
    return isOff ? { ...FAILED, headers: { date } } : { ...answer, headers: { ...answer.headers, date } };
  };
}

/** Every call of a store that asks something. */
function callsOf(store: ObjectStore): readonly (() => Promise<unknown>)[] {
  const upload = { key: "a", uploadId: "01234567-89ab-4cde-8f01-23456789abcd text/plain" };
  const part = { number: 1, length: 1, etag: "00112233445566778899aabbccddeeff" };
  return [
    async () => store.put("a", await sourceOf(new Uint8Array(10))),
    () => store.get("a", { range: { offset: 1 }, ifMatch: "0x8D" }),
    () => store.head("a"),
    () => store.list({ prefix: "p" }),
    () => store.list({ prefix: "p", startAfter: "p1" }),
    () => store.delete(["a"]),
    () => store.putPart(upload, 1, new Uint8Array(10)),
    () => store.completeMultipart(upload, [part]),
  ];
}

describe("openAzureClient() and a clock that is off", () => {
  it.each([3_600_000, -3_600_000, 16 * 60_000])(
    "signs again with the time of the service, %i ms ahead",
    async (ahead) => {
      const { store, sent } = openFakeAzure(serviceAhead(ahead, blobOf(5)));

      expect(await store.head("a")).toMatchObject({ length: 5 });
      expect(await store.head("b")).toMatchObject({ length: 5 });

      const dates = sent.map(({ headers }) => Date.parse(headers.get("x-ms-date") ?? "") - NOW);
      expect(dates).toEqual([0, ahead, ahead]);
    },
  );

  it("sends the bytes again", async () => {
    const { store, sent } = openFakeAzure(({ method, headers, ...request }, index) =>
      method === "HEAD"
        ? blobOf(10, { firnsha256: sent[0]?.headers.get("x-ms-meta-firnsha256") ?? "" })
        : serviceAhead(3_600_000, { status: 201 })({ method, headers, ...request }, index),
    );
    const source = await sourceOf(new Uint8Array(10).fill(7));

    expect(await store.put("a", source)).toMatchObject({ kind: "stored" });
    expect(sent.map(({ method, body }) => `${method} ${body.length}`)).toEqual(["PUT 10", "PUT 10", "HEAD 0"]);
    expect(source.state).toEqual({ opens: 3, closes: 3 });
  });

  it("signs again once only", async () => {
    const date = new Date(NOW + 3_600_000).toUTCString();
    const { store, sent } = openFakeAzure(() => ({ ...FAILED, headers: { date } }));

    await expect(store.head("a")).rejects.toMatchObject({ kind: "store_refused" });
    expect(sent).toHaveLength(2);
  });

  it("does not when it signed with the time of the service already", async () => {
    const ahead = 3_600_000;
    const date = new Date(NOW + ahead).toUTCString();
    const { store, sent } = openFakeAzure((request, index) =>
      request.url.pathname.endsWith("/b")
        ? { ...FAILED, headers: { date } }
        : serviceAhead(ahead, blobOf(5))(request, index),
    );
    await store.head("a");

    await expect(store.head("b")).rejects.toMatchObject({ kind: "store_refused" });
    expect(sent).toHaveLength(3);
  });

  it("does not when the clocks agree, when the service names no time, and with a shared access signature", async () => {
    const near = openFakeAzure(() => ({ ...FAILED, headers: { date: new Date(NOW + 60_000).toUTCString() } }));
    const silent = openFakeAzure(() => ({ ...FAILED, headers: { date: "" } }));
    const signed = openFakeAzure(() => ({ ...FAILED, headers: { date: new Date(0).toUTCString() } }), {
      credential: { kind: "sas", token: SECRET_TOKEN },
    });

    for (const { store, sent } of [near, silent, signed]) {
      await expect(store.head("a")).rejects.toMatchObject({ kind: "store_refused" });
      expect(sent).toHaveLength(1);
    }
  });
});

describe("openAzureClient() and failures", () => {
  it.each(["head", "body"])("reads the code from the %s of an answer", async (place) => {
    const body = '\uFEFF<?xml version="1.0"?><Error><Code>ServerBusy</Code><Message>no</Message></Error>';
    const { store } = openFakeAzure(() =>
      place === "head" ? { status: 503, code: "ServerBusy" } : { status: 503, body },
    );

    await expect(store.get("a")).rejects.toMatchObject({
      kind: "store_unavailable",
      message: expect.stringContaining("ServerBusy"),
    });
  });

  it("hands on when to ask again", async () => {
    const { store } = openFakeAzure(() => ({ status: 503, code: "ServerBusy", headers: { "retry-after": "9" } }));

    await expect(store.list({ prefix: "" })).rejects.toMatchObject({ retryAfterSeconds: 9 });
  });

  it("does not follow a redirect", async () => {
    const { store, sent } = openFakeAzure(() => ({ status: 307, headers: { location: "https://example.com/" } }));

    await expect(store.head("a")).rejects.toMatchObject({ kind: "store_refused" });
    expect(sent).toHaveLength(1);
  });

  it("takes a 404 without a code for no answer about a blob", async () => {
    const { store } = openFakeAzure(() => ({ status: 404 }));

    await expect(store.head("a")).rejects.toMatchObject({ kind: "store_unavailable" });
    await expect(store.delete(["a"])).rejects.toMatchObject({ kind: "store_unavailable" });
  });
});

describe("openAzureClient() and a shared access signature", () => {
  it("appends it to each URL and signs nothing", async () => {
    const { store, sent } = openFakeAzure(({ method }) => (method === "GET" ? pageOf([]) : blobOf(1)), {
      credential: { kind: "sas", token: SECRET_TOKEN },
    });

    await store.head("a b");
    await store.list({ prefix: "p" });

    expect(sent.map(({ url }) => url.href.slice("https://firn.blob.core.windows.net".length))).toEqual([
      `/telemetry/a%20b?${SECRET_TOKEN}`,
      `/telemetry?restype=container&comp=list&maxresults=1000&prefix=p&${SECRET_TOKEN}`,
    ]);
    expect(sent.map(({ headers }) => headers.get("authorization"))).toEqual([null, null]);
  });
});

describe("openAzureClient() and secrets", () => {
  const secrets = [SECRET_KEY.toBase64(), "sig=", "a-signature-that-nobody-may-see", "SharedKey"];

  it.each([
    ["a wrong signature", () => ({ ...FAILED, body: "<Error><Code>AuthenticationFailed</Code></Error>" })],
    ["a failure", () => ({ status: 500, code: "InternalError" })],
    [
      "a sentence with the signature",
      ({ url, headers }) => ({
        status: 400,
        body: `<Error><Code>InvalidUri</Code><Message>${url.search} ${headers.get("authorization")}</Message></Error>`,
      }),
    ],
    ["a broken connection that names the URL", ({ url }) => new TypeError(`Fetch failed: ${url.href}`)],
  ] satisfies readonly (readonly [string, Answerer])[])(
    "keeps them out of every error after %s",
    async (_what, answer) => {
      for (const credential of [
        { kind: "key", key: SECRET_KEY },
        { kind: "sas", token: SECRET_TOKEN },
      ] as const) {
        const { store } = openFakeAzure(answer, { credential });
        for (const call of callsOf(store)) {
          const error: unknown = await call().catch((reason: unknown) => reason);
          expect(error).toMatchObject({ name: "FirnError" });
          const text = `${String(error)} ${JSON.stringify(error)} ${error instanceof Error ? error.stack : ""}`;
          for (const secret of secrets) expect(text).not.toContain(secret);
          expect((error as Error).cause).toBeUndefined();
        }
      }
    },
  );
});
