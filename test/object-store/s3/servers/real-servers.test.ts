/** What the suite of stores does not ask: foreign objects, wrong settings, clocks and large sources on real servers. */
import { describe, expect, inject, it } from "vitest";
import type { S3StorageConfig } from "../../../../src/config/storage-config.ts";
import type { PutSource } from "../../../../src/object-store/contract.ts";
import { objectUrl, findAddress } from "../../../../src/object-store/s3/address.ts";
import { openS3Store } from "../../../../src/object-store/s3/s3-store.ts";
import { sign } from "../../../../src/object-store/s3/sign.ts";
import type { S3Server } from "../../../servers/contract.ts";
import { hexOf, patternOf, read, sourceOf } from "../../../conformance/put-source.ts";
import { configOf } from "../s3-kit.ts";

const { versitygw, r2Simulator } = inject("servers");
const now = (): number => Date.now();
const BYTES = new TextEncoder().encode("the bytes of an object");
const keyOf = (name: string): string => `real/${crypto.randomUUID()}/${name}`;

/** Puts an object as another writer would, with headers of its own. */
async function putForeign(
  server: S3Server,
  key: string,
  { bytes, headers }: { readonly bytes: Uint8Array; readonly headers: Readonly<Record<string, string>> },
): Promise<void> {
  const { credentials, region, ...config } = configOf(server);
  if (credentials.kind !== "keys") throw new Error("No keys");
  const url = objectUrl(findAddress({ ...config, region }), key);
  const scope = { keys: credentials.keys, service: "s3", region, time: Date.now(), derivedKeys: new Map() } as const;
  const signed = await sign({ method: "PUT", url, headers, sha256Hex: await hexOf(bytes) }, scope);
  const response = await fetch(url, { method: "PUT", headers: signed, body: bytes });
  expect([response.status, await response.text()]).toEqual([200, ""]);
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  return new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

const SERVERS: readonly (readonly [string, S3Server, Partial<S3StorageConfig>])[] = [
  ...(versitygw === null ? [] : [["versitygw", versitygw, {}] as const]),
  ["the R2 simulator", r2Simulator, { dialect: "r2" }],
];

describe.each(SERVERS)("openS3Store() on %s", (_name, server, changes) => {
  const config = configOf(server, changes);

  it("puts an object with two requests and no mark of a cache", async () => {
    const sent: string[] = [];
    const store = openS3Store(config, {
      now,
      fetch: (url, init) => {
        sent.push(init.method ?? "");
        return fetch(url, init);
      },
    });
    const key = keyOf("a");

    await store.put(key, await sourceOf(BYTES));

    expect(sent).toEqual(["PUT", "HEAD"]);
    const { keys } = config.credentials.kind === "keys" ? config.credentials : { keys: null };
    if (keys === null) throw new Error("No keys");
    const { region } = config;
    const scope = { keys, service: "s3", region, time: Date.now(), derivedKeys: new Map() } as const;
    const url = objectUrl(findAddress(config), key);
    const headers = await sign({ method: "HEAD", url, headers: {}, sha256Hex: await hexOf(new Uint8Array(0)) }, scope);
    const answer = await fetch(url, { method: "HEAD", headers });
    expect(answer.headers.get("content-type")).toBe("application/gzip");
    expect(answer.headers.get("cache-control")).toBeNull();
    expect(answer.headers.get("content-encoding")).toBeNull();
  });

  it.each<[string, Partial<S3StorageConfig>, RegExp]>([
    ["secret", { credentials: keysOf(server, { secretAccessKey: "wrong" }) }, /SignatureDoesNotMatch \(403\)/],
    [
      "access key",
      { credentials: keysOf(server, { accessKeyId: "nobody" }) },
      /InvalidAccessKeyId|Unauthorized|XAdminUserNotFound/,
    ],
    ["bucket", { bucket: "no-such-bucket" }, /NoSuchBucket \(404\), make the bucket/],
  ])("refuses a wrong %s in every call, and names no secret", async (_what, wrong, message) => {
    const store = openS3Store({ ...config, ...wrong }, { now });
    const source = await sourceOf(BYTES);

    for (const ask of [
      () => store.put("a", source),
      () => store.get("a"),
      () => store.head("a"),
      () => store.list({ prefix: "" }),
      () => store.delete(["a", "b"]),
    ]) {
      const error: unknown = await ask().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ kind: "store_refused", message: expect.stringMatching(message) });
      expect(String(error)).not.toMatch(/wrong|nobody|testtest|Signature=|X-Amz/);
    }
  });

  it("reads the objects of other writers, who attach no digest", async () => {
    const key = keyOf("foreign");
    await putForeign(server, key, { bytes: BYTES, headers: { "content-type": "application/json" } });
    const store = openS3Store(config, { now });

    expect(await store.head(key)).toMatchObject({ length: BYTES.length, sha256Hex: null });
    expect(await read(await store.get(key))).toEqual(BYTES);
    expect(await store.put(key, await sourceOf(BYTES))).toMatchObject({ kind: "exists", info: { sha256Hex: null } });
  });

  it("puts 64 MB from one buffer, piece by piece", async () => {
    const source = await largeSource(1024, patternOf(65_536));
    const store = openS3Store(config, { now });

    const outcome = await store.put(keyOf("large"), source);

    expect(outcome).toMatchObject({ kind: "stored", info: { length: 67_108_864 } });
  }, 120_000);
});

