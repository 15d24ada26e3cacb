/** Cases of the suite of stores: get() with its ranges and conditions, head() and delete(). */
import { expect } from "vitest";
import type { ObjectInfo, ObjectStore } from "../../src/object-store/contract.ts";
import { hexOf, patternOf, read, sourceOf } from "./put-source.ts";
import { fill, listAll, OTHER, SMALL, type Case } from "./store-case.ts";

/** Declares the cases of whole objects. */
export function describeReading(it: Case): void {
  it("get() of a missing object throws object_not_found", async (store, prefix) => {
    await expect(store.get(`${prefix}missing`)).rejects.toMatchObject({ kind: "object_not_found" });
  });

  it("get() may be cancelled in the middle", async (store, prefix) => {
    const key = `${prefix}object`;
    await store.put(key, await sourceOf(patternOf(500_000)));

    const reader = (await store.get(key)).getReader();
    await reader.read();
    await reader.cancel();

    expect(await store.head(key)).toMatchObject({ length: 500_000 });
  });

  it("get() serves a reader that brings its buffer", async (store, prefix) => {
    const key = `${prefix}object`;
    const bytes = patternOf(100_000);
    await store.put(key, await sourceOf(bytes));

    const reader = (await store.get(key)).getReader({ mode: "byob" });
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(65_536));
      if (done) break;
      expect(value).toEqual(bytes.subarray(length, length + value.length));
      length += value.length;
    }

    expect(length).toBe(bytes.length);
  });

  it("head() of a missing object is null", async (store, prefix) => {
    expect(await store.head(`${prefix}missing`)).toBeNull();
  });

  it("delete() deletes several objects and repeats without an error", async (store, prefix) => {
    const keys = ["a", "b", "c"].map((name) => prefix + name);
    await fill(store, keys);

    await store.delete([...keys.slice(0, 2), `${prefix}missing`]);
    await store.delete(keys.slice(0, 2));
    await store.delete([]);

    expect((await listAll(store, { prefix })).map((object) => object.key)).toEqual(keys.slice(2));
  });

  it("delete() refuses more than 1000 keys", async (store, prefix) => {
    const keys = Array.from({ length: 1001 }, (_, index) => prefix + index);

    await expect(store.delete(keys)).rejects.toThrow(RangeError);
  });
}

/** Declares the cases of deletes of one version. */
export function describeVersionDeletes(it: Case): void {
  it("delete() of another version throws object_changed and deletes nothing", async (store, prefix) => {
    const key = `${prefix}object`;
    const { etag } = await putSmall(store, key);
    await store.delete([key]);
    const { info } = await store.put(key, await sourceOf(OTHER));

    await expect(store.delete([key], ifMatch(etag))).rejects.toMatchObject({ kind: "object_changed" });
    expect(await store.head(key)).toEqual(info);
  });

  it("delete() of a version deletes it, and repeats without an error", async (store, prefix) => {
    const key = `${prefix}object`;
    const { etag } = await putSmall(store, key);

    await store.delete([key], ifMatch(etag));
    await store.delete([key], ifMatch(etag));

    expect(await store.head(key)).toBeNull();
  });

  it("delete() refuses several keys with one version", async (store, prefix) => {
    await expect(store.delete([`${prefix}a`, `${prefix}b`], { ifMatch: "e" })).rejects.toThrow(RangeError);
  });
}

