import { describe, expect, it } from "vitest";
import { listAll } from "../../conformance/store-case.ts";
import { openFakeAzure, pageOf, type Answerer, type SentRequest } from "./fake-azure.ts";

const KEYS = Array.from({ length: 30 }, (_, index) => `p/${String(index).padStart(2, "0")}`);

/** Lists {@link KEYS} as the service does; markers are the next key. @param pageKeys at most this many a page */
function serviceOf({ takesStartFrom, pageKeys }: { takesStartFrom: boolean; pageKeys: number }): Answerer {
  return ({ url: { searchParams } }) => {
    const startFrom = (takesStartFrom ? searchParams.get("startFrom") : null) ?? "";
    const first = searchParams.get("marker") ?? startFrom;
    const keys = KEYS.filter((key) => key >= first);
    const max = Math.min(Number(searchParams.get("maxresults")), pageKeys);
    return pageOf(keys.slice(0, max), keys[max] ?? "");
  };
}

function keysOf(objects: readonly { readonly key: string }[]): readonly string[] {
  return objects.map(({ key }) => key);
}

function parametersOf({ url }: SentRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(url.searchParams);
}

describe("openAzureStore() list()", () => {
  it("asks for a page with prefix, delimiter and limit, and continues at its marker", async () => {
    const { store, sent } = openFakeAzure((_request, index) => pageOf(["p/a"], index === 0 ? "2!8!bWFya2Vy" : ""));
    const request = { prefix: "p/", delimiter: "/", limit: 7 };

    const first = await store.list(request);
    const second = await store.list({ ...request, ...(first.cursor === undefined ? {} : { cursor: first.cursor }) });

    expect(second).toMatchObject({ objects: [{ key: "p/a" }], prefixes: [] });
    expect(second.cursor).toBeUndefined();
    const asked = { restype: "container", comp: "list", maxresults: "7", prefix: "p/", delimiter: "/" };
    expect(sent.map(parametersOf)).toEqual([asked, { ...asked, marker: "2!8!bWFya2Vy" }]);
    expect(sent[0]?.headers.get("x-ms-version")).toBe("2025-11-05");
  });

  it("gives an empty page that is not the last one", async () => {
    const { store } = openFakeAzure((_request, index) => (index === 0 ? pageOf([], "next") : pageOf(["p/a"])));

    expect(await store.list({ prefix: "p/" })).toEqual({ objects: [], cursor: expect.any(String) });
  });

  it("starts after a key with one call", async () => {
    const { store, sent } = openFakeAzure(serviceOf({ takesStartFrom: true, pageKeys: 5000 }));

    const page = await store.list({ prefix: "p/", startAfter: "p/20", limit: 1 });

    expect(keysOf(page.objects)).toEqual(["p/21"]);
    expect(sent.map(parametersOf)).toMatchObject([{ startFrom: "p/20", maxresults: "2" }]);
    expect(sent[0]?.headers.get("x-ms-version")).toBe("2026-02-06");
  });

  it("sends where it started from along with each marker", async () => {
    const { store, sent } = openFakeAzure(serviceOf({ takesStartFrom: true, pageKeys: 2 }));

    await listAll(store, { prefix: "p/", startAfter: "p/25" });

    const asked = sent.map(({ url, headers }) => [
      url.searchParams.get("startFrom"),
      url.searchParams.get("marker"),
      headers.get("x-ms-version"),
    ]);
    expect(asked).toEqual([
      ["p/25", null, "2026-02-06"],
      ["p/25", "p/27", "2026-02-06"],
      ["p/25", "p/29", "2026-02-06"],
    ]);
  });

  it.each([
    ["with startFrom", true, 5000],
    ["with startFrom and short pages", true, 2],
    ["without startFrom", false, 5000],
    ["without startFrom and short pages", false, 4],
  ])("gives each key after another once, %s", async (_what, takesStartFrom, pageKeys) => {
    const { store } = openFakeAzure(serviceOf({ takesStartFrom, pageKeys }));

    for (const startAfter of ["p/", "p/11", "p/11a", "p/29", "q"]) {
      for (const limit of [1, 2, 7, 1000]) {
        const listed = await listAll(store, { prefix: "p/", startAfter, limit });
        expect(keysOf(listed)).toEqual(KEYS.filter((key) => key > startAfter));
      }
    }
  });

  it("remembers a service that refuses the version which knows startFrom", async () => {
    const answer = serviceOf({ takesStartFrom: false, pageKeys: 5000 });
    const { store, sent } = openFakeAzure((request, index) =>
      request.headers.get("x-ms-version") === "2026-02-06"
        ? { status: 400, code: "InvalidHeaderValue" }
        : answer(request, index),
    );

    const first = await store.list({ prefix: "p/", startAfter: "p/28" });
    const second = await store.list({ prefix: "p/", startAfter: "p/27" });

    expect(keysOf(first.objects)).toEqual(["p/29"]);
    expect(keysOf(second.objects)).toEqual(["p/28", "p/29"]);
    expect(sent.map(({ headers }) => headers.get("x-ms-version"))).toEqual(["2026-02-06", "2025-11-05", "2025-11-05"]);
  });

  it("stops where a key is too far behind for a service that cannot start there", async () => {
    const { store, sent } = openFakeAzure((_request, index) => pageOf(["p/00"], `marker-${index}`));

    await expect(store.list({ prefix: "p/", startAfter: "p/20" })).rejects.toMatchObject({ kind: "store_refused" });
    expect(sent).toHaveLength(200);
  });

  it("does not follow a marker that is given twice", async () => {
    const { store } = openFakeAzure(() => pageOf([], "again"));

    const { cursor = "" } = await store.list({ prefix: "p/" });

    await expect(store.list({ prefix: "p/", cursor })).rejects.toMatchObject({ kind: "store_unavailable" });
    await expect(store.list({ prefix: "p/", startAfter: "p/" })).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("refuses a cursor of another store", async () => {
    const { store, sent } = openFakeAzure(() => pageOf([]));

    for (const cursor of ["", "1ueGcxLPRx1Tr", "s", "sa b"]) {
      await expect(store.list({ prefix: "p/", cursor })).rejects.toThrow(RangeError);
    }
    expect(sent).toEqual([]);
  });

  it.each([
    ["an answer that was cut off", "<EnumerationResults><Blobs><Blob>"],
    ["a page of a proxy", "<html></html>"],
    ["an endless answer", "<".repeat(9_000_000)],
  ])("does not take %s for a listing", async (_what, body) => {
    const { store } = openFakeAzure(() => ({ status: 200, body }));

    await expect(store.list({ prefix: "" })).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("refuses an account with a hierarchical namespace", async () => {
    const page = pageOf(["p"]);
    const body = page.body?.replace("<Etag>", "<ResourceType>directory</ResourceType><Etag>") ?? "";
    const { store } = openFakeAzure(() => ({ ...page, body }));

    await expect(store.list({ prefix: "" })).rejects.toMatchObject({
      kind: "store_refused",
      message: expect.stringContaining("hierarchical namespace"),
    });
  });
});
