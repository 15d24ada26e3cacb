/** Cases of the suite of stores: objects whose bytes come in parts. */
import { expect } from "vitest";
import type { MultipartUpload, ObjectStore, UploadedPart } from "../../src/object-store/contract.ts";
import { hexOf, patternOf, read } from "./put-source.ts";
import { OTHER, SMALL, type Case } from "./store-case.ts";

/** The least that a part but the last may have. */
const PART_BYTES = 5 * 1024 * 1024;

/** Bytes that differ from part to part. */
function partOf(number: number, length: number = PART_BYTES): Uint8Array {
  return patternOf(length).fill(number, 10, 1000);
}

async function concat(pieces: readonly Uint8Array[]): Promise<Uint8Array> {
  return new Blob(pieces.map((piece) => piece.slice())).bytes();
}

/** A copy as storage gives it back. */
function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

async function begin(store: ObjectStore, key: string): Promise<MultipartUpload> {
  return store.createMultipart(key, "application/gzip");
}

async function makeSmall(
  store: ObjectStore,
  key: string,
): Promise<{ readonly upload: MultipartUpload; readonly parts: readonly UploadedPart[] }> {
  const upload = await begin(store, key);
  return { upload, parts: [await store.putPart(upload, 1, SMALL)] };
}

/** Declares the cases of uploads that are completed. */
export function describeMultipart(it: Case): void {
  it("makes an object of equal parts and a smaller last one", async (store, prefix) => {
    const key = `${prefix}object`;
    const pieces = [partOf(1), partOf(2), partOf(3, 1_000_000)];
    const upload = await begin(store, key);

    const last = await store.putPart(upload, 3, partOf(3, 1_000_000));
    const others = await Promise.all([store.putPart(upload, 1, partOf(1)), store.putPart(upload, 2, partOf(2))]);
    const outcome = await store.completeMultipart(upload, [...others, last]);

    const bytes = await concat(pieces);
    expect(last).toEqual({ number: 3, length: 1_000_000, etag: expect.any(String) });
    expect(outcome).toMatchObject({ kind: "stored", info: { key, length: bytes.length, sha256Hex: null } });
    expect(await store.head(key)).toEqual(outcome.info);
    expect((await store.list({ prefix })).objects).toEqual([outcome.info]);
    expect(await hexOf(await read(await store.get(key)))).toBe(await hexOf(bytes));
    const range = { offset: PART_BYTES - 10, length: 2000 };
    const across = await read(await store.get(key, { range }));
    expect(across).toEqual(bytes.subarray(range.offset, range.offset + range.length));
  });

  it("makes an object of a single part", async (store, prefix) => {
    const key = `${prefix}object`;
    const { upload, parts } = await makeSmall(store, key);

    const outcome = await store.completeMultipart(upload, parts);

    expect(outcome).toMatchObject({ kind: "stored", info: { key, length: SMALL.length, sha256Hex: null } });
    expect(await read(await store.get(key))).toEqual(SMALL);
  });

  it("lets a part that is sent again replace the first", async (store, prefix) => {
    const key = `${prefix}object`;
    const { upload } = await makeSmall(store, key);

    const again = await store.putPart(upload, 1, OTHER);
    await store.completeMultipart(upload, [again]);

    expect(again.length).toBe(OTHER.length);
    expect(await read(await store.get(key))).toEqual(OTHER);
  });

  it("answers stored when an upload is completed again", async (store, prefix) => {
    const { upload, parts } = await makeSmall(store, `${prefix}object`);

    const first = await store.completeMultipart(upload, parts);
    const second = await store.completeMultipart(upload, parts);

    expect(second).toEqual(first);
  });

  it("shows nothing of an upload before its completion", async (store, prefix) => {
    const key = `${prefix}object`;
    await makeSmall(store, key);

    expect(await store.head(key)).toBeNull();
    expect((await store.list({ prefix })).objects).toEqual([]);
    await expect(store.get(key)).rejects.toMatchObject({ kind: "object_not_found" });
  });

  it("continues an upload from a copy of its plain data", async (store, prefix) => {
    const key = `${prefix}object`;
    const upload = copyOf(await begin(store, key));
    const parts = [copyOf(await store.putPart(copyOf(upload), 1, partOf(1)))];
    parts.push(copyOf(await store.putPart(copyOf(upload), 2, OTHER)));

    expect(await store.completeMultipart(copyOf(upload), parts)).toMatchObject({ kind: "stored" });
    expect(await hexOf(await read(await store.get(key)))).toBe(await hexOf(await concat([partOf(1), OTHER])));
  });

  it("takes an upload to a key of odd characters", async (store, prefix) => {
    const key = `${prefix}a b+c%2F=&?é\u{1F600}'(*)~`;
    const { upload, parts } = await makeSmall(store, key);

    expect(await store.completeMultipart(upload, parts)).toMatchObject({ kind: "stored", info: { key } });
    expect(await read(await store.get(key))).toEqual(SMALL);
  });
}

