import { describe, expect, it } from "vitest";
import { errorAnswer, openScripted } from "./s3-kit.ts";

function listing(inner: string): Response {
  const root = `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListBucketResult>`;
  return new Response(`<?xml version="1.0"?>${root}`, { headers: { "content-type": "application/xml" } });
}

const END = "<IsTruncated>false</IsTruncated>";
const OBJECT = "<Contents><Key>a</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents>";

describe("openS3Store() list()", () => {
  it("asks the bucket with every parameter encoded", async () => {
    const { store, sent } = openScripted([listing(END), listing(END)]);

    await store.list({ prefix: "a b/+", startAfter: "a b/+c", limit: 7 });
    await store.list({ prefix: "a", delimiter: "/", cursor: "t=/" });

    const url = "https://store.example/telemetry?list-type=2&encoding-type=url";
    expect(sent.map((request) => request.url)).toEqual([
      `${url}&prefix=a%20b%2F%2B&max-keys=7&start-after=a%20b%2F%2Bc`,
      `${url}&prefix=a&max-keys=1000&delimiter=%2F&continuation-token=t%3D%2F`,
    ]);
  });

  it("decodes keys where the store says that it encoded them", async () => {
    const inner =
      "<Contents><Key>a%2Bb+c%25</Key><Size>1</Size><ETag>&#34;e-2&#34;</ETag></Contents>" +
      "<CommonPrefixes><Prefix>d%2F</Prefix></CommonPrefixes><IsTruncated>true</IsTruncated>" +
      "<NextContinuationToken>t%2B</NextContinuationToken>";
    const { store } = openScripted([listing(`<EncodingType>url</EncodingType>${inner}`), listing(inner)]);

    expect(await store.list({ prefix: "" })).toEqual({
      objects: [{ key: "a+b c%", length: 1, etag: "e-2", sha256Hex: null }],
      prefixes: ["d/"],
      cursor: "t%2B",
    });
    expect(await store.list({ prefix: "" })).toMatchObject({ objects: [{ key: "a%2Bb+c%25" }], prefixes: ["d%2F"] });
  });

  it("says which objects must be restored before they are read", async () => {
    const classes = ["STANDARD", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE", "INTELLIGENT_TIERING"];
    const inner = classes.map(
      (name) => `<Contents><Key>${name}</Key><Size>1</Size><StorageClass>${name}</StorageClass></Contents>`,
    );
    const { store } = openScripted([listing(inner.join("") + END)]);

    const { objects } = await store.list({ prefix: "" });

    const frozen = [undefined, "GLACIER", undefined, "DEEP_ARCHIVE", undefined];
    expect(objects.map(({ frozenClass }) => frozenClass)).toEqual(frozen);
  });

  it.each([
    ["an empty answer", new Response("")],
    ["a page of a proxy", new Response("<html><body>hello</body></html>")],
    ["another document", new Response("<ListAllMyBucketsResult/>")],
    ["half a document", new Response("<ListBucketResult><IsTruncated>false</IsTruncated>")],
    ["an error with 200", errorAnswer(200, "InternalError")],
    ["a page that does not say whether it ends", listing(OBJECT)],
    ["a page that goes on nowhere", listing(`${OBJECT}<IsTruncated>true</IsTruncated>`)],
    [
      "a page that goes on where it began",
      listing("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"),
    ],
    ["an object without a size", listing(`<Contents><Key>a</Key></Contents>${END}`)],
    ["an object without a key", listing(`<Contents><Size>1</Size></Contents>${END}`)],
    [
      "a key that is not UTF-8",
      listing(`<EncodingType>url</EncodingType><Contents><Key>%FF</Key><Size>1</Size></Contents>${END}`),
    ],
  ])("does not take %s for a listing", async (_what, answer) => {
    const { store } = openScripted([answer]);

    await expect(store.list({ prefix: "", cursor: "t" })).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("names what is refused", async () => {
    const { store } = openScripted([errorAnswer(404, "NoSuchBucket")]);

    await expect(store.list({ prefix: "p/" })).rejects.toMatchObject({
      kind: "store_refused",
      message: 'Cannot list "p/" in S3: NoSuchBucket (404), make the bucket or correct its name',
    });
  });
});

const deleted = (inner = ""): Response => new Response(`<DeleteResult>${inner}</DeleteResult>`);
const gone = (): Response => new Response(null, { status: 204 });

describe("openS3Store() delete()", () => {
  it("sends one request with its MD5 for several keys", async () => {
    const { store, sent } = openScripted([deleted()]);

    await store.delete(["a&<b>", "c\td", "e"]);

    expect(sent.map(({ method, url }) => [method, url])).toEqual([["POST", "https://store.example/telemetry?delete="]]);
    expect(sent[0]?.headers.get("content-md5")).toMatch(/^[\w+/]{22}==$/);
    expect(sent[0]?.body).toBe(
      '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet><Object><Key>a&amp;&lt;b&gt;</Key>' +
        "</Object><Object><Key>c&#9;d</Key></Object><Object><Key>e</Key></Object></Delete>",
    );
  });

  it("sends a request of its own for keys that XML does not carry unchanged", async () => {
    const { store, sent } = openScripted([deleted(), gone(), gone()]);

    await store.delete(["a", "b", "c\u0001", "d "]);

    expect(sent.map(({ method, url }) => `${method} ${url.replace("https://store.example/telemetry", "")}`)).toEqual([
      "POST ?delete=",
      "DELETE /c%01",
      "DELETE /d%20",
    ]);
  });

  it("sends the plain request for one key, and none for none", async () => {
    const { store, sent } = openScripted([gone()]);

    await store.delete([]);
    await store.delete(["a"]);

    expect(sent.map(({ method }) => method)).toEqual(["DELETE"]);
  });

  it("deletes one by one where the store has no batch, and a missing object is no error", async () => {
    const script = [gone(), errorAnswer(404, "NoSuchKey"), gone(), gone(), gone()];
    const { store, sent } = openScripted(script, { dialect: "gcs" });

    await store.delete(["a", "b", "c", "d", "e"]);

    expect(sent.map(({ method, url }) => `${method} ${url.slice(-2)}`)).toEqual([
      "DELETE /a",
      "DELETE /b",
      "DELETE /c",
      "DELETE /d",
      "DELETE /e",
    ]);
  });

  it("reads the errors of single keys in an answer that says yes", async () => {
    const missing = "<Error><Key>a</Key><Code>NoSuchKey</Code></Error>";
    const denied = "<Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error>";
    const busy = "<Error><Key>c</Key><Code>InternalError</Code></Error>";
    const { store } = openScripted([deleted(missing), deleted(missing + denied), deleted(busy)]);

    await store.delete(["a", "b"]);
    await expect(store.delete(["a", "b"])).rejects.toMatchObject({
      kind: "store_refused",
      message: 'Cannot delete object "b" in S3: AccessDenied (200), give these credentials the right to make this call',
    });
    await expect(store.delete(["a", "c"])).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it.each([
    ["an empty answer", new Response("")],
    ["another document", new Response("<ListBucketResult/>")],
    ["an error", errorAnswer(200, "InternalError")],
  ])("does not take %s for success", async (_what, answer) => {
    const { store } = openScripted([answer]);

    await expect(store.delete(["a", "b"])).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("deletes one version by the store's own condition in AWS alone, else after a look", async () => {
    const found = new Response(null, { headers: { etag: '"e"', "content-length": "1", "last-modified": "now" } });
    const aws = openScripted([gone(), errorAnswer(412, "PreconditionFailed")], { dialect: "aws" });
    const minio = openScripted([found, gone()], { dialect: "minio" });

    await aws.store.delete(["a"], { ifMatch: "e" });
    await expect(aws.store.delete(["a"], { ifMatch: "e" })).rejects.toMatchObject({ kind: "object_changed" });
    await minio.store.delete(["a"], { ifMatch: "e" });

    expect(aws.sent.map(({ method, headers }) => [method, headers.get("if-match")])).toEqual([
      ["DELETE", '"e"'],
      ["DELETE", '"e"'],
    ]);
    expect(minio.sent.map(({ method }) => method)).toEqual(["HEAD", "DELETE"]);
  });

  it("does not take a bucket that is not there for a missing object", async () => {
    const { store } = openScripted([errorAnswer(404, "NoSuchBucket")]);

    await expect(store.delete(["a"])).rejects.toMatchObject({ kind: "store_refused" });
  });
});
