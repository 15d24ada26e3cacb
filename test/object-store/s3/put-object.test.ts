import { describe, expect, it } from "vitest";
import type { S3StorageConfig } from "../../../src/config/storage-config.ts";
import { hexOf, sourceOf } from "../../conformance/put-source.ts";
import type { PutSource } from "../../../src/object-store/contract.ts";
import type { Fetch } from "../../../src/object-store/http/send.ts";
import { openS3Store } from "../../../src/object-store/s3/s3-store.ts";
import { errorAnswer, headAnswer, missingAnswers, NOW, openScripted, PLAIN, type SentRequest } from "./s3-kit.ts";

const BYTES = new TextEncoder().encode("the bytes of an object");
const KEY = "year=2026/traces_1.binpb.gz";
const OK = (): Response => new Response(null, { headers: { etag: '"e"' } });

async function putWith(changes: Partial<S3StorageConfig>): Promise<readonly SentRequest[]> {
  const { store, sent } = openScripted([OK(), headAnswer(BYTES.length, await hexOf(BYTES))], changes);
  await store.put(KEY, await sourceOf(BYTES));
  return sent;
}

function headersOf(request: SentRequest | undefined): Record<string, string> {
  const all = Object.fromEntries(request?.headers ?? []);
  delete all["authorization"];
  return all;
}

describe("openS3Store() put()", () => {
  it("makes two calls, the put with every digest and its proof", async () => {
    const sent = await putWith({});

    expect(sent.map(({ method, url }) => [method, url])).toEqual([
      ["PUT", "https://store.example/telemetry/year%3D2026/traces_1.binpb.gz"],
      ["HEAD", "https://store.example/telemetry/year%3D2026/traces_1.binpb.gz"],
    ]);
    expect(sent[0]?.body).toBe("the bytes of an object");
    expect(headersOf(sent[0])).toEqual({
      "content-type": "application/gzip",
      "content-md5": "gQKZY2IKJEDiY+xQrTUwHw==",
      "if-none-match": "*",
      "x-amz-content-sha256": await hexOf(BYTES),
      "x-amz-meta-firn-sha256": await hexOf(BYTES),
      "x-amz-checksum-sha256": Uint8Array.fromHex(await hexOf(BYTES)).toBase64(),
      "x-amz-date": "20261130T120000Z",
    });
    expect(sent[0]?.headers.get("authorization")).toContain(
      "SignedHeaders=content-md5;content-type;host;if-none-match;x-amz-checksum-sha256;x-amz-content-sha256;" +
        "x-amz-date;x-amz-meta-firn-sha256,",
    );
  });

  it.each<[string, Partial<S3StorageConfig>, Record<string, string>]>([
    ["a storage class", { storageClass: "GLACIER_IR" }, { "x-amz-storage-class": "GLACIER_IR" }],
    ["an ACL", { acl: "bucket-owner-full-control" }, { "x-amz-acl": "bucket-owner-full-control" }],
    [
      "tags",
      {
        tags: [
          { name: "cost center", value: "a+b&c" },
          { name: "team", value: "é" },
        ],
      },
      { "x-amz-tagging": "cost%20center=a%2Bb%26c&team=%C3%A9" },
    ],
    ["SSE-S3", { encryption: { kind: "sse-s3" } }, { "x-amz-server-side-encryption": "AES256" }],
    [
      "SSE-KMS with a key",
      { encryption: { kind: "sse-kms", algorithm: "aws:kms", keyId: "alias/firn", isBucketKeyEnabled: true } },
      {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "alias/firn",
        "x-amz-server-side-encryption-bucket-key-enabled": "true",
      },
    ],
    [
      "SSE-KMS twice with the account's key",
      { encryption: { kind: "sse-kms", algorithm: "aws:kms:dsse", keyId: null, isBucketKeyEnabled: false } },
      { "x-amz-server-side-encryption": "aws:kms:dsse" },
    ],
  ])("sends %s with the put, signed, and not with its proof", async (_what, changes, headers) => {
    const [put, head] = await putWith(changes);

    expect(headersOf(put)).toMatchObject(headers);
    for (const name of Object.keys(headers)) {
      expect(put?.headers.get("authorization")).toContain(name);
      expect(head?.headers.has(name)).toBe(false);
    }
  });

  it("sends the customer's key with the put and with its proof", async () => {
    const sent = await putWith({ encryption: { kind: "sse-c", key: new Uint8Array(32).fill(7) } });

    expect(sent).toHaveLength(2);
    for (const request of sent) {
      expect(headersOf(request)).toMatchObject({
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
        "x-amz-server-side-encryption-customer-key": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        "x-amz-server-side-encryption-customer-key-md5": "y4HAEFCYWuvAXWFTtA1Qpg==",
      });
    }
  });

  it("says with every call who owns the bucket and who pays", async () => {
    const sent = await putWith({ expectedBucketOwner: "123456789012", isRequesterPays: true });

    for (const request of sent) {
      expect(headersOf(request)).toMatchObject({
        "x-amz-expected-bucket-owner": "123456789012",
        "x-amz-request-payer": "requester",
      });
    }
  });

  it("leaves out for R2 what R2 does not take", async () => {
    const [put] = await putWith({ dialect: "r2" });

    expect(headersOf(put)).not.toHaveProperty("x-amz-checksum-sha256");
    expect(headersOf(put)).toMatchObject({ "if-none-match": "*", "content-md5": expect.any(String) });
  });

  it("uses the MD5 that a source knows", async () => {
    const { store, sent } = openScripted([OK(), headAnswer(BYTES.length, await hexOf(BYTES))]);
    const source = { ...(await sourceOf(BYTES)), md5: new Uint8Array(16) };

    await store.put(KEY, source);

    expect(source.state.opens).toBe(1);
    expect(sent[0]?.headers.get("content-md5")).toBe("AAAAAAAAAAAAAAAAAAAAAA==");
  });
});

