import { describe, expect, it } from "vitest";
import type { AzureStorageConfig } from "../../../../src/config/storage-config.ts";
import { openAzureStore } from "../../../../src/object-store/azure/azure-store.ts";
import type { ObjectStore } from "../../../../src/object-store/contract.ts";
import { patternOf, read, sourceOf } from "../../../conformance/put-source.ts";
import { fill, listAll, SMALL } from "../../../conformance/store-case.ts";
import { AZURITE_CONFIG, askAzurite, makeSas } from "./azurite.ts";

function openStore(changes: Partial<AzureStorageConfig> = {}): ObjectStore {
  return openAzureStore({ ...AZURITE_CONFIG, ...changes }, { now: Date.now });
}

function newPrefix(): string {
  return `azurite/${crypto.randomUUID()}/`;
}

function newContainer(): string {
  return `firn-${crypto.randomUUID()}`;
}

/** The calls that need a right of their own. */
function callsOf(store: ObjectStore): readonly (() => Promise<unknown>)[] {
  return [
    async () => store.put("key", await sourceOf(SMALL)),
    () => store.get("key"),
    () => store.head("key"),
    () => store.list({ prefix: "" }),
    () => store.delete(["key"]),
    async () => store.putPart(await store.createMultipart("key", "text/plain"), 1, SMALL),
  ];
}

