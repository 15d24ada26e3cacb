/**
 * What every store and every wrapper of one must do. A store's test file hands this suite a factory, and names the
 * cases that it cannot pass, each with the reason.
 */
import { describe, expect, it as test } from "vitest";
import type { ListRequest, ObjectInfo, ObjectStore } from "../../src/object-store/contract.ts";
import { hexOf, patternOf, read, sourceOf } from "./put-source.ts";

/** Names of cases that a store cannot pass and that are left out for it, with the reason. */
export interface Differences {
  readonly leavesOut?: Readonly<Record<string, string>>;
}

const SMALL = new TextEncoder().encode("the bytes of an object");
const OTHER = new TextEncoder().encode("other bytes, other length");

async function listAll(store: ObjectStore, request: ListRequest): Promise<ObjectInfo[]> {
  const objects: ObjectInfo[] = [];
  let page = await store.list(request);
  for (let pages = 0; pages < 2000; pages++) {
    objects.push(...page.objects);
    if (page.cursor === undefined) return objects;
    page = await store.list({ ...request, cursor: page.cursor });
  }
  throw new Error("The listing has no end");
}

/** Puts small objects, a few at a time. */
async function fill(store: ObjectStore, keys: readonly string[]): Promise<void> {
  const source = await sourceOf(SMALL);
  for (let at = 0; at < keys.length; at += 20) {
    await Promise.all(keys.slice(at, at + 20).map((key) => store.put(key, source)));
  }
}

/** Runs the suite. @param open makes a store; it may hold other objects, since every case has a prefix of its own. */
export function describeObjectStore(name: string, open: () => ObjectStore, differences: Differences = {}): void {
  const it: Case = (fact, body) => {
    if (differences.leavesOut?.[fact] !== undefined) return;
    test(fact, () => body(open(), `conformance/${crypto.randomUUID()}/`), 60_000);
  };

  describe(`${name} conforms: put()`, () => {
    describePut(it);
    describeRefusals(it);
    describeStreaming(it);
  });
  describe(`${name} conforms: get(), head() and delete()`, () => {
    describeReading(it);
  });
  describe(`${name} conforms: list()`, () => {
    describeListing(it);
    describePaging(it);
  });
}

type Case = (fact: string, body: (store: ObjectStore, prefix: string) => Promise<void>) => void;

function describePut(it: Case): void {
  it("stores the bytes and answers with length and digest", async (store, prefix) => {
    const key = `${prefix}object`;

    const outcome = await store.put(key, await sourceOf(SMALL));

    const info = { key, length: SMALL.length, sha256Hex: await hexOf(SMALL) };
    expect(outcome).toEqual({ kind: "stored", info });
    expect(await store.head(key)).toEqual(info);
    expect(await read(await store.get(key))).toEqual(SMALL);
  });

  it("stores nothing over an existing key and says what stands there", async (store, prefix) => {
    const key = `${prefix}object`;
    await store.put(key, await sourceOf(SMALL));

    const same = await store.put(key, await sourceOf(SMALL));
    const other = await store.put(key, await sourceOf(OTHER));

    const info = { key, length: SMALL.length, sha256Hex: await hexOf(SMALL) };
    expect(same).toEqual({ kind: "exists", info });
    expect(other).toEqual({ kind: "exists", info });
    expect(await read(await store.get(key))).toEqual(SMALL);
  });

  it("lets one of several writers of a key win", async (store, prefix) => {
    const key = `${prefix}object`;
    const sources = await Promise.all([SMALL, OTHER, SMALL, OTHER].map((bytes) => sourceOf(bytes)));

    const outcomes = await Promise.all(sources.map((source) => store.put(key, source)));

    expect(outcomes.filter((outcome) => outcome.kind === "stored")).toHaveLength(1);
    expect(new Set(outcomes.map((outcome) => outcome.info.sha256Hex)).size).toBe(1);
  });

  it("stores an empty object", async (store, prefix) => {
    const key = `${prefix}empty`;

    expect(await store.put(key, await sourceOf(new Uint8Array(0)))).toMatchObject({
      kind: "stored",
      info: { length: 0 },
    });
    expect(await read(await store.get(key))).toEqual(new Uint8Array(0));
  });
}

function describeRefusals(it: Case): void {
  it("refuses bytes of another digest and stores nothing", async (store, prefix) => {
    const key = `${prefix}object`;

    await expect(store.put(key, await sourceOf(SMALL, { sha256Of: OTHER }))).rejects.toMatchObject({
      kind: "store_unavailable",
    });
    expect(await store.head(key)).toBeNull();
  });

  for (const [what, length] of [
    ["fewer", 200_001],
    ["more", 120_000],
  ] as const) {
    it(`refuses ${what} bytes than promised and stores nothing`, async (store, prefix) => {
      const key = `${prefix}object`;
      const source = await sourceOf(patternOf(200_000), { length });

      await expect(store.put(key, source)).rejects.toThrow(RangeError);
      expect(await store.head(key)).toBeNull();
      expect(source.state.closes).toBe(1);
    });
  }

  it("throws what the source throws and stores nothing", async (store, prefix) => {
    const error = new Error("the rows are gone");
    for (const failAt of [0, 100_000]) {
      const key = `${prefix}object-${failAt}`;
      const source = await sourceOf(patternOf(200_000), { failAt, error });

      await expect(store.put(key, source)).rejects.toBe(error);
      expect(await store.head(key)).toBeNull();
    }
  });
}