describe("openS3Store() put() where the store has no conditions", () => {
  it("looks first, and puts without a condition", async () => {
    const proof = headAnswer(BYTES.length, await hexOf(BYTES));
    const { store, sent } = openScripted([new Response(null, { status: 404 }), OK(), proof], { dialect: "gcs" });

    expect(await store.put(KEY, await sourceOf(BYTES))).toMatchObject({ kind: "stored" });
    expect(store.traits).toEqual({ createOnly: "checked", sendsMd5: true });
    expect(sent.map(({ method }) => method)).toEqual(["HEAD", "PUT", "HEAD"]);
    expect([...(sent[1]?.headers.keys() ?? [])].filter((name) => /^if-|^x-goog-/.test(name))).toEqual([]);
  });

  it("writes nothing where an object stands", async () => {
    const { store, sent } = openScripted([headAnswer(3)], { dialect: "gcs" });

    expect(await store.put(KEY, await sourceOf(BYTES))).toMatchObject({ kind: "exists", info: { length: 3 } });
    expect(sent).toHaveLength(1);
  });
});

describe("openS3Store() put() that meets a fault", () => {
  it.each([
    [412, "PreconditionFailed"],
    [409, "ObjectAlreadyExists"],
  ])("asks what stands there after %i %s", async (status, code) => {
    const { store, sent } = openScripted([errorAnswer(status, code), headAnswer(3, "a".repeat(64))]);

    expect(await store.put(KEY, await sourceOf(BYTES))).toEqual({
      kind: "exists",
      info: { key: KEY, length: 3, etag: "e", sha256Hex: "a".repeat(64) },
    });
    expect(sent.map(({ method }) => method)).toEqual(["PUT", "HEAD"]);
  });

  it.each(["ConditionalRequestConflict", "OperationAborted"])("takes 409 %s for a passing fault", async (code) => {
    const { store, sent } = openScripted([errorAnswer(409, code)]);

    await expect(store.put(KEY, await sourceOf(BYTES))).rejects.toMatchObject({ kind: "store_unavailable" });
    expect(sent).toHaveLength(1);
  });

  it("does not take 200 with an error in it for success", async () => {
    const { store } = openScripted([errorAnswer(200, "InternalError")]);

    await expect(store.put(KEY, await sourceOf(BYTES))).rejects.toMatchObject({
      kind: "store_unavailable",
      message: `Cannot put object "${KEY}" in S3: InternalError (200)`,
    });
  });

  it.each([
    ["another length", headAnswer(BYTES.length + 1, "a".repeat(64))],
    ["another digest", headAnswer(BYTES.length, "a".repeat(64))],
    ["no digest", headAnswer(BYTES.length)],
    ["no length", new Response(null)],
  ])("is not stored where the proof shows %s", async (_what, proof) => {
    const { store } = openScripted([OK(), proof]);

    await expect(store.put(KEY, await sourceOf(BYTES))).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("is not stored where the proof finds no object", async () => {
    const { store } = openScripted([OK(), ...missingAnswers()]);

    await expect(store.put(KEY, await sourceOf(BYTES))).rejects.toMatchObject({
      kind: "store_unavailable",
      message: `Cannot put object "${KEY}" in S3: it was stored, and is not there`,
    });
  });

  it("reads the source no faster than the store takes it", async () => {
    const pieces = 64;
    let opened = 0;
    let made = 0;
    const source: PutSource = {
      ...(await sourceOf(new Uint8Array(pieces * 65_536))),
      md5: new Uint8Array(16),
      open: async function* () {
        opened++;
        for (; made < pieces; made++) yield new Uint8Array(65_536);
      },
    };
    const ahead: number[] = [];
    const slow: Fetch = async (_url, { body }) => {
      let taken = 0;
      if (body instanceof ReadableStream) {
        for await (const piece of body) {
          taken += piece.byteLength;
          await scheduler.wait(1);
          ahead.push(made - Math.floor(taken / 65_536));
        }
      }
      return body === null ? headAnswer(source.length, source.sha256.toHex()) : OK();
    };

    await openS3Store(PLAIN, { now: () => NOW, fetch: slow }).put(KEY, source);

    expect(opened).toBe(1);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(2);
  });

  it("makes a broken connection store_unavailable", async () => {
    const { store } = openScripted([new Error("Network connection lost.")]);

    await expect(store.put(KEY, await sourceOf(BYTES))).rejects.toMatchObject({
      kind: "store_unavailable",
      message: `Cannot put object "${KEY}" in S3: the store cannot be reached (Network connection lost.)`,
    });
  });

  it("sends nothing for a key that no URL can name", async () => {
    const { store, sent } = openScripted([]);

    await expect(store.put("a/../b", await sourceOf(BYTES))).rejects.toThrow(RangeError);
    expect(sent).toEqual([]);
  });
});
