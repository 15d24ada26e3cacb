import { describe, expect, it } from "vitest";
import { readArchive, type ArchiveDocument } from "../../src/admin/archive.ts";
import { millis, type Millis } from "../../src/units.ts";
import { layoutOf, freshKey } from "../reader/archive-sample.ts";
import { makeOutput, publish, sourcesOf } from "../reader/hour-kit.ts";
import { gzip, request } from "../reader/otlp-sample.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";

const HOUR = "start=2026-05-01T14:00&end=2026-05-01T15:00";
const OBJECT = gzip(request("traces", ["n-1"]));

const ask = (store: SyntheticStore, query: string, layout = layoutOf()): Promise<ArchiveDocument> =>
  readArchive(new URLSearchParams(query), { store, layout });

/** Two sources that are still there, a late object, a stray output, an object of another signal. */
async function openMixed(): Promise<{ store: SyntheticStore; keys: Record<"source" | "late" | "output", string> }> {
  const sources = [1, 2].map((sequence) => freshKey("2026-05-01T14:09:00Z", { sequence }));
  const late = freshKey("2026-05-01T14:50:00Z", { sequence: 3 });
  const store = openSyntheticStore(Object.fromEntries([...sources, late].map((key) => [key, OBJECT])));
  const output = await makeOutput([[[9, ["n-1", "n-1"]]]]);
  const stray = await makeOutput([[[9, ["n-1"]]]], { attempt: 2 });
  store.objects.set(stray.key, bytesObject(stray.object));
  store.objects.set(freshKey("2026-05-01T14:09:00Z", { signal: "logs" }), bytesObject(OBJECT));
  await publish(store, { outputs: [output], sources: sourcesOf(sources) });
  return { store, keys: { source: sources[0] ?? "", late, output: output.key } };
}