function describeStreaming(it: Case): void {
  it("opens the source again for another attempt", async (store, prefix) => {
    const key = `${prefix}object`;
    const source = await sourceOf(SMALL);

    await store.put(key, source);
    await store.delete([key]);
    const outcome = await store.put(key, source);

    expect(outcome.kind).toBe("stored");
    expect(source.state.opens).toBe(2);
    expect(source.state.closes).toBe(2);
  });

  it("streams 20 MB in and out", async (store, prefix) => {
    const key = `${prefix}large`;
    const bytes = patternOf(20_000_000);
    await store.put(key, await sourceOf(bytes));

    const digest = new crypto.DigestStream("SHA-256");
    const writer = digest.getWriter();
    let largest = 0;
    for await (const piece of await store.get(key)) {
      largest = Math.max(largest, piece.length);
      await writer.write(piece);
    }
    await writer.close();

    expect(new Uint8Array(await digest.digest).toHex()).toBe(await hexOf(bytes));
    expect(largest).toBeLessThanOrEqual(1_048_576);
  });
}

function describeReading(it: Case): void {
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

function describeListing(it: Case): void {
  it("is empty and has no cursor where there is nothing", async (store, prefix) => {
    expect(await store.list({ prefix })).toEqual({ objects: [] });
  });

  it("has key and length, and no digest", async (store, prefix) => {
    const key = `${prefix}object`;
    await store.put(key, await sourceOf(SMALL));

    expect(await store.list({ prefix })).toEqual({ objects: [{ key, length: SMALL.length, sha256Hex: null }] });
  });

  it("sorts by UTF-8 bytes, whatever the characters", async (store, prefix) => {
    // In the order of their bytes: UTF-16 units would put the last one before the one ahead of it.
    const names = ["!", "%2F", "+", "a b", "a\"'<>", "a/b", "a=b&c", "é", "\uFFFD", "\u{1F600}"];
    const keys = names.map((name) => prefix + name);
    await fill(store, keys.toReversed());

    const listed = (await listAll(store, { prefix, limit: 3 })).map((object) => object.key);
    expect(listed).toEqual(keys);
    for (const key of keys) expect(await read(await store.get(key))).toEqual(SMALL);
  });

  it("takes the prefix as characters, not as a folder", async (store, prefix) => {
    await fill(store, [`${prefix}hour=1/x`, `${prefix}hour=14/x`, `${prefix}hour=14/y/z`, `${prefix}hour=2/x`]);

    const listed = await listAll(store, { prefix: `${prefix}hour=1` });

    expect(listed.map((object) => object.key.slice(prefix.length))).toEqual(["hour=1/x", "hour=14/x", "hour=14/y/z"]);
  });
}

function describePaging(it: Case): void {
  it("starts after a key, whether it exists or not", async (store, prefix) => {
    const keys = ["a", "b", "c", "d"].map((name) => prefix + name);
    await fill(store, keys);
    const listAfter = async (startAfter: string, limit: number): Promise<string[]> =>
      (await listAll(store, { prefix, startAfter, limit })).map((object) => object.key.slice(prefix.length));

    expect(await listAfter(`${prefix}b`, 1000)).toEqual(["c", "d"]);
    expect(await listAfter(`${prefix}aa`, 1)).toEqual(["b", "c", "d"]);
    expect(await listAfter(`${prefix}d`, 1)).toEqual([]);
  });

  it("gives more than 1000 keys page by page, each once", async (store, prefix) => {
    const keys = Array.from({ length: 1005 }, (_, index) => `${prefix}${String(index).padStart(5, "0")}`);
    await fill(store, keys);

    const first = await store.list({ prefix });
    const whole = await listAll(store, { prefix });
    const inSmallPages = await listAll(store, { prefix, limit: 100 });

    expect(first.objects.length).toBeLessThanOrEqual(1000);
    expect(whole.map((object) => object.key)).toEqual(keys);
    expect(inSmallPages.map((object) => object.key)).toEqual(keys);
  });

  it("shows an object as soon as its put has answered, and no longer after its delete", async (store, prefix) => {
    for (let round = 0; round < 5; round++) {
      await store.put(`${prefix}object`, await sourceOf(SMALL));
      expect((await store.list({ prefix })).objects).toHaveLength(1);
      await store.delete([`${prefix}object`]);
      expect((await store.list({ prefix })).objects).toHaveLength(0);
    }
  });

  it("refuses a limit that no store has", async (store, prefix) => {
    for (const limit of [0, 1001, 1.5]) await expect(store.list({ prefix, limit })).rejects.toThrow(RangeError);
  });
}
