import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { ObjectStore } from "../../../src/object-store/contract.ts";
import { openR2Store } from "../../../src/object-store/r2/r2-store.ts";
import { describeObjectStore } from "../../conformance/object-store.ts";
import { sourceOf } from "../../conformance/put-source.ts";
import { callsOf } from "../store-calls.ts";

describeObjectStore("openR2Store()", () => openR2Store(env.ARCHIVE, "telemetry"));

const BYTES = new Uint8Array(300_000).fill(7);

describe("openR2Store()", () => {
  it("has an identity with the name of the bucket", () => {
    expect(openR2Store(env.ARCHIVE, "telemetry").identity).toBe("r2:telemetry");
  });

  it("put() sets the content type, Firn's digest and no content encoding", async () => {
    const key = `r2/${crypto.randomUUID()}`;
    const source = await sourceOf(BYTES);

    await openR2Store(env.ARCHIVE, "telemetry").put(key, source);

    const object = await env.ARCHIVE.head(key);
    expect(object?.httpMetadata).toEqual({ contentType: "application/gzip" });
    expect(object?.customMetadata).toEqual({ "firn-sha256": source.sha256.toHex() });
    expect(new Uint8Array(object?.checksums.sha256 ?? new ArrayBuffer(0))).toEqual(source.sha256);
  });

  it("head() of a foreign object has no digest", async () => {
    const key = `r2/${crypto.randomUUID()}`;
    const object = await env.ARCHIVE.put(key, "foreign");

    expect(await openR2Store(env.ARCHIVE, "t").head(key)).toEqual({
      key,
      length: 7,
      etag: object?.etag,
      sha256Hex: null,
    });
  });

  it("put() ends although the bucket reads nothing of it", async () => {
    const source = await sourceOf(BYTES);
    const info = await env.ARCHIVE.put("r2/standing", "x");
    const bucket = fakeBucket({ put: async () => null, head: async () => info });

    expect(await openR2Store(bucket, "t").put("r2/standing", source)).toMatchObject({ kind: "exists" });
    expect(source.state.closes).toBe(source.state.opens);
  });

  it("put() without proof is not stored", async () => {
    const object = await env.ARCHIVE.put("r2/unproven", BYTES);
    const bucket = fakeBucket({
      put: async (_key, body) => {
        await new Response(body).bytes();
        return object;
      },
    });

    await expect(openR2Store(bucket, "t").put("r2/unproven", await sourceOf(BYTES))).rejects.toMatchObject({
      kind: "store_unavailable",
      message: expect.stringContaining("Cannot prove object"),
    });
  });

  it("put() of a key that is taken and gone again may be repeated", async () => {
    const bucket = fakeBucket({ put: async () => null, head: async () => null });

    await expect(openR2Store(bucket, "t").put("key", await sourceOf(BYTES))).rejects.toMatchObject({
      kind: "store_unavailable",
    });
  });

  it.each([
    ["put: We encountered an internal error. Please try again. (10001)", "store_unavailable"],
    ["put: Service unavailable (10043)", "store_unavailable"],
    ["put: Too many requests (10058)", "store_unavailable"],
    [
      "put: The SHA-256 checksum you specified did not match what we received.\nActual: 00 (10037)",
      "store_unavailable",
    ],
    ["put: something new (10999)", "store_unavailable"],
    ["Network connection lost.", "store_unavailable"],
    ["put: Unauthorized (10002)", "store_refused"],
    ["put: Access denied (10003)", "store_refused"],
    ["put: The specified bucket does not exist. (10006)", "store_refused"],
    ["put: Not entitled (10042)", "store_refused"],
    ["put: too large (100100)", "store_refused"],
    ["completeMultipart: One or more of the specified parts could not be found. (10025)", "store_refused"],
    ["uploadPart: Your proposed upload is smaller than the minimum (10011)", "store_refused"],
    ["completeMultipart: There was a problem with the multipart upload. (10048)", "store_refused"],
  ])("translates %j to %s", async (message, kind) => {
    const cause = new Error(message);
    const fail = async (): Promise<never> => {
      throw cause;
    };
    const upload = { uploadPart: fail, complete: fail, abort: fail };
    const calls = { put: fail, get: fail, head: fail, list: fail, delete: fail, createMultipartUpload: fail };
    const store = openR2Store(fakeBucket({ ...calls, resumeMultipartUpload: () => upload }), "t");

    for (const ask of Object.values(callsOf(store, await sourceOf(BYTES)))) {
      await expect(ask()).rejects.toMatchObject({ name: "FirnError", kind, cause });
    }
  });
});

