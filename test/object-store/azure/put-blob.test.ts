import { describe, expect, it } from "vitest";
import { openAzureStore } from "../../../src/object-store/azure/azure-store.ts";
import type { ObjectStore, PutOutcome } from "../../../src/object-store/contract.ts";
import { hexOf, patternOf, sourceOf } from "../../conformance/put-source.ts";
import { blobOf, FAKE_CONFIG, NOW, openFakeAzure, type FakeAnswer } from "./fake-azure.ts";

const BYTES = new TextEncoder().encode("the bytes of an object");
const SHA256_HEX = await hexOf(BYTES);
const STORED = blobOf(BYTES.length, { firnsha256: SHA256_HEX });
const CREATED: FakeAnswer = { status: 201 };
const NO_CONTAINER: FakeAnswer = { status: 404, code: "ContainerNotFound" };

async function putBytes(store: ObjectStore): Promise<PutOutcome> {
  return store.put("a/b.gz", await sourceOf(BYTES));
}

/** Answers in order; the last one again and again. */
function inOrder(...answers: readonly FakeAnswer[]): (request: unknown, index: number) => FakeAnswer {
  return (_request, index) => answers[Math.min(index, answers.length - 1)] ?? CREATED;
}

describe("openAzureStore() put()", () => {
  it("asks twice where nothing goes wrong", async () => {
    const { store, lines } = openFakeAzure(inOrder(CREATED, STORED));

    const outcome = await putBytes(store);

    const info = { key: "a/b.gz", length: BYTES.length, etag: "0x8D", sha256Hex: SHA256_HEX };
    expect(outcome).toEqual({ kind: "stored", info });
    expect(lines()).toEqual(["PUT /telemetry/a/b.gz", "HEAD /telemetry/a/b.gz"]);
  });

  it("sends the digest that Azure enforces, the condition, and what the settings say", async () => {
    const changes = {
      accessTier: "Cool",
      tags: [
        { name: "team", value: "a b&c" },
        { name: "x", value: "" },
      ],
    };
    const { store, sent } = openFakeAzure(inOrder(CREATED, STORED), changes);

    await putBytes(store);

    const [put] = sent;
    const md5 = new Uint8Array(await crypto.subtle.digest("MD5", BYTES));
    expect(put?.body).toEqual(BYTES);
    expect(Object.fromEntries(put?.headers ?? [])).toEqual({
      authorization: expect.stringMatching(/^SharedKey firn:[A-Za-z0-9+/]{43}=$/),
      "content-md5": md5.toBase64(),
      "if-none-match": "*",
      "x-ms-access-tier": "Cool",
      "x-ms-blob-content-type": "application/gzip",
      "x-ms-blob-type": "BlockBlob",
      "x-ms-date": new Date(NOW).toUTCString(),
      "x-ms-meta-firnsha256": SHA256_HEX,
      "x-ms-tags": "team=a%20b%26c&x=",
      "x-ms-version": "2025-11-05",
    });
  });

  it("reads a source once when it knows its MD5, and twice otherwise", async () => {
    const md5 = new Uint8Array(await crypto.subtle.digest("MD5", BYTES));
    const { store } = openFakeAzure(({ method }) => (method === "PUT" ? CREATED : STORED));
    const knowing = { ...(await sourceOf(BYTES)), md5 };
    const unknowing = await sourceOf(BYTES);

    await store.put("a", knowing);
    await store.put("b", unknowing);

    expect(knowing.state).toEqual({ opens: 1, closes: 1 });
    expect(unknowing.state).toEqual({ opens: 2, closes: 2 });
  });

  it.each([
    [409, "BlobAlreadyExists"],
    [412, "ConditionNotMet"],
    [403, "UnauthorizedBlobOverwrite"],
  ])("takes HTTP %i %s for a key that is taken", async (status, code) => {
    const { store } = openFakeAzure(inOrder({ status, code }, blobOf(3)));

    const info = { key: "a/b.gz", length: 3, etag: "0x8D", sha256Hex: null };
    expect(await putBytes(store)).toEqual({ kind: "exists", info });
  });

  it("may be repeated when the key was taken and is gone again", async () => {
    const { store } = openFakeAzure(
      inOrder({ status: 409, code: "BlobAlreadyExists" }, { status: 404, code: "BlobNotFound" }),
    );

    await expect(putBytes(store)).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it.each([
    ["another length", blobOf(BYTES.length + 1, { firnsha256: SHA256_HEX })],
    ["another digest", blobOf(BYTES.length, { firnsha256: "0".repeat(64) })],
    ["no digest", blobOf(BYTES.length)],
    ["no length", { status: 200, headers: { etag: '"0x8D"' } }],
    ["nothing", { status: 404, code: "BlobNotFound" }],
    ["a failure", { status: 500, code: "InternalError" }],
  ])("is not stored when the proof says %s", async (_what, answer) => {
    const { store } = openFakeAzure(inOrder(CREATED, answer));

    await expect(putBytes(store)).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("is not stored when the answer is another success", async () => {
    const { store } = openFakeAzure(inOrder({ status: 200, body: "<html>" }, STORED));

    await expect(putBytes(store)).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("refuses what Azure does not take in one piece, without a call", async () => {
    const { store, sent } = openFakeAzure(() => CREATED);
    const source = { ...(await sourceOf(BYTES)), length: 5000 * 1024 * 1024 + 1 };

    await expect(store.put("a", source)).rejects.toMatchObject({ kind: "store_refused" });
    expect(sent).toEqual([]);
    expect(source.state.opens).toBe(0);
  });

  it("ends although the service reads nothing of a large source", async () => {
    const source = await sourceOf(patternOf(5_000_000));
    const store = openAzureStore(FAKE_CONFIG, {
      now: () => NOW,
      fetch: async (_url, { method }) =>
        method === "HEAD"
          ? new Response(null, { headers: { "content-length": "3" } })
          : new Response(null, { status: 409, headers: { "x-ms-error-code": "BlobAlreadyExists" } }),
    });

    expect(await store.put("a", source)).toMatchObject({ kind: "exists" });
    expect(source.state).toEqual({ opens: 2, closes: 2 });
  });
});

describe("openAzureStore() put() that nobody waits for any more", () => {
  it("gives its connection up and asks no further", async () => {
    const { promise: began, resolve: begin } = Promise.withResolvers<void>();
    const methods: (string | undefined)[] = [];
    const ends: unknown[] = [];
    const store = openAzureStore(FAKE_CONFIG, {
      now: () => NOW,
      fetch: async (_url, { method, signal }) => {
        methods.push(method);
        begin();
        return new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => {
            ends.push(signal.reason);
            reject(new Error("aborted"));
          });
        });
      },
    });
    const controller = new AbortController();
    const reason = new Error("nobody waits");
    const asked = store.put("a", { ...(await sourceOf(BYTES)), signal: controller.signal });
    await began;

    controller.abort(reason);

    await expect(asked).rejects.toBe(reason);
    expect(ends).toEqual([reason]);
    expect(methods).toEqual(["PUT"]);
  });
});

describe("openAzureStore() createsContainer", () => {
  it("makes a missing container once and puts again", async () => {
    const { store, lines } = openFakeAzure(inOrder(NO_CONTAINER, CREATED, CREATED, STORED));

    expect(await putBytes(store)).toMatchObject({ kind: "stored" });
    expect(lines()).toEqual([
      "PUT /telemetry/a/b.gz",
      "PUT /telemetry?restype=container",
      "PUT /telemetry/a/b.gz",
      "HEAD /telemetry/a/b.gz",
    ]);
  });

  it("goes on when another put made the container", async () => {
    const exists = { status: 409, code: "ContainerAlreadyExists" };
    const { store } = openFakeAzure(inOrder(NO_CONTAINER, exists, CREATED, STORED));

    expect(await putBytes(store)).toMatchObject({ kind: "stored" });
  });

  it("does not make it a second time", async () => {
    const { store, sent } = openFakeAzure(({ url }) => (url.search === "" ? NO_CONTAINER : CREATED));

    await expect(putBytes(store)).rejects.toMatchObject({ kind: "store_refused" });
    expect(sent).toHaveLength(3);
  });

  it("makes none where the settings do not want it, and says which is missing", async () => {
    const { store, sent } = openFakeAzure(() => NO_CONTAINER, { createsContainer: false });

    await expect(putBytes(store)).rejects.toMatchObject({
      kind: "store_refused",
      message: expect.stringContaining("container https://firn.blob.core.windows.net/telemetry: there is no such"),
    });
    expect(sent).toHaveLength(1);
  });

  it("says that the credentials may make none", async () => {
    const refused = { status: 403, code: "AuthorizationPermissionMismatch" };
    const { store } = openFakeAzure(inOrder(NO_CONTAINER, refused));

    await expect(putBytes(store)).rejects.toMatchObject({
      kind: "store_refused",
      message: expect.stringMatching(/^Cannot create container "telemetry".+AuthorizationPermissionMismatch/),
    });
  });

  it("may be repeated while a container of that name is being deleted", async () => {
    const { store } = openFakeAzure(inOrder(NO_CONTAINER, { status: 409, code: "ContainerBeingDeleted" }));

    await expect(putBytes(store)).rejects.toMatchObject({ kind: "store_unavailable" });
  });
});