/** Declares the cases of ranges. */
export function describeRanges(it: Case): void {
  it("get() of a range gives exactly its bytes", async (store, prefix) => {
    const key = `${prefix}object`;
    const bytes = patternOf(100_000);
    await store.put(key, await sourceOf(bytes));

    for (const [offset, length] of [
      [0],
      [70_000],
      [99_999],
      [0, 1],
      [1, 70_000],
      [99_990, 10],
      [0, 100_000],
    ] as const) {
      const range = length === undefined ? { offset } : { offset, length };
      const wanted = bytes.subarray(offset, length === undefined ? undefined : offset + length);
      expect(await hexOf(await read(await store.get(key, { range })))).toBe(await hexOf(wanted));
    }
  });

  it("get() of a range leaves out what lies beyond the end", async (store, prefix) => {
    const key = `${prefix}object`;
    await store.put(key, await sourceOf(SMALL));

    for (const [offset, length] of [
      [0, SMALL.length + 1],
      [SMALL.length - 3, 1_000_000],
    ] as const) {
      expect(await read(await store.get(key, { range: { offset, length } }))).toEqual(SMALL.subarray(offset));
    }
  });

  it("get() of a range at the end is empty", async (store, prefix) => {
    await store.put(`${prefix}object`, await sourceOf(SMALL));
    await store.put(`${prefix}empty`, await sourceOf(new Uint8Array(0)));

    for (const [name, offset] of [
      ["object", SMALL.length],
      ["empty", 0],
    ] as const) {
      expect((await read(await store.get(prefix + name, { range: { offset } }))).length).toBe(0);
      expect((await read(await store.get(prefix + name, { range: { offset, length: 5 } }))).length).toBe(0);
    }
  });

  it("get() of a range behind the end throws RangeError", async (store, prefix) => {
    const key = `${prefix}object`;
    await store.put(key, await sourceOf(SMALL));
    const offset = SMALL.length + 1;

    await expect(store.get(key, { range: { offset } })).rejects.toThrow(RangeError);
    await expect(store.get(key, { range: { offset, length: 1 } })).rejects.toThrow(RangeError);
  });

  it("get() of a range that is none throws RangeError", async (store, prefix) => {
    const key = `${prefix}object`;
    await store.put(key, await sourceOf(SMALL));

    for (const range of [{ offset: -1 }, { offset: 0.5 }, { offset: NaN }, { offset: 0, length: 0 }]) {
      await expect(store.get(key, { range })).rejects.toThrow(RangeError);
    }
  });

  it("get() of a range of a missing object throws object_not_found", async (store, prefix) => {
    const asked = store.get(`${prefix}missing`, { range: { offset: 0, length: 1 } });

    await expect(asked).rejects.toMatchObject({ kind: "object_not_found" });
  });
}

/** Declares the cases of ETags. */
export function describeEtags(it: Case): void {
  it("names a version by the same ETag in put(), head() and list()", async (store, prefix) => {
    const key = `${prefix}object`;

    const info = await putSmall(store, key);

    expect(info.etag).toMatch(/^[^"]+$/);
    expect((await store.head(key))?.etag).toBe(info.etag);
    expect((await store.list({ prefix })).objects[0]?.etag).toBe(info.etag);
  });

  it("names other bytes by another ETag", async (store, prefix) => {
    const key = `${prefix}object`;
    const { etag } = await putSmall(store, key);
    await store.delete([key]);

    const { info } = await store.put(key, await sourceOf(OTHER));

    expect(info.etag).not.toBe(etag);
    await expect(store.get(key, ifMatch(etag))).rejects.toMatchObject({ kind: "object_changed" });
  });

  it("get() with the ETag of the object gives its bytes", async (store, prefix) => {
    const key = `${prefix}object`;
    const { etag } = await putSmall(store, key);

    const part = await store.get(key, { ...ifMatch(etag), range: { offset: 4, length: 5 } });

    expect(await read(await store.get(key, ifMatch(etag)))).toEqual(SMALL);
    expect(await read(part)).toEqual(SMALL.subarray(4, 9));
  });

  it("get() with another ETag throws object_changed", async (store, prefix) => {
    const key = `${prefix}object`;
    await putSmall(store, key);
    const { etag } = (await store.put(`${prefix}other`, await sourceOf(OTHER))).info;

    for (const range of [undefined, { offset: 0, length: 5 }, { offset: SMALL.length }]) {
      const asked = store.get(key, { ...ifMatch(etag), ...(range === undefined ? {} : { range }) });
      await expect(asked).rejects.toMatchObject({ kind: "object_changed" });
    }
  });

  it("get() with an ETag of a missing object throws object_not_found", async (store, prefix) => {
    const { etag } = await putSmall(store, `${prefix}object`);

    await expect(store.get(`${prefix}missing`, ifMatch(etag))).rejects.toMatchObject({ kind: "object_not_found" });
  });
}

async function putSmall(store: ObjectStore, key: string): Promise<ObjectInfo> {
  return (await store.put(key, await sourceOf(SMALL))).info;
}

function ifMatch(etag: string | null): { readonly ifMatch: string } {
  if (etag === null) throw new Error("The store named no ETag");
  return { ifMatch: etag };
}