describe("openAzureStore() at Azurite", () => {
  it("puts with two calls", async () => {
    const methods: string[] = [];
    const store = openAzureStore(AZURITE_CONFIG, {
      now: Date.now,
      fetch: (url, init) => {
        methods.push(init.method ?? "GET");
        return fetch(url, init);
      },
    });

    await store.put(`${newPrefix()}object`, await sourceOf(patternOf(300_000)));

    expect(methods).toEqual(["PUT", "HEAD"]);
  });

  it("sets content type, digest, tier and tags, and no content encoding", async () => {
    const key = `${newPrefix()}object`;
    const source = await sourceOf(SMALL);
    const tags = [
      { name: "team", value: "a b" },
      { name: "x", value: "y=z" },
    ];

    await openStore({ accessTier: "Cool", tags }).put(key, source);

    const { headers } = await askAzurite({ method: "HEAD", path: `/${key}` });
    expect(headers.get("content-type")).toBe("application/gzip");
    expect(headers.get("content-encoding")).toBeNull();
    expect(headers.get("x-ms-meta-firnsha256")).toBe(source.sha256.toHex());
    expect(headers.get("x-ms-access-tier")).toBe("Cool");
    const document = await (await askAzurite({ method: "GET", path: `/${key}?comp=tags` })).text();
    expect(document).toContain("<Key>team</Key><Value>a b</Value>");
    expect(document).toContain("<Key>x</Key><Value>y=z</Value>");
  });

  it("has the digest enforced by the service", async () => {
    const key = `${newPrefix()}object`;
    const store = openStore();
    const md5 = new Uint8Array(16);

    await expect(store.put(key, { ...(await sourceOf(SMALL)), md5 })).rejects.toMatchObject({
      kind: "store_unavailable",
      message: expect.stringContaining("Md5Mismatch"),
    });
    expect(await store.head(key)).toBeNull();
  });

  it("reads a foreign blob with a content encoding as it is stored", async () => {
    const key = `${newPrefix()}object`;
    const packed = await new Response(new Blob([SMALL]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
    for (const coding of ["gzip", "br", "deflate"]) {
      const headers = { "x-ms-blob-type": "BlockBlob", "x-ms-blob-content-encoding": coding };
      const put = await askAzurite({ method: "PUT", path: `/${key}-${coding}`, headers, body: packed });
      expect(put.status).toBe(201);
    }

    const store = openStore();
    for (const coding of ["gzip", "br", "deflate"]) {
      expect(await read(await store.get(`${key}-${coding}`))).toEqual(packed);
      const range = { offset: 5, length: 10 };
      expect(await read(await store.get(`${key}-${coding}`, { range }))).toEqual(packed.subarray(5, 15));
      expect(await store.head(`${key}-${coding}`)).toMatchObject({ length: packed.length, sha256Hex: null });
    }
  });

  it("sorts by UTF-16 units", async () => {
    const prefix = newPrefix();
    const names = ["!", "%2F", "+", "a b", "a\"'<>", "a/b", "a=b&c", "é", "\u{1F600}", "\uFFFD"];
    await fill(
      openStore(),
      names.map((name) => prefix + name),
    );

    const listed = await listAll(openStore(), { prefix, limit: 3 });

    expect(listed.map(({ key }) => key.slice(prefix.length))).toEqual(names);
  });

  it("starts after a key with one call of two keys", async () => {
    const prefix = newPrefix();
    await fill(
      openStore(),
      ["a", "b", "c", "d"].map((name) => prefix + name),
    );
    const queries: string[] = [];
    const store = openAzureStore(AZURITE_CONFIG, {
      now: Date.now,
      fetch: (url, init) => {
        queries.push(new URL(url).search);
        return fetch(url, init);
      },
    });

    const page = await store.list({ prefix, startAfter: `${prefix}b`, limit: 1 });

    expect(page.objects.map(({ key }) => key)).toEqual([`${prefix}c`]);
    expect(queries).toHaveLength(1);
  });

  it("keeps empty segments and dots within a segment", async () => {
    const prefix = newPrefix();
    const keys = ["a//b", "a/", "/a", "..a", "a..b"].map((name) => prefix + name);
    const store = openStore();
    await fill(store, keys);

    for (const key of keys) expect(await read(await store.get(key))).toEqual(SMALL);
    expect(new Set((await listAll(store, { prefix })).map(({ key }) => key))).toEqual(new Set(keys));
  });

  it.each(["a/./b", "a/../b", "..", "a\\b", "a\u0001b", "a\nb"])("refuses the key %j in every call", async (name) => {
    const store = openStore();
    const key = newPrefix() + name;

    await expect(store.put(key, await sourceOf(SMALL))).rejects.toThrow(RangeError);
    await expect(store.get(key)).rejects.toThrow(RangeError);
    await expect(store.head(key)).rejects.toThrow(RangeError);
    await expect(store.delete([key])).rejects.toThrow(RangeError);
  });
});

describe("openAzureStore() createsContainer at Azurite", () => {
  it("makes a container for many puts at once", async () => {
    const store = openStore({ container: newContainer(), createsContainer: true });
    const source = await sourceOf(SMALL);

    const outcomes = await Promise.all(["a", "b", "c", "d"].map((key) => store.put(key, source)));

    expect(outcomes.map(({ kind }) => kind)).toEqual(["stored", "stored", "stored", "stored"]);
  });

  it("makes a container for a part", async () => {
    const store = openStore({ container: newContainer(), createsContainer: true });
    const upload = await store.createMultipart("key", "text/plain");

    const parts = [await store.putPart(upload, 1, SMALL)];

    expect(await store.completeMultipart(upload, parts)).toMatchObject({ kind: "stored" });
  });

  it("is refused in every call where it may not make the container", async () => {
    for (const call of callsOf(openStore({ container: newContainer() }))) {
      await expect(call()).rejects.toMatchObject({
        kind: "store_refused",
        message: expect.stringContaining("ContainerNotFound"),
      });
    }
  });
});

describe("openAzureStore() credentials at Azurite", () => {
  it("is refused with a wrong key", async () => {
    const key = new Uint8Array(64).fill(1);

    for (const call of callsOf(openStore({ credential: { kind: "key", key } }))) {
      await expect(call()).rejects.toMatchObject({
        kind: "store_refused",
        message: expect.stringMatching(/check them \(AuthorizationFailure, HTTP 403\)$/),
      });
    }
  });

  it("is refused with a signature whose time is over, which no message holds", async () => {
    const token = await makeSas("rcwdl", new Date(Date.now() - 60_000));

    for (const call of callsOf(openStore({ credential: { kind: "sas", token } }))) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ kind: "store_refused" });
      expect(String(error)).not.toContain("sig=");
    }
  });

  it("is refused in a call that the signature does not allow", async () => {
    const token = await makeSas("rl", new Date(Date.now() + 3_600_000));
    const store = openStore({ credential: { kind: "sas", token } });

    await expect(store.put(`${newPrefix()}a`, await sourceOf(SMALL))).rejects.toMatchObject({
      kind: "store_refused",
      message: expect.stringContaining("AuthorizationPermissionMismatch"),
    });
    expect((await store.list({ prefix: "nothing" })).objects).toEqual([]);
  });

  it("is unavailable where nobody listens", async () => {
    const token = await makeSas("rcwdl", new Date(Date.now() + 3_600_000));
    const store = openStore({ endpoint: "http://127.0.0.1:9/devstoreaccount1", credential: { kind: "sas", token } });

    const error: unknown = await store.head("key").catch((reason: unknown) => reason);

    expect(error).toMatchObject({ kind: "store_unavailable" });
    expect(String(error)).not.toContain("sig=");
  });
});
