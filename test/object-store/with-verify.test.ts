import { describe, expect, it } from "vitest";
import type { ObjectStore } from "../../src/object-store/contract.ts";
import { openMemoryStore, type MemoryStore } from "../../src/object-store/memory/memory-store.ts";
import { withVerify } from "../../src/object-store/with-verify.ts";
import { millis } from "../../src/units.ts";
import { describeObjectStore } from "../conformance/object-store.ts";
import { hexOf, patternOf, sourceOf } from "../conformance/put-source.ts";

describeObjectStore("withVerify()", () => withVerify(openMemoryStore()));

const BYTES = patternOf(100_000);

/** A store that writes the last byte of every object wrong and notices nothing. */
function corrupt(memory: MemoryStore, change: (bytes: Uint8Array) => Uint8Array): ObjectStore {
  const spoil = (key: string): void => {
    const object = memory.objects.get(key);
    if (object !== undefined) memory.objects.set(key, { ...object, bytes: change(object.bytes) });
  };
  return {
    ...memory,
    put: async (key, source) => {
      const outcome = await memory.put(key, source);
      if (outcome.kind === "stored") spoil(key);
      return outcome;
    },
    completeMultipart: async (upload, parts) => {
      const outcome = await memory.completeMultipart(upload, parts);
      spoil(upload.key);
      return outcome;
    },
  };
}

function flipLast(bytes: Uint8Array): Uint8Array {
  return bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1);
}

describe("withVerify()", () => {
  it("does not take an object with a wrong byte for stored", async () => {
    const store = withVerify(corrupt(openMemoryStore(), flipLast));

    await expect(store.put("key", await sourceOf(BYTES))).rejects.toMatchObject({
      kind: "store_unavailable",
      message: expect.stringContaining(`expected SHA-256 ${await hexOf(BYTES)}`),
    });
  });

  it("tells the true digest of such an object when it is put again", async () => {
    const memory = openMemoryStore();
    const store = withVerify(corrupt(memory, flipLast));
    await expect(store.put("key", await sourceOf(BYTES))).rejects.toThrow("Cannot prove");

    const again = await store.put("key", await sourceOf(BYTES));

    expect(await memory.head("key")).toMatchObject({ sha256Hex: await hexOf(BYTES) });
    expect(again).toMatchObject({ kind: "exists", info: { sha256Hex: await hexOf(flipLast(BYTES)) } });
  });

  it("does not read what is known to be another object", async () => {
    const memory = openMemoryStore();
    await memory.put("key", await sourceOf(BYTES));
    const store = withVerify({ ...memory, get: () => Promise.reject(new Error("not read")) });

    expect(await store.put("key", await sourceOf(new Uint8Array(1)))).toMatchObject({
      kind: "exists",
      info: { sha256Hex: await hexOf(BYTES) },
    });
  });

  it("does not take an object of parts in another length for stored", async () => {
    const store = withVerify(corrupt(openMemoryStore(), (bytes) => bytes.subarray(1)));
    const upload = await store.createMultipart("key", "text/plain");
    const part = await store.putPart(upload, 1, BYTES);

    await expect(store.completeMultipart(upload, [part])).rejects.toMatchObject({ kind: "store_unavailable" });
  });

  it("does not take an object of parts in other bytes for stored, where its digest is known", async () => {
    const store = withVerify(corrupt(openMemoryStore(), flipLast));
    const upload = await store.createMultipart("key", "text/plain");
    const part = await store.putPart(upload, 1, BYTES);

    await expect(store.completeMultipart(upload, [part], await hexOf(BYTES))).rejects.toMatchObject({
      kind: "store_unavailable",
    });
  });

  it("does not take an object that is gone for stored", async () => {
    const memory = openMemoryStore();
    const put: ObjectStore["put"] = async (key, source) => {
      const outcome = await memory.put(key, source);
      memory.objects.clear();
      return outcome;
    };

    await expect(withVerify({ ...memory, put }).put("key", await sourceOf(BYTES))).rejects.toMatchObject({
      kind: "store_unavailable",
    });
  });

  it.each([
    ["stalls", new ReadableStream<Uint8Array>()],
    ["breaks off", new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("connection lost")) })],
  ])("does not take an object for stored whose body %s", async (_what, body) => {
    const store = withVerify({ ...openMemoryStore(), get: async () => body }, millis(20));

    await expect(store.put("key", await sourceOf(BYTES))).rejects.toMatchObject({ kind: "store_unavailable" });
  });
});
