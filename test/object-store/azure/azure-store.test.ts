import { describe, expect, it } from "vitest";
import { openAzureStore } from "../../../src/object-store/azure/azure-store.ts";
import { FAKE_CONFIG, NOW, openFakeAzure } from "./fake-azure.ts";

describe("openAzureStore()", () => {
  it("has an identity with endpoint and container, and says what it can", () => {
    const { store } = openFakeAzure(() => ({ status: 500 }));

    expect(store.identity).toBe("azure:https://firn.blob.core.windows.net/telemetry");
    expect(store.traits).toEqual({ createOnly: "atomic", sendsMd5: true });
  });

  it("delete() deletes with snapshots, four at a time", async () => {
    let running = 0;
    let most = 0;
    const headers: (string | null)[] = [];
    const store = openAzureStore(FAKE_CONFIG, {
      now: () => NOW,
      fetch: async (_url, init) => {
        headers.push(new Headers(init.headers).get("x-ms-delete-snapshots"));
        most = Math.max(most, ++running);
        await scheduler.wait(1);
        running--;
        return new Response(null, { status: 202 });
      },
    });

    await store.delete(Array.from({ length: 20 }, (_, index) => `key-${index}`));

    expect(most).toBe(4);
    expect(headers).toEqual(Array.from({ length: 20 }, () => "include"));
  });

  it("delete() begins no more after a failure, and ends those under way", async () => {
    const { store, sent } = openFakeAzure(({ url }) =>
      url.pathname.endsWith("/1") ? { status: 503, code: "ServerBusy" } : { status: 202 },
    );

    await expect(store.delete(Array.from({ length: 100 }, (_, index) => String(index)))).rejects.toMatchObject({
      kind: "store_unavailable",
    });
    expect(sent.length).toBeLessThan(20);
  });

  it("delete() of one version lets Azure check its ETag, and looks whether the blob is gone", async () => {
    const there = { status: 200, headers: { "content-length": "1", etag: '"f"' } };
    let isThere = true;
    const { store, sent } = openFakeAzure(({ method }) =>
      method === "DELETE"
        ? { status: 412, code: "ConditionNotMet" }
        : isThere
          ? there
          : { status: 404, code: "BlobNotFound" },
    );

    await expect(store.delete(["a"], { ifMatch: "e" })).rejects.toMatchObject({ kind: "object_changed" });
    isThere = false;
    await store.delete(["a"], { ifMatch: "e" });

    expect(sent[0]?.headers.get("if-match")).toBe('"e"');
  });

  it("abortMultipart() asks for nothing", async () => {
    const { store, sent } = openFakeAzure(() => ({ status: 500 }));

    await store.abortMultipart({ key: "a", uploadId: "unknown" });

    expect(sent).toEqual([]);
  });
});
