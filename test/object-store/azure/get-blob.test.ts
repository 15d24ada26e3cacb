import { describe, expect, it } from "vitest";
import { read } from "../../conformance/put-source.ts";
import { blobOf, openFakeAzure, type FakeAnswer } from "./fake-azure.ts";

function partial(contentRange: string, body: string): FakeAnswer {
  return { status: 206, headers: { "content-range": contentRange }, body };
}

describe("openAzureStore() get()", () => {
  it("asks for a range in Azure's own header and for a version in quotes", async () => {
    const { store, sent } = openFakeAzure(() => partial("bytes 3-4/9", "de"));

    const stream = await store.get("a", { range: { offset: 3, length: 2 }, ifMatch: "0x8D" });

    expect(new TextDecoder().decode(await read(stream))).toBe("de");
    expect(sent[0]?.headers.get("x-ms-range")).toBe("bytes=3-4");
    expect(sent[0]?.headers.get("range")).toBeNull();
    expect(sent[0]?.headers.get("if-match")).toBe('"0x8D"');
  });

  it.each([
    ["the whole blob", { status: 200, body: "abcdefghi" }],
    ["another range", partial("bytes 0-1/9", "ab")],
    ["a range without a name", { status: 206, body: "de" }],
  ])("does not take %s for the range", async (_what, answer) => {
    const { store } = openFakeAzure(() => answer);

    await expect(store.get("a", { range: { offset: 3, length: 2 } })).rejects.toMatchObject({
      kind: "store_unavailable",
    });
  });

  it("does not take a part for the whole", async () => {
    const { store } = openFakeAzure(() => partial("bytes 0-1/9", "ab"));

    await expect(store.get("a")).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("gives an empty stream for an answer without a body", async () => {
    const { store } = openFakeAzure(() => ({ status: 200 }));

    expect((await read(await store.get("a"))).length).toBe(0);
  });

  it("says that an archived blob must be rehydrated", async () => {
    const { store } = openFakeAzure(() => ({ status: 409, code: "BlobArchived" }));

    await expect(store.get("a")).rejects.toMatchObject({
      kind: "object_frozen",
      storageClass: "Archive",
      message: expect.stringContaining("rehydrate it"),
    });
  });

  it("looks when a range cannot be satisfied", async () => {
    const { store } = openFakeAzure(({ method }) =>
      method === "HEAD" ? blobOf(9) : { status: 416, code: "InvalidRange" },
    );

    expect((await read(await store.get("a", { range: { offset: 9 } }))).length).toBe(0);
    await expect(store.get("a", { range: { offset: 10 } })).rejects.toThrow(RangeError);
    await expect(store.get("a", { range: { offset: 8 } })).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("tells a blob that was replaced from one that is gone", async () => {
    const mismatch = { status: 412, code: "ConditionNotMet" };
    const replaced = openFakeAzure(({ method }) => (method === "HEAD" ? blobOf(9) : mismatch));
    const gone = openFakeAzure(({ method }) => (method === "HEAD" ? { status: 404, code: "BlobNotFound" } : mismatch));

    await expect(replaced.store.get("a", { ifMatch: "0x1" })).rejects.toMatchObject({ kind: "object_changed" });
    await expect(gone.store.get("a", { ifMatch: "0x1" })).rejects.toMatchObject({ kind: "object_not_found" });
  });

  it("asks for nothing when the range is none", async () => {
    const { store, sent } = openFakeAzure(() => ({ status: 200 }));

    await expect(store.get("a", { range: { offset: -1 } })).rejects.toThrow(RangeError);
    expect(sent).toEqual([]);
  });
});
