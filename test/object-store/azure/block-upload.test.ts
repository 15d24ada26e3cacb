import { describe, expect, it } from "vitest";
import type { MultipartUpload, ObjectStore, UploadedPart } from "../../../src/object-store/contract.ts";
import { blobOf, openFakeAzure, type Answerer, type FakeAnswer } from "./fake-azure.ts";

const BYTES = new TextEncoder().encode("the bytes of a part");
const CREATED: FakeAnswer = { status: 201 };
const MISSING: FakeAnswer = { status: 404, code: "BlobNotFound" };

async function upload(store: ObjectStore): Promise<{ upload: MultipartUpload; parts: UploadedPart[]; nonce: string }> {
  const begun = await store.createMultipart("a/b", "application/zstd");
  const [nonce = ""] = begun.uploadId.split(" ");
  return { upload: begun, parts: [await store.putPart(begun, 1, BYTES)], nonce };
}

/** Takes blocks; answers a commit and the look after it as it is told. */
function serviceOf(commit: FakeAnswer | Error, look: () => FakeAnswer): Answerer {
  return ({ method, url }) => {
    if (method === "HEAD") return look();
    return url.searchParams.get("comp") === "blocklist" ? commit : CREATED;
  };
}

describe("openAzureStore() createMultipart()", () => {
  it("asks for nothing and never gives an id twice", async () => {
    const { store, sent } = openFakeAzure(() => CREATED);

    const ids = await Promise.all([1, 2].map(async () => (await store.createMultipart("a", "text/plain")).uploadId));

    expect(new Set(ids).size).toBe(2);
    expect(sent).toEqual([]);
  });
});

describe("openAzureStore() putPart()", () => {
  it("sends a block with the digest that Azure enforces", async () => {
    const { store, sent } = openFakeAzure(() => CREATED);

    const { parts } = await upload(store);

    const md5 = new Uint8Array(await crypto.subtle.digest("MD5", BYTES));
    expect(parts).toEqual([{ number: 1, etag: md5.toHex(), length: BYTES.length }]);
    expect(sent[0]?.headers.get("content-md5")).toBe(md5.toBase64());
    expect(sent[0]?.url.searchParams.get("comp")).toBe("block");
    expect(sent[0]?.body).toEqual(BYTES);
  });

  it("makes a missing container", async () => {
    const { store, lines } = openFakeAzure((_request, index) =>
      index === 0 ? { status: 404, code: "ContainerNotFound" } : CREATED,
    );

    await upload(store);

    expect(lines()[1]).toBe("PUT /telemetry?restype=container");
  });

  it("takes an upload of another store for one that is gone", async () => {
    const { store, sent } = openFakeAzure(() => CREATED);

    const asked = store.putPart({ key: "a", uploadId: "VXBsb2FkIElE" }, 1, BYTES);

    await expect(asked).rejects.toMatchObject({ kind: "object_not_found" });
    expect(sent).toEqual([]);
  });
});

describe("openAzureStore() completeMultipart()", () => {
  it("lists the blocks, create-only, with content type and nonce", async () => {
    let nonce = "";
    const { store, sent } = openFakeAzure(serviceOf(CREATED, () => blobOf(BYTES.length, { firnupload: nonce })));
    const begun = await upload(store);
    ({ nonce } = begun);

    expect(await store.completeMultipart(begun.upload, begun.parts)).toMatchObject({ kind: "stored" });
    const commit = sent[1];
    const blockId = sent[0]?.url.searchParams.get("blockid") ?? "";
    expect(new TextDecoder().decode(commit?.body)).toContain(`<Uncommitted>${blockId}</Uncommitted>`);
    expect(commit?.headers.get("if-none-match")).toBe("*");
    expect(commit?.headers.get("x-ms-blob-content-type")).toBe("application/zstd");
    expect(commit?.headers.get("x-ms-meta-firnupload")).toBe(nonce);
  });

  it.each([
    [409, "BlobAlreadyExists"],
    [412, "ConditionNotMet"],
    [400, "InvalidBlockList"],
  ])("is stored when HTTP %i %s hides an earlier success", async (status, code) => {
    let nonce = "";
    const { store } = openFakeAzure(serviceOf({ status, code }, () => blobOf(BYTES.length, { firnupload: nonce })));
    const begun = await upload(store);
    ({ nonce } = begun);

    expect(await store.completeMultipart(begun.upload, begun.parts)).toMatchObject({ kind: "stored" });
  });

  it.each([
    [409, "BlobAlreadyExists"],
    [400, "InvalidBlockList"],
  ])("says what stands there after HTTP %i %s", async (status, code) => {
    const { store } = openFakeAzure(serviceOf({ status, code }, () => blobOf(3, { firnupload: "another" })));
    const begun = await upload(store);

    expect(await store.completeMultipart(begun.upload, begun.parts)).toMatchObject({
      kind: "exists",
      info: { length: 3 },
    });
  });

  it.each([
    ["a part that Azure does not know", { status: 400, code: "InvalidBlockList" }, MISSING, "store_refused"],
    ["a key that is gone again", { status: 409, code: "BlobAlreadyExists" }, MISSING, "store_unavailable"],
    ["a blob of another upload", CREATED, blobOf(BYTES.length, { firnupload: "another" }), "store_unavailable"],
    ["a blob that is not there", CREATED, MISSING, "store_unavailable"],
    ["a failure", { status: 500, code: "InternalError" }, MISSING, "store_unavailable"],
    ["a broken connection", new Error("Network connection lost."), MISSING, "store_unavailable"],
  ])("is not stored after %s", async (_what, commit, look, kind) => {
    const { store } = openFakeAzure(serviceOf(commit, () => look));
    const begun = await upload(store);

    await expect(store.completeMultipart(begun.upload, begun.parts)).rejects.toMatchObject({ kind });
  });

  it("is not stored in another length", async () => {
    let nonce = "";
    const { store } = openFakeAzure(serviceOf(CREATED, () => blobOf(1, { firnupload: nonce })));
    const begun = await upload(store);
    ({ nonce } = begun);

    await expect(store.completeMultipart(begun.upload, begun.parts)).rejects.toMatchObject({
      kind: "store_unavailable",
    });
  });

  it("refuses parts and uploads of another store without a call", async () => {
    const { store, sent } = openFakeAzure(() => CREATED);
    const { upload: begun, parts } = await upload(store);
    const foreign = parts.map((part) => ({ ...part, etag: `"${part.etag}"` }));

    await expect(store.completeMultipart(begun, foreign)).rejects.toMatchObject({ kind: "store_refused" });
    await expect(store.completeMultipart({ key: "a", uploadId: "x" }, parts)).rejects.toMatchObject({
      kind: "object_not_found",
    });
    expect(sent).toHaveLength(1);
  });
});
