/**
 * What every store and every wrapper of one must do. A store's test file hands this suite a factory, and names the
 * cases that it cannot pass, each with the reason.
 */
import { describe, expect, it as test } from "vitest";
import type { ObjectStore } from "../../src/object-store/contract.ts";
import { hexOf, patternOf, read, sourceOf } from "./put-source.ts";
import { OTHER, SMALL, type Case } from "./store-case.ts";
import { describeKeys, describeListing, describePaging, describeRollUp } from "./store-listing.ts";
import { describeAborts, describeMultipart } from "./store-multipart.ts";
import { describeEtags, describeRanges, describeReading, describeVersionDeletes } from "./store-reading.ts";

/** Names of cases that a store cannot pass and that are left out for it, with the reason. */
export interface Differences {
  readonly leavesOut?: Readonly<Record<string, string>>;
}

/** Runs the suite. @param open makes a store; it may hold other objects, since every case has a prefix of its own. */
export function describeObjectStore(name: string, open: () => ObjectStore, differences: Differences = {}): void {
  const leftOut = new Set(Object.keys(differences.leavesOut ?? {}));
  const it: Case = (fact, body) => {
    if (leftOut.delete(fact)) return;
    test(fact, () => body(open(), `conformance/${crypto.randomUUID()}/`), 60_000);
  };

  describe(`${name} conforms: put()`, () => {
    describePut(it);
    describeRefusals(it);
    describeStreaming(it);
  });
  describe(`${name} conforms: get(), head() and delete()`, () => {
    describeReading(it);
    describeRanges(it);
    describeEtags(it);
    describeVersionDeletes(it);
  });
  describe(`${name} conforms: list()`, () => {
    describeListing(it);
    describePaging(it);
    describeRollUp(it);
    describeKeys(it);
  });
  describe(`${name} conforms: multipart uploads`, () => {
    describeMultipart(it);
    describeAborts(it);
  });
  describe(`${name} conforms: differences`, () => {
    test("names only cases that exist", () => expect([...leftOut]).toEqual([]));
  });
}

function describePut(it: Case): void {
  it("stores the bytes and answers with length and digest", async (store, prefix) => {
    const key = `${prefix}object`;

    const outcome = await store.put(key, await sourceOf(SMALL));

    const info = { key, length: SMALL.length, sha256Hex: await hexOf(SMALL) };
    expect(outcome).toMatchObject({ kind: "stored", info });
    expect(await store.head(key)).toEqual(outcome.info);
    expect(await read(await store.get(key))).toEqual(SMALL);
  });

  it("stores nothing over an existing key and says what stands there", async (store, prefix) => {
    const key = `${prefix}object`;
    const { info } = await store.put(key, await sourceOf(SMALL));

    const same = await store.put(key, await sourceOf(SMALL));
    const other = await store.put(key, await sourceOf(OTHER));

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

  it("refuses bytes that follow the promised ones and stores nothing", async (store, prefix) => {
    const key = `${prefix}object`;
    // The promised length ends with a piece: a store has all that it expects before the source goes on.
    const source = await sourceOf(patternOf(200_000), { length: 150_000, sha256Of: patternOf(150_000) });

    await expect(store.put(key, source)).rejects.toThrow(RangeError);
    expect(await store.head(key)).toBeNull();
  });

  it("throws what the source throws and stores nothing", async (store, prefix) => {
    const error = new Error("the rows are gone");
    for (const failAt of [0, 100_000, 200_000]) {
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

    // A source that does not know its MD5 is read once more, ahead of each put.
    const opens = store.traits.sendsMd5 ? 4 : 2;
    expect(outcome.kind).toBe("stored");
    expect(source.state).toEqual({ opens, closes: opens });
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
