/** Cases of the suite of stores: list() with its order, pages and roll-up, and keys of every kind. */
import { expect } from "vitest";
import { read, sourceOf } from "./put-source.ts";
import { fill, listAll, listPages, SMALL, type Case } from "./store-case.ts";

/** Declares the cases of order and prefixes. */
export function describeListing(it: Case): void {
  it("is empty and has no cursor where there is nothing", async (store, prefix) => {
    expect(await store.list({ prefix })).toEqual({ objects: [] });
  });

  it("has key and length, and no digest", async (store, prefix) => {
    const key = `${prefix}object`;
    const { info } = await store.put(key, await sourceOf(SMALL));

    expect(await store.list({ prefix })).toEqual({
      objects: [{ key, length: SMALL.length, etag: info.etag, sha256Hex: null }],
    });
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

/** Declares the cases of pages. */
export function describePaging(it: Case): void {
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

/** Declares the cases of delimiters. */
export function describeRollUp(it: Case): void {
  it("rolls up the keys that have the delimiter after the prefix", async (store, prefix) => {
    await fill(
      store,
      ["a/1", "a/2", "a0", "b", "c/1", "c/d/1", "d"].map((name) => prefix + name),
    );
    const list = async (name: string): Promise<unknown> => {
      const { objects, prefixes } = await listPages(store, { prefix: prefix + name, delimiter: "/" });
      const keys = objects.map(({ key }) => key.slice(prefix.length));
      return { keys, prefixes: prefixes.map((rolled) => rolled.slice(prefix.length)) };
    };

    expect(await list("")).toEqual({ keys: ["a0", "b", "d"], prefixes: ["a/", "c/"] });
    expect(await list("a")).toEqual({ keys: ["a0"], prefixes: ["a/"] });
    expect(await list("c/")).toEqual({ keys: ["c/1"], prefixes: ["c/d/"] });
    expect(await list("x")).toEqual({ keys: [], prefixes: [] });
  });

  it("gives each rolled-up prefix once over all pages", async (store, prefix) => {
    const names = Array.from({ length: 11 }, (_, index) => `${prefix}${String(index).padStart(2, "0")}`);
    await fill(
      store,
      names.flatMap((name) => [`${name}/x`, `${name}/y`, `${name}/z`, `${name}=`]),
    );

    for (const limit of [1, 2, 3, 7]) {
      const { objects, prefixes, pageSizes } = await listPages(store, { prefix, delimiter: "/", limit });
      expect(prefixes).toEqual(names.map((name) => `${name}/`));
      expect(objects.map(({ key }) => key)).toEqual(names.map((name) => `${name}=`));
      expect(Math.max(...pageSizes)).toBeLessThanOrEqual(limit);
    }
  });

  it("takes a delimiter of several characters", async (store, prefix) => {
    await fill(
      store,
      ["a--1", "a--2", "a-3", "b--"].map((name) => prefix + name),
    );

    const { objects, prefixes } = await listPages(store, { prefix, delimiter: "--" });

    expect(objects.map(({ key }) => key)).toEqual([`${prefix}a-3`]);
    expect(prefixes).toEqual([`${prefix}a--`, `${prefix}b--`]);
  });

  it("refuses a delimiter together with startAfter", async (store, prefix) => {
    await expect(store.list({ prefix, delimiter: "/", startAfter: prefix })).rejects.toThrow(RangeError);
  });
}

/** Keys that some way of writing a URL, a query or XML gets wrong. */
const ODD_KEYS: Readonly<Record<string, readonly string[]>> = {
  "every printable character": [
    ..." !\"#$%&'()*+,-.:;<=>?@[]^_`{|}~".split("").map((character) => `x${character}y`),
    "%20",
    "%2F",
    "%25",
    "%",
    "%zz",
    "a+b c",
    "a?b=c&d#e",
    "&amp;&lt;",
    "]]>",
    "<!--",
    "é",
    "e\u0301",
    "日本",
    "\u{1F600}",
  ],
  "a backslash": ["x\\y", "\\"],
  "empty segments": ["a//b", "a/", "/a"],
  "dotted segments": ["a/./b", "a/../b", "..", ".", "a./b", "a."],
  "control characters": ["x\ty", "x\ny", "x\ry", "x\u0001y", "x\u007fy", "x\u0085y", "\u00a0", "x\uFFFFy"],
  "spaces at both ends": [" x", "x ", "  "],
  "1024 bytes": [],
};

/** Declares the cases of keys. */
export function describeKeys(it: Case): void {
  for (const [what, names] of Object.entries(ODD_KEYS)) {
    it(`takes keys of ${what}`, async (store, prefix) => {
      // Segments are short: the limit of a store that keeps files is another one.
      const long = `${prefix}${`${"k".repeat(99)}/`.repeat(10)}`.slice(0, 1023).replace(/.$/, "k");
      const keys = names.length > 0 ? names.map((name) => prefix + name) : [`${long}k`];
      await fill(store, keys);

      for (const key of keys) {
        expect(await store.head(key)).toMatchObject({ key, length: SMALL.length });
        expect(await read(await store.get(key))).toEqual(SMALL);
        expect((await listAll(store, { prefix: key })).map((object) => object.key)).toContain(key);
      }
      const listed = await listAll(store, { prefix, limit: 5 });
      expect(new Set(listed.map((object) => object.key))).toEqual(new Set(keys));
      await store.delete(keys);
      expect(await listAll(store, { prefix })).toEqual([]);
    });
  }
}
