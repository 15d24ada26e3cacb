import { describe, expect, it } from "vitest";
import { read } from "../../conformance/put-source.ts";
import { errorAnswer, headAnswer, missingAnswers, openScripted } from "./s3-kit.ts";

const ETAG = { etag: '"e"' };
const BYTES = Uint8Array.of(1, 2, 3);

function partAnswer(range: string, status = 206): Response {
  return new Response(BYTES, { status, headers: { ...ETAG, "content-range": range } });
}

describe("openS3Store() get()", () => {
  it("asks for raw bytes that nothing on the way compresses", async () => {
    const { store, sent } = openScripted([new Response(BYTES, { headers: ETAG })]);

    expect(await read(await store.get("a"))).toEqual(BYTES);
    expect(sent[0]?.isRaw).toBe(true);
    expect(sent[0]?.headers.get("accept-encoding")).toBe("identity");
    expect(sent[0]?.headers.get("authorization")).not.toContain("accept-encoding");
  });

  it("asks GCS for gzip, so that it decompresses nothing", async () => {
    const { store, sent } = openScripted([new Response(BYTES, { headers: ETAG })], { dialect: "gcs" });

    await read(await store.get("a"));

    expect(sent[0]?.headers.get("accept-encoding")).toBe("gzip");
  });

  it.each([
    ["generic", '"e"'],
    ["ceph", "e"],
  ] as const)("names the ETag to %s as it wants it", async (dialect, sentEtag) => {
    const { store, sent } = openScripted([new Response(BYTES, { headers: ETAG })], { dialect });

    await read(await store.get("a", { ifMatch: "e" }));

    expect(sent[0]?.headers.get("if-match")).toBe(sentEtag);
  });

  it("asks for a range and signs it", async () => {
    const { store, sent } = openScripted([partAnswer("bytes 5-7/100")]);

    expect(await read(await store.get("a", { range: { offset: 5, length: 3 } }))).toEqual(BYTES);
    expect(sent[0]?.headers.get("range")).toBe("bytes=5-7");
    expect(sent[0]?.headers.get("authorization")).toContain("range");
  });
});

describe("openS3Store() get() that meets a fault", () => {
  it.each([
    ["a whole object", partAnswer("bytes 5-7/100", 200), "the answer has status 200, expected 206"],
    ["another range", partAnswer("bytes 0-2/100"), "the range in the answer is not from byte 5"],
    ["a range without a place", partAnswer(""), "the range in the answer is not from byte 5"],
  ])("does not take %s for the range", async (_what, answer, found) => {
    const { store } = openScripted([answer]);

    await expect(store.get("a", { range: { offset: 5, length: 3 } })).rejects.toMatchObject({
      kind: "store_unavailable",
      message: `Cannot get object "a" in S3: ${found}`,
    });
  });

  it("does not take a part for the whole object", async () => {
    const { store } = openScripted([partAnswer("bytes 0-2/100")]);

    await expect(store.get("a")).rejects.toMatchObject({
      kind: "store_unavailable",
      message: 'Cannot get object "a" in S3: the answer has status 206, expected 200',
    });
  });

  it("does not take an error for the object", async () => {
    const { store } = openScripted([errorAnswer(200, "SlowDown")]);

    await expect(store.get("a")).rejects.toMatchObject({
      kind: "store_unavailable",
      message: 'Cannot get object "a" in S3: SlowDown (200), an error in place of the object',
    });
  });

  it("gives an object of XML, which has an ETag", async () => {
    const xml = "<Error><Code>mine</Code></Error>";
    const { store } = openScripted([new Response(xml, { headers: { ...ETAG, "content-type": "application/xml" } })]);

    expect(new TextDecoder().decode(await read(await store.get("a")))).toBe(xml);
  });

  it("does not give another version where the store looks at no condition", async () => {
    const { store } = openScripted([new Response(BYTES, { headers: ETAG })]);

    await expect(store.get("a", { ifMatch: "other" })).rejects.toMatchObject({ kind: "object_changed" });
  });

  it("refuses bytes that were compressed on the way", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const answer = new Response(readable, { headers: { ...ETAG, "content-encoding": "br" }, encodeBody: "manual" });
    void writable.close();
    const { store } = openScripted([answer]);

    await expect(store.get("a")).rejects.toMatchObject({
      kind: "store_refused",
      message:
        'Cannot get object "a" in S3: something before the store applies Content-Encoding "br": ' +
        "turn that off for this endpoint",
    });
  });

  it.each([
    [404, "NoSuchKey", "object_not_found"],
    [404, "NoSuchBucket", "store_refused"],
    [403, "InvalidObjectState", "object_frozen"],
    [412, "PreconditionFailed", "object_changed"],
  ])("makes %i %s %s", async (status, code, kind) => {
    const { store } = openScripted([errorAnswer(status, code)]);

    await expect(store.get("a")).rejects.toMatchObject({ kind });
  });

  it("looks at the object when a range is none of it", async () => {
    const { store, sent } = openScripted([errorAnswer(416, "InvalidRange"), headAnswer(3)]);

    await expect(store.get("a", { range: { offset: 4 } })).rejects.toThrow(RangeError);
    expect(sent.map(({ method }) => method)).toEqual(["GET", "HEAD"]);
  });
});