describe("readArchive()", () => {
  it("shows every object of an hour, and which of them a reader reads", async () => {
    const { store, keys } = await openMixed();

    const { partitions, totals, next } = await ask(store, `signal=traces&${HOUR}`);

    const [partition] = partitions;
    expect(partitions).toHaveLength(1);
    expect(partition).toMatchObject({
      hour: "2026-05-01T14:00:00.000Z",
      signal: "traces",
      prefix: "p/year=2026/month=05/day=01/hour=14/",
      compaction: "partial",
      generation: 1,
      object_count: 2,
      item_count: null,
      raw_bytes: null,
      invisible_object_count: 3,
      missing_output_count: 0,
      is_continued: false,
    });
    expect(partition?.objects).toHaveLength(5);
    expect(partition?.objects).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: keys.source, kind: "fresh", is_visible: false, item_count: null }),
        {
          key: keys.late,
          kind: "fresh",
          size_bytes: OBJECT.length,
          is_visible: true,
          first_minute: "2026-05-01T14:50:00.000Z",
          last_minute: "2026-05-01T14:50:00.000Z",
          item_count: null,
          raw_bytes: null,
        },
        expect.objectContaining({ key: keys.output, kind: "compacted", is_visible: true, item_count: 2 }),
      ]),
    );
    expect(totals).toMatchObject({ partition_count: 1, object_count: 2, invisible_object_count: 3, item_count: null });
    expect(next).toBeNull();
  });

  it("shows all signals unless one is asked for, in their order", async () => {
    const { store } = await openMixed();

    const { partitions } = await ask(store, HOUR);

    expect(partitions.map(({ signal, compaction }) => [signal, compaction])).toEqual([
      ["traces", "partial"],
      ["logs", "none"],
    ]);
  });

  it("knows items and raw bytes where outputs are all there is", async () => {
    const store = openSyntheticStore();
    const outputs = [await makeOutput([[[9, ["n-1", "n-2"]]]]), await makeOutput([[[10, ["n-3"]]]], { number: 2 })];
    await publish(store, { outputs });
    const rawBytes = outputs.reduce((sum, { output }) => sum + output.rawBytes, 0);

    const { partitions, totals } = await ask(store, `signal=traces&${HOUR}`);

    expect(partitions[0]).toMatchObject({ compaction: "compacted", item_count: 3, raw_bytes: rawBytes });
    expect(totals).toMatchObject({ item_count: 3, raw_bytes: rawBytes });
  });

  it("finds hours of which nothing is left but the manifest", async () => {
    const store = openSyntheticStore();
    const output = await makeOutput([[[9, ["n-1"]]]]);
    const { sha256Hex } = await publish(store, { outputs: [output] });
    store.objects.delete(output.key);
    const years = "signal=traces&start=2020-01-01&end=2030-01-01";

    expect((await ask(store, years)).partitions).toMatchObject([
      { compaction: "compacted", object_count: 0, missing_output_count: 1, retired_output_count: 0 },
    ]);
    await publish(store, { outputs: [{ ...output.output, retired: true }], generation: 2, parent: sha256Hex });
    expect((await ask(store, years)).partitions).toMatchObject([
      { compaction: "retired", generation: 2, missing_output_count: 0, retired_output_count: 1 },
    ]);
    expect(store.calls.length).toBeLessThan(30);
  });

  it("does not take for lost what the bucket's lifecycle has deleted", async () => {
    const store = openSyntheticStore();
    const output = await makeOutput([[[9, ["n-1"]]]]);
    await publish(store, { outputs: [output] });
    store.objects.delete(output.key);
    const expiredBefore = millis(Date.UTC(2026, 4, 1, 15));
    const look = (before: Millis): Promise<ArchiveDocument> =>
      readArchive(new URLSearchParams(`signal=traces&${HOUR}`), { store, layout: layoutOf(), expiredBefore: before });

    expect((await look(expiredBefore)).partitions).toMatchObject([
      { compaction: "expired", missing_output_count: 0, expired_output_count: 1 },
    ]);
    expect((await look(millis(expiredBefore - 1))).partitions).toMatchObject([
      { compaction: "compacted", missing_output_count: 1, expired_output_count: 0 },
    ]);
  });

  it("leaves objects out on request", async () => {
    const { store } = await openMixed();

    const { partitions } = await ask(store, `signal=traces&objects=false&${HOUR}`);

    expect(partitions[0]).toMatchObject({ object_count: 2 });
    expect(partitions[0]).not.toHaveProperty("objects");
  });

  it("shows hours whole that the window only touches", async () => {
    const { store } = await openMixed();

    const { partitions } = await ask(store, "signal=traces&start=2026-05-01T14:59:59Z&end=2026-05-01T15:00:01Z");

    expect(partitions).toMatchObject([{ object_count: 2, invisible_object_count: 3 }]);
  });

  it.each([1, 2, 3, 7, 100])("pages to the same objects and totals with a limit of %i", async (limit) => {
    const { store } = await openMixed();
    for (let hour = 15; hour < 19; hour++) {
      for (let sequence = 1; sequence <= 5; sequence++) {
        store.objects.set(freshKey(`2026-05-01T${hour}:09:00Z`, { sequence }), bytesObject(OBJECT));
      }
    }
    const day = "start=2026-05-01&end=2026-05-02";
    const whole = await ask(store, day);
    const keys: unknown[] = [];
    let objectCount = 0;
    let cursor = "";

    for (let page = 0; page < 100; page++) {
      const { partitions, totals, next } = await ask(store, `${day}&limit=${limit}${cursor}`);
      const objects = partitions.flatMap((partition) => partition.objects ?? []);
      keys.push(...objects);
      expect(objects.length).toBeLessThanOrEqual(limit);
      objectCount += totals.object_count;
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }

    expect(keys).toEqual(whole.partitions.flatMap(({ objects }) => objects));
    expect(keys).toHaveLength(26);
    expect(objectCount).toBe(whole.totals.object_count);
  });

  it("ends a page before it makes too many calls", async () => {
    const store = openSyntheticStore();
    for (let day = 1; day <= 28; day++) {
      for (let hour = 0; hour < 24; hour += 2) {
        const time = `2026-02-${String(day).padStart(2, "0")}T${String(hour).padStart(2, "0")}:00:00Z`;
        store.objects.set(freshKey(time), bytesObject(OBJECT));
      }
    }

    const { partitions, next } = await ask(store, "start=2026-02-01&end=2026-03-01&objects=false");

    expect(store.calls.length).toBeLessThan(320);
    expect(partitions.length).toBeGreaterThan(10);
    expect(next).not.toBeNull();
  });

  it("looks again at an hour that was compacted meanwhile", async () => {
    const { store, keys } = await openMixed();
    const newer = openSyntheticStore();
    const before = [...store.objects.keys()].find((key) => key.includes("/00000001-")) ?? "";
    const outputs = [await makeOutput([[[9, ["n-1", "n-1"]]]]), await makeOutput([[[50, ["n-1"]]]], { attempt: 3 })];
    const sources = [1, 2, 3].map((sequence) => freshKey(`2026-05-01T14:09:00Z`, { sequence }));
    const parent = new Uint8Array(
      await crypto.subtle.digest("SHA-256", await new Response(await store.get(before)).bytes()),
    ).toHex();
    await publish(newer, { outputs, sources: sourcesOf(sources), generation: 2, parent });
    store.before = (call) => {
      if (!call.startsWith("list p/year=")) return;
      for (const [key, object] of newer.objects) store.objects.set(key, object);
      store.objects.delete(keys.late);
    };

    const { partitions } = await ask(store, `signal=traces&${HOUR}`);

    expect(partitions).toMatchObject([{ generation: 2, compaction: "compacted", object_count: 2, item_count: 3 }]);
  });

  it("sees no other tenant's objects", async () => {
    const { store } = await openMixed();

    const { partitions } = await ask(store, HOUR, layoutOf({ tenant: "acme" }));

    expect(partitions).toEqual([]);
  });

  it.each([
    ["start=2026-05-01", "end", 'Cannot read a window without "end"'],
    [`${HOUR}&signal=spans`, "signal", 'Cannot parse "signal": found "spans"'],
    [`${HOUR}&limit=0`, "limit", 'Cannot parse "limit": found "0", expected a whole number from 1 to 5000'],
    [`${HOUR}&limit=5001`, "limit", 'Cannot parse "limit"'],
    [`${HOUR}&objects=no`, "objects", 'Cannot parse "objects": found "no", expected true or false'],
    [`${HOUR}&page=2`, "page", 'Cannot use "page": unknown parameter'],
    [`${HOUR}&limit=2&limit=3`, "limit", "it is given more than once"],
    [`${HOUR}&cursor=v2.1`, "cursor", 'Cannot parse "cursor": it is not a "next" of this version'],
    [`${HOUR}&cursor=v1.29627460.traces`, "cursor", "it lies outside of the window"],
    [`${HOUR}&cursor=v1.29627340.traces`, "cursor", "it lies outside of the window"],
    [`${HOUR}&cursor=v1.29627401.traces`, "cursor", "it lies outside of the window"],
    [`${HOUR}&signal=logs&cursor=v1.29627400.traces`, "cursor", 'it is of the signal "traces"'],
    [`${HOUR}&cursor=v1.29627400.traces.Zm9v`, "cursor", "it names no key of its hour"],
    [`${HOUR}&cursor=v1.29627400.traces._w`, "cursor", "it names no key"],
  ])("refuses %s and names the parameter", async (query, field, message) => {
    const asked = ask(openSyntheticStore(), query);

    await expect(asked).rejects.toMatchObject({ kind: "invalid_request", field });
    await expect(asked).rejects.toThrow(message);
  });
});
