/** Hours that the bucket's own lifecycle deletes: what is absent is told, and only what is absent. */
import { expect, test } from "vitest";
import type { ReadEvent, ReadRequest } from "../../src/reader/contract.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import { millis } from "../../src/units.ts";
import { at, freshKey, readRequest, take, type Taken } from "./archive-sample.ts";
import { makeOutput, publish, type SampleOutput } from "./hour-kit.ts";
import { gzip, request } from "./otlp-sample.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const namesIn = ({ bytes }: Taken): readonly string[] => new TextDecoder("latin1").decode(bytes).match(/n-\w+/g) ?? [];
const fresh = (name: string): Uint8Array => gzip(request("traces", [name]));

async function openCompacted(): Promise<[SyntheticStore, SampleOutput]> {
  const store = openSyntheticStore();
  const output = await makeOutput([[[1, ["n-a"]]]]);
  await publish(store, { outputs: [output] });
  return [store, output];
}

async function eventsOf(wanted: ReadRequest): Promise<ReadEvent["kind"][]> {
  const kinds: ReadEvent["kind"][] = [];
  for await (const { kind } of readWindow(wanted)) if (kind !== "fields" && kind !== "minute") kinds.push(kind);
  return kinds;
}

test("readWindow() reports what the bucket's lifecycle has deleted, and that is no error", async () => {
  const store = openSyntheticStore();
  const output = await makeOutput([[[1, ["n-a"]]]]);
  const other = await makeOutput([[[9, ["n-f"]]]], { number: 2 });
  await publish(store, { outputs: [output, other] });
  store.objects.delete(output.key);
  store.objects.set(freshKey("2026-05-01T14:20:00Z"), bytesObject(fresh("n-late")));
  const expiredBefore = at(HOUR.end);

  expect(await eventsOf(readRequest(HOUR, { store, expiredBefore }))).toEqual(["expired", "end"]);
  expect(namesIn(await take(readRequest(HOUR, { store, expiredBefore })))).toEqual(["n-f", "n-late"]);
  const tooEarly = readRequest(HOUR, { store, expiredBefore: millis(expiredBefore - 1) });
  await expect(take(tooEarly)).rejects.toMatchObject({ kind: "object_not_found" });
});

test("readWindow() reports what the bucket's lifecycle deletes while it is read", async () => {
  const expiredBefore = at(HOUR.end);
  for (const isFresh of [true, false]) {
    const [store, output] = await openCompacted();
    const key = isFresh ? freshKey("2026-05-01T14:20:00Z") : output.key;
    if (isFresh) store.objects.set(key, bytesObject(fresh("n-late")));
    const vanishing = { ...store, get: vanishAt(store, key) };

    expect(await eventsOf(readRequest(HOUR, { store: vanishing, expiredBefore }))).toEqual(["expired", "end"]);
  }
});

test("readWindow() takes a damaged output for damaged, however old", async () => {
  const [store, output] = await openCompacted();
  store.objects.set(output.key, bytesObject(output.object.subarray(1)));

  const read = take(readRequest(HOUR, { store, expiredBefore: at(HOUR.end) }));

  await expect(read).rejects.toMatchObject({ kind: "corrupt_object" });
});

/** The object is gone from the moment on at which it is asked for. */
function vanishAt(store: SyntheticStore, key: string): SyntheticStore["get"] {
  return async (wanted, options) => {
    if (wanted === key) store.objects.delete(key);
    return store.get(wanted, options);
  };
}