describe("openS3Store() head()", () => {
  it("reads length, ETag and digest", async () => {
    const headers = { "content-length": "12", etag: 'W/"e-2"', "x-amz-meta-firn-sha256": "A".repeat(64) };
    const { store } = openScripted([new Response(null, { headers })]);

    expect(await store.head("a")).toEqual({ key: "a", length: 12, etag: "e-2", sha256Hex: "a".repeat(64) });
  });

  it("has no digest where the metadata is none", async () => {
    const { store } = openScripted([headAnswer(1, "not hex")]);

    expect(await store.head("a")).toMatchObject({ sha256Hex: null });
  });

  it("asks for a byte to learn why it was refused", async () => {
    const { store, sent } = openScripted([new Response(null, { status: 403 }), errorAnswer(403, "InvalidAccessKeyId")]);

    await expect(store.head("a")).rejects.toMatchObject({
      kind: "store_refused",
      message: 'Cannot head object "a" in S3: InvalidAccessKeyId (403), check the access key id',
    });
    expect(sent.map(({ method, headers }) => [method, headers.get("range")])).toEqual([
      ["HEAD", null],
      ["GET", "bytes=0-0"],
    ]);
  });

  it("is null only where the store says that the object is missing, not the bucket or the user", async () => {
    expect(await openScripted(missingAnswers()).store.head("a")).toBeNull();
    for (const code of ["NoSuchBucket", "XAdminUserNotFound"]) {
      const { store } = openScripted([new Response(null, { status: 404 }), errorAnswer(404, code)]);
      await expect(store.head("a")).rejects.toMatchObject({ kind: "store_refused" });
    }
    const { store } = openScripted([404, 404].map((status) => new Response(null, { status })));
    await expect(store.head("a")).rejects.toMatchObject({ kind: "store_refused" });
  });

  it("asks again where the object came meanwhile, even an empty one", async () => {
    const none = new Response(null, { status: 404 });
    const { store } = openScripted([none, errorAnswer(416, "InvalidRange"), headAnswer(0)]);

    expect(await store.head("a")).toMatchObject({ length: 0 });
  });

  it.each([
    ["an empty answer", new Response(null, { headers: { "content-length": "0" } })],
    ["the length of a page", new Response(null, { headers: { "content-length": "12", "content-type": "text/html" } })],
    ["an object without a length", new Response(null, { headers: { etag: '"e"' } })],
  ])("does not take %s for an object", async (_what, answer) => {
    const { store } = openScripted([answer]);

    await expect(store.head("a")).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("does not take a passing fault for a missing object", async () => {
    const { store, sent } = openScripted([new Response(null, { status: 503, headers: { "retry-after": "2" } })]);

    await expect(store.head("a")).rejects.toMatchObject({ kind: "store_unavailable", retryAfterSeconds: 2 });
    expect(sent).toHaveLength(1);
  });
});
