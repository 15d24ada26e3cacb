import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { openR2Store } from "../../../src/object-store/r2/r2-store.ts";
import { describeObjectStore } from "../../conformance/object-store.ts";
import { sourceOf } from "../../conformance/put-source.ts";

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
    await env.ARCHIVE.put(key, "foreign");

    expect(await openR2Store(env.ARCHIVE, "t").head(key)).toEqual({ key, length: 7, sha256Hex: null });
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
  ])("translates %j to %s", async (message, kind) => {
    const cause = new Error(message);
    const fail = async (): Promise<never> => {
      throw cause;
    };
    const store = openR2Store(fakeBucket({ put: fail, get: fail, head: fail, list: fail, delete: fail }), "t");

    for (const call of [
      store.put("key", await sourceOf(BYTES)),
      store.get("key"),
      store.head("key"),
      store.list({ prefix: "" }),
      store.delete(["key"]),
    ]) {
      await expect(call).rejects.toMatchObject({ name: "FirnError", kind, cause });
    }
  });
});

interface FakeCalls {
  put?: (key: string, body: ReadableStream) => Promise<R2Object | null>;
  get?: () => Promise<null>;
  head?: () => Promise<R2Object | null>;
  list?: () => Promise<never>;
  delete?: () => Promise<void>;
}

function fakeBucket(calls: FakeCalls): R2Bucket {
  return calls as unknown as R2Bucket;
}