/** A large source that makes each piece in one buffer: a store that kept pieces would send other bytes. */
async function largeSource(pieces: number, pattern: Uint8Array): Promise<PutSource> {
  const open = async function* (): AsyncGenerator<Uint8Array> {
    const piece = new Uint8Array(pattern.length);
    for (let index = 0; index < pieces; index++) {
      piece.set(pattern);
      piece[0] = index & 0xff;
      yield piece;
      piece.fill(0xee);
    }
  };
  const digest = new crypto.DigestStream("SHA-256");
  const writer = digest.getWriter();
  for await (const piece of open()) await writer.write(piece);
  await writer.close();
  const sha256 = new Uint8Array(await digest.digest);
  return { length: pieces * pattern.length, sha256, contentType: "application/octet-stream", open };
}

function keysOf(
  server: S3Server,
  wrong: Partial<Record<"accessKeyId" | "secretAccessKey", string>>,
): S3StorageConfig["credentials"] {
  const { accessKeyId, secretAccessKey } = server;
  return { kind: "keys", keys: { accessKeyId, secretAccessKey, sessionToken: null, ...wrong }, role: null };
}

describe("openS3Store() on the R2 simulator alone", () => {
  it("refuses an object whose encoding is applied on the way", async () => {
    // The simulator is a worker, whose response encodes bytes that are encoded already.
    const key = keyOf("encoded");
    await putForeign(r2Simulator, key, { bytes: await gzip(BYTES), headers: { "content-encoding": "gzip" } });
    const store = openS3Store(configOf(r2Simulator, { dialect: "r2" }), { now });

    await expect(store.get(key)).rejects.toMatchObject({
      kind: "store_refused",
      message: expect.stringContaining('something before the store applies Content-Encoding "gzip"'),
    });
  });
});

if (versitygw !== null) {
  describe("openS3Store() on versitygw alone", () => {
    it("gives objects as they are stored, whatever their Content-Encoding", async () => {
      const bytes = await gzip(BYTES);
      const store = openS3Store(configOf(versitygw), { now });
      for (const coding of ["gzip", "br", "zstd"]) {
        const key = keyOf(`encoded-${coding}`);
        await putForeign(versitygw, key, { bytes, headers: { "content-encoding": coding } });

        expect(await store.head(key)).toMatchObject({ length: bytes.length });
        expect(await read(await store.get(key))).toEqual(bytes);
        expect(await read(await store.get(key, { range: { offset: 3, length: 9 } }))).toEqual(bytes.subarray(3, 12));
      }
    });

    it.each([-3_600_000, 3_600_000])("goes on with the store's time when its own is %i ms off", async (off) => {
      const sent: string[] = [];
      const store = openS3Store(configOf(versitygw), {
        now: () => Date.now() + off,
        fetch: (url, init) => {
          sent.push(init.method ?? "");
          return fetch(url, init);
        },
      });
      const key = keyOf("skewed");

      expect(await store.put(key, await sourceOf(BYTES))).toMatchObject({ kind: "stored" });
      expect(await store.head(key)).not.toBeNull();

      expect(sent).toEqual(["PUT", "PUT", "HEAD", "HEAD"]);
    });

    it("names the region that the store wants", async () => {
      const store = openS3Store(configOf(versitygw, { region: "eu-west-1" }), { now });

      await expect(store.list({ prefix: "" })).rejects.toMatchObject({
        kind: "store_refused",
        message: expect.stringMatching(/AuthorizationHeaderMalformed .*set the region to the bucket's/),
      });
    });

    it("takes a storage class, an ACL and tags", async () => {
      const store = openS3Store(
        configOf(versitygw, { storageClass: "STANDARD", tags: [{ name: "cost center", value: "a+b" }] }),
        { now },
      );
      const key = keyOf("tagged");

      expect(await store.put(key, await sourceOf(BYTES))).toMatchObject({ kind: "stored" });
      const upload = await store.createMultipart(keyOf("tagged-parts"), "text/plain");
      await store.abortMultipart(upload);
    });
  });
}