describe("openR2Store() with multipart uploads", () => {
  const gone = failWith("completeMultipart: The specified multipart upload does not exist. (10024)");
  const upload = { key: "key", uploadId: "gone" };
  const parts = [{ number: 1, etag: "x", length: 5 }];
  const open = (standing: R2Object | null): ObjectStore =>
    openR2Store(
      fakeBucket({
        head: async () => standing,
        resumeMultipartUpload: () => ({ uploadPart: gone, complete: gone, abort: gone }),
      }),
      "t",
    );

  it("completeMultipart() sets the content type, and no digest of Firn's", async () => {
    const key = `r2/${crypto.randomUUID()}`;
    const store = openR2Store(env.ARCHIVE, "t");
    const begun = await store.createMultipart(key, "application/zstd");

    await store.completeMultipart(begun, [await store.putPart(begun, 1, BYTES)]);

    const object = await env.ARCHIVE.head(key);
    expect(object?.httpMetadata).toEqual({ contentType: "application/zstd" });
    expect(object?.customMetadata).toEqual({});
  });

  it("completeMultipart() of an upload that is gone takes what stands there in its length for stored", async () => {
    const object = await env.ARCHIVE.put("r2/completed", "12345");

    expect(await open(object).completeMultipart(upload, parts)).toMatchObject({ kind: "stored", info: { length: 5 } });
  });

  it("completeMultipart() of an upload that is gone throws object_not_found for anything else", async () => {
    const longer = await env.ARCHIVE.put("r2/longer", "123456");
    const put = await env.ARCHIVE.put("r2/put", "12345", { customMetadata: { "firn-sha256": "00" } });

    for (const standing of [null, longer, put]) {
      await expect(open(standing).completeMultipart(upload, parts)).rejects.toMatchObject({ kind: "object_not_found" });
    }
  });

  it("completeMultipart() in another length than that of the parts is not stored", async () => {
    const longer = await env.ARCHIVE.put("r2/longer", "123456");
    const complete = async (): Promise<R2Object | null> => longer;
    const bucket = fakeBucket({ resumeMultipartUpload: () => ({ uploadPart: gone, complete, abort: gone }) });

    await expect(openR2Store(bucket, "t").completeMultipart(upload, parts)).rejects.toMatchObject({
      kind: "store_unavailable",
      message: expect.stringContaining("Cannot prove object"),
    });
  });

  it("abortMultipart() of an upload that is gone is no error, putPart() is", async () => {
    await open(null).abortMultipart(upload);

    await expect(open(null).putPart(upload, 1, BYTES)).rejects.toMatchObject({ kind: "object_not_found" });
  });
});

describe("openR2Store() with a store that contradicts itself", () => {
  it("get() of a satisfiable range that the store refuses may be repeated", async () => {
    const object = await env.ARCHIVE.put("r2/range", "12345");
    const get = failWith("get: The requested range is not satisfiable (10039)");
    const store = openR2Store(fakeBucket({ get, head: async () => object }), "t");

    await expect(store.get("r2/range", { range: { offset: 2 } })).rejects.toMatchObject({ kind: "store_unavailable" });
    await expect(store.get("r2/range")).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("list() does not follow a cursor in a circle", async () => {
    const page = { objects: [], truncated: true, cursor: "c", delimitedPrefixes: [] };
    const store = openR2Store(fakeBucket({ list: async () => page }), "t");

    expect(await store.list({ prefix: "" })).toEqual({ objects: [], cursor: "c" });
    await expect(store.list({ prefix: "", cursor: "c" })).rejects.toMatchObject({ kind: "store_unavailable" });
  });
});

function failWith(message: string): () => Promise<never> {
  return async () => {
    throw new Error(message);
  };
}

interface FakeUpload {
  uploadPart: () => Promise<never>;
  complete: () => Promise<R2Object | null>;
  abort: () => Promise<never>;
}

interface FakeCalls {
  put?: (key: string, body: ReadableStream) => Promise<R2Object | null>;
  get?: () => Promise<null>;
  head?: () => Promise<R2Object | null>;
  list?: () => Promise<unknown>;
  delete?: () => Promise<void>;
  createMultipartUpload?: () => Promise<never>;
  resumeMultipartUpload?: () => FakeUpload;
}

function fakeBucket(calls: FakeCalls): R2Bucket {
  return calls as unknown as R2Bucket;
}
