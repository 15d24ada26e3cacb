import { describe, expect, it } from "vitest";
import { hexOf } from "../../conformance/put-source.ts";
import { errorAnswer, headAnswer, missingAnswers, openScripted } from "./s3-kit.ts";

const UPLOAD = { key: "a b", uploadId: "u/1+" };
const PARTS = [{ number: 1, etag: '"p&1"', length: 3 }];
const BYTES = Uint8Array.of(1, 2, 3);
const DONE = (): Response =>
  new Response("\n  <CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>");
const CUSTOMER_KEY = { kind: "sse-c", key: new Uint8Array(32) } as const;

describe("openS3Store() createMultipart()", () => {
  it("sends what the object is stored as, and no condition or digest", async () => {
    const answer = new Response(
      "<InitiateMultipartUploadResult><UploadId>u/1+</UploadId></InitiateMultipartUploadResult>",
    );
    const { store, sent } = openScripted([answer], { storageClass: "STANDARD_IA", encryption: CUSTOMER_KEY });

    expect(await store.createMultipart("a b", "application/zstd")).toEqual(UPLOAD);

    expect(sent[0]).toMatchObject({ method: "POST", url: "https://store.example/telemetry/a%20b?uploads=", body: "" });
    const names = [...(sent[0]?.headers.keys() ?? [])];
    expect(sent[0]?.headers.get("content-type")).toBe("application/zstd");
    expect(names).toContain("x-amz-storage-class");
    expect(names).toContain("x-amz-server-side-encryption-customer-key");
    expect(names.filter((name) => /^if-|firn-sha256|md5$|checksum/.test(name))).toEqual([
      "x-amz-server-side-encryption-customer-key-md5",
    ]);
  });

  it.each([
    ["an empty answer", new Response("")],
    ["an upload without a name", new Response("<InitiateMultipartUploadResult/>")],
  ])("does not take %s for an upload", async (_what, answer) => {
    const { store } = openScripted([answer]);

    await expect(store.createMultipart("a", "b/c")).rejects.toMatchObject({ kind: "store_unavailable" });
  });
});

describe("openS3Store() putPart()", () => {
  it("sends the bytes with both digests and the customer's key", async () => {
    const { store, sent } = openScripted([new Response(null, { headers: { etag: '"p&1"' } })], {
      encryption: CUSTOMER_KEY,
    });

    expect(await store.putPart(UPLOAD, 1, BYTES)).toEqual(PARTS[0]);

    expect(sent[0]?.url).toBe("https://store.example/telemetry/a%20b?partNumber=1&uploadId=u%2F1%2B");
    expect(sent[0]?.headers.get("x-amz-content-sha256")).toBe(await hexOf(BYTES));
    expect(sent[0]?.headers.get("content-md5")).toBe("Uonfc331cyb83SJZevsfrA==");
    expect(sent[0]?.headers.has("x-amz-server-side-encryption-customer-key")).toBe(true);
    expect(sent[0]?.headers.has("x-amz-storage-class")).toBe(false);
  });

  it("makes an upload that is gone object_not_found", async () => {
    const { store } = openScripted([errorAnswer(404, "NoSuchUpload")]);

    await expect(store.putPart(UPLOAD, 1, BYTES)).rejects.toMatchObject({ kind: "object_not_found" });
  });

  it("is not sent where the answer names no part", async () => {
    const { store } = openScripted([new Response(null)]);

    await expect(store.putPart(UPLOAD, 1, BYTES)).rejects.toMatchObject({ kind: "store_unavailable" });
  });
});

describe("openS3Store() completeMultipart()", () => {
  it("sends the parts, create-only where the store takes that, and looks at the object", async () => {
    for (const [dialect, condition] of [
      ["aws", "*"],
      ["r2", null],
    ] as const) {
      const { store, sent } = openScripted([DONE(), headAnswer(3)], { dialect });

      expect(await store.completeMultipart(UPLOAD, PARTS)).toEqual({
        kind: "stored",
        info: { key: "a b", length: 3, etag: "e", sha256Hex: null },
      });
      expect(sent[0]?.body).toBe(
        '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>1</PartNumber>' +
          "<ETag>&quot;p&amp;1&quot;</ETag></Part></CompleteMultipartUpload>",
      );
      expect(sent[0]?.headers.get("if-none-match")).toBe(condition);
    }
  });

  it.each([
    ["an error with 200", errorAnswer(200, "InternalError")],
    ["an answer that broke off", new Response("\n\n  ")],
  ])("does not take %s for success", async (_what, answer) => {
    const { store, sent } = openScripted([answer]);

    await expect(store.completeMultipart(UPLOAD, PARTS)).rejects.toMatchObject({ kind: "store_unavailable" });
    expect(sent).toHaveLength(1);
  });

  it.each(["InvalidPart", "InvalidPartOrder", "EntityTooSmall"])("makes %s store_refused", async (code) => {
    const { store } = openScripted([errorAnswer(400, code)]);

    await expect(store.completeMultipart(UPLOAD, PARTS)).rejects.toMatchObject({ kind: "store_refused" });
  });

  it.each([
    [404, "NoSuchUpload"],
    [412, "PreconditionFailed"],
  ])("answers stored after %i %s when the object of its parts stands there", async (status, code) => {
    const { store } = openScripted([errorAnswer(status, code), headAnswer(3)]);

    expect(await store.completeMultipart(UPLOAD, PARTS)).toMatchObject({ kind: "stored", info: { length: 3 } });
  });

  it("answers exists when another object stands there", async () => {
    for (const standing of [headAnswer(4), headAnswer(3, "a".repeat(64))]) {
      const { store } = openScripted([errorAnswer(412, "PreconditionFailed"), standing]);

      expect(await store.completeMultipart(UPLOAD, PARTS)).toMatchObject({ kind: "exists" });
    }
  });

  it("makes an upload that is gone, with no object or another one, object_not_found", async () => {
    for (const standing of [missingAnswers(), [headAnswer(4)], [headAnswer(3, "a".repeat(64))]]) {
      const { store } = openScripted([errorAnswer(404, "NoSuchUpload"), ...standing]);

      await expect(store.completeMultipart(UPLOAD, PARTS)).rejects.toMatchObject({ kind: "object_not_found" });
    }
  });

  it("is not stored where the object has another length or is not there", async () => {
    for (const standing of [[headAnswer(4)], missingAnswers()]) {
      const { store } = openScripted([DONE(), ...standing]);

      await expect(store.completeMultipart(UPLOAD, PARTS)).rejects.toMatchObject({ kind: "store_unavailable" });
    }
  });
});

describe("openS3Store() abortMultipart()", () => {
  it("is done where the upload is gone, and says what refuses it", async () => {
    const script = [errorAnswer(404, "NoSuchUpload"), errorAnswer(403, "AccessDenied")];
    const { store, sent } = openScripted(script);

    await store.abortMultipart(UPLOAD);
    await expect(store.abortMultipart(UPLOAD)).rejects.toMatchObject({ kind: "store_refused" });

    expect(sent[0]).toMatchObject({ method: "DELETE", url: "https://store.example/telemetry/a%20b?uploadId=u%2F1%2B" });
  });
});