/** Declares the cases of uploads that are given up, and of callers' mistakes. */
export function describeAborts(it: Case): void {
  it("takes no part of an aborted upload and does not complete it", async (store, prefix) => {
    const key = `${prefix}object`;
    const { upload, parts } = await makeSmall(store, key);

    await store.abortMultipart(upload);

    await expect(store.putPart(upload, 2, SMALL)).rejects.toMatchObject({ kind: "object_not_found" });
    await expect(store.completeMultipart(upload, parts)).rejects.toMatchObject({ kind: "object_not_found" });
    expect(await store.head(key)).toBeNull();
  });

  it("takes no part of a completed upload", async (store, prefix) => {
    const { upload, parts } = await makeSmall(store, `${prefix}object`);
    await store.completeMultipart(upload, parts);

    await expect(store.putPart(upload, 2, SMALL)).rejects.toMatchObject({ kind: "object_not_found" });
  });

  it("aborts an upload twice without an error", async (store, prefix) => {
    const { upload } = await makeSmall(store, `${prefix}object`);

    await store.abortMultipart(upload);
    await store.abortMultipart(upload);

    expect(await store.head(`${prefix}object`)).toBeNull();
  });

  it("leaves the object when its upload is aborted after completion", async (store, prefix) => {
    const key = `${prefix}object`;
    const { upload, parts } = await makeSmall(store, key);
    const { info } = await store.completeMultipart(upload, parts);

    await store.abortMultipart(upload);

    expect(await store.head(key)).toEqual(info);
    expect(await read(await store.get(key))).toEqual(SMALL);
  });

  it("refuses to complete with a part that was not sent", async (store, prefix) => {
    const key = `${prefix}object`;
    const { upload } = await makeSmall(store, key);
    const other = await makeSmall(store, `${prefix}other`);
    const replaced = await store.putPart(other.upload, 1, OTHER);

    const asked = store.completeMultipart(upload, [replaced]);

    await expect(asked).rejects.toMatchObject({ kind: "store_refused" });
    expect(await store.head(key)).toBeNull();
  });

  it("refuses parts that no store takes", async (store, prefix) => {
    const { upload, parts } = await makeSmall(store, `${prefix}object`);
    const [part] = parts;
    if (part === undefined) throw new Error("No part");
    const large = { ...part, length: PART_BYTES };

    for (const number of [0, 10_001, 1.5]) {
      await expect(store.putPart(upload, number, SMALL)).rejects.toThrow(RangeError);
    }
    await expect(store.putPart(upload, 1, new Uint8Array(0))).rejects.toThrow(RangeError);
    for (const wrong of [
      [],
      [{ ...part, number: 2 }],
      [large, { ...large, number: 3 }],
      [part, { ...part, number: 2 }],
      [large, { ...large, number: 2, length: PART_BYTES + 1 }],
    ]) {
      await expect(store.completeMultipart(upload, wrong)).rejects.toThrow(RangeError);
    }
  });
}
