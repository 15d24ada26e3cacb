/** What a reader makes of manifests, outputs and tables that are missing, wrong or damaged. */
import { expect, test, vi } from "vitest";
import { FirnError } from "../../src/errors.ts";
import type { ReadEvent } from "../../src/reader/contract.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import { at, freshKey, readRequest, take, type Taken } from "./archive-sample.ts";
import { HOUR_FORMS, makeOutput, publish, sourcesOf, type SampleOutput } from "./hour-kit.ts";
import { gzip, request } from "./otlp-sample.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const FOLDER = "p/_firn/manifests/-/traces/year=2026/month=05/day=01/hour=14/";
const namesIn = ({ bytes }: Taken): readonly string[] => new TextDecoder("latin1").decode(bytes).match(/n-\w+/g) ?? [];
const fresh = (name: string): Uint8Array => gzip(request("traces", [name]));

/** Three members: minutes 1 and 2, minute 2 again, minute 3. */
const openOutput = (options: Parameters<typeof makeOutput>[1] = {}): Promise<SampleOutput> =>
  makeOutput(
    [
      [
        [1, ["n-a"]],
        [2, ["n-b"]],
      ],
      [[2, ["n-c"]]],
      [[3, ["n-d", "n-e"]]],
    ],
    options,
  );
const ALL = ["n-a", "n-b", "n-c", "n-d", "n-e"];

async function openCompacted(options: Parameters<typeof makeOutput>[1] = {}): Promise<[SyntheticStore, SampleOutput]> {
  const store = openSyntheticStore();
  const output = await openOutput(options);
  await publish(store, { outputs: [output] });
  return [store, output];
}

test("readWindow() does not see an output without a manifest, nor one that a newer manifest leaves out", async () => {
  const [store, first] = await openCompacted();
  const rewritten = await openOutput({ attempt: 2 });
  const { sha256Hex } = await publish(store, { outputs: [first] });
  await publish(store, { outputs: [rewritten], generation: 2, parent: sha256Hex });
  const stray = await makeOutput([[[1, ["n-stray"]]]], { attempt: 3 });
  store.objects.set(stray.key, bytesObject(stray.object));

  expect(namesIn(await take(readRequest(HOUR, { store })))).toEqual(ALL);
});

const MANIFEST = "00000001-0123456789abcdef.json";
test.each([
  ["a second manifest of a generation", "stands there twice", (store: SyntheticStore) => copyTo(store, MANIFEST)],
  [
    "a manifest without its parent",
    "generation 1 is missing",
    (store: SyntheticStore) => store.objects.delete(manifestKey(store)),
  ],
  [
    "a manifest of other bytes than its name says",
    "its bytes are others",
    (store: SyntheticStore) => spoil(store, manifestKey(store, 2), (text) => text.replace('"epoch":1', '"epoch":2')),
  ],
  [
    "a manifest that is no JSON",
    ": Cannot decode manifest: ",
    (store: SyntheticStore) => spoil(store, manifestKey(store, 2), (text) => text.slice(1)),
  ],
  [
    "a manifest of a later format",
    "format is 2",
    (store: SyntheticStore) => spoil(store, manifestKey(store, 2), (text) => text.replace('"format":1', '"format":2')),
  ],
] as const)("readWindow() stops at %s, even where unreadable objects are skipped", async (_, message, change) => {
  const [store, output] = await openCompacted();
  const { sha256Hex } = await publish(store, { outputs: [output] });
  await publish(store, { outputs: [output], generation: 2, parent: sha256Hex });
  await change(store);

  for (const onError of ["stop", "skip"] as const) {
    await expect(take(readRequest(HOUR, { store, onError }))).rejects.toThrow(message);
  }
});

const manifestKey = (store: SyntheticStore, generation = 1): string =>
  [...store.objects.keys()].find((key) => key.startsWith(`${FOLDER}0000000${generation}`)) ?? "";

function copyTo(store: SyntheticStore, name: string): void {
  const object = store.objects.get(manifestKey(store));
  if (object !== undefined) store.objects.set(FOLDER + name, object);
}

async function spoil(store: SyntheticStore, key: string, change: (text: string) => string): Promise<void> {
  const text = await new Response(await store.get(key)).text();
  store.objects.set(key, bytesObject(new TextEncoder().encode(change(text))));
}

test("readWindow() stops at a manifest that is listed and not given", async () => {
  const [store] = await openCompacted();
  store.before = (call) => {
    if (call.startsWith(`get ${FOLDER}`)) throw new FirnError("object_not_found", "Cannot get: no such object");
  };

  await expect(take(readRequest(HOUR, { store, onError: "skip" }))).rejects.toMatchObject({ kind: "corrupt_object" });
});

test.each(
  HOUR_FORMS.flatMap((form) => (["missing", "wrong", "of another output"] as const).map((how) => ({ form, how }))),
)("readWindow() makes a member table that is $how again, from $form", async ({ form, how }) => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const [store, output] = await openCompacted({
    form,
    // One that leaves members out.
    ...(how === "wrong" ? { spoil: (members) => members.slice(0, 2) } : {}),
  });
  if (how === "missing") store.objects.delete(output.table.key);
  if (how === "of another output") {
    const other = await openOutput({ form, attempt: 9 });
    store.objects.set(output.table.key, bytesObject(other.table.file));
  }

  expect(namesIn(await take(readRequest(HOUR, { store })))).toEqual(ALL);
  const minute = { start: "2026-05-01T14:03:00Z", end: "2026-05-01T14:04:00Z" };
  expect(namesIn(await take(readRequest(minute, { store })))).toEqual(["n-d", "n-e"]);
  expect(warned.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown)).toEqual([
    expect.objectContaining({ event: "member_table.unreadable", key: output.table.key }),
    expect.objectContaining({ event: "member_table.unreadable", key: output.table.key }),
  ]);
  warned.mockRestore();
});

test("readWindow() takes an output for unreadable when neither its table nor it says what it holds", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const [store, output] = await openCompacted();
  store.objects.delete(output.table.key);
  store.objects.set(output.key, bytesObject(output.object.map((byte, index) => (index === 0 ? 0x5c : byte))));

  const taken = await take(readRequest(HOUR, { store, onError: "skip" }));

  expect(taken).toMatchObject({ itemCount: 0, unreadable: [output.key] });
  await expect(take(readRequest(HOUR, { store }))).rejects.toThrow(
    `Cannot read object "${output.key}": Cannot find the members of an output: it does not begin with an entry`,
  );
});

/** Changes the last byte of a member, which stands in its checksum. */
function damage(store: SyntheticStore, output: SampleOutput, member: number): void {
  const { offset, storedBytes } = output.members[member] ?? { offset: 0, storedBytes: 0 };
  const last = offset + storedBytes - 1;
  store.objects.set(output.key, bytesObject(output.object.with(last, (output.object[last] ?? 0) ^ 1)));
}

test.each(HOUR_FORMS)("readWindow() stops at a damaged member in $marshaler and $compression", async (form) => {
  const [store, output] = await openCompacted({ form });
  damage(store, output, 1);

  const place = `in the member at byte ${output.members[1]?.offset}`;
  await expect(take(readRequest(HOUR, { store }))).rejects.toThrow(`Cannot read object "${output.key}": ${place}: `);
  expect(store.openBodies()).toBe(0);
});

test.each(HOUR_FORMS)(
  "readWindow() skips a damaged member and gives the others, $marshaler $compression",
  async (form) => {
    const [store, output] = await openCompacted({ form });
    // The first member's second run is of another minute than its first.
    damage(store, output, 0);

    const taken = await take(readRequest(HOUR, { store, onError: "skip" }));

    expect(taken.unreadable).toEqual([output.key]);
    expect(namesIn(taken)).toEqual(expect.arrayContaining(["n-c", "n-d", "n-e"]));
  },
);

test("readWindow() holds a run against the items that its entry promises", async () => {
  const [store, output] = await openCompacted({
    spoil: (members) =>
      members.map((member) => ({
        ...member,
        runs: member.runs.map((run) => ({
          ...run,
          itemCount: member.runs.length === 2 ? 4 - 2 * run.minute : run.itemCount,
        })),
      })),
  });

  await expect(take(readRequest(HOUR, { store }))).rejects.toThrow(
    `Cannot read object "${output.key}": Cannot read minute of member: it has 1 items, expected 2`,
  );
});

test("readWindow() looks once more for an output that is not listed, then takes it for lost", async () => {
  const [store, output] = await openCompacted();
  store.objects.delete(output.key);
  store.objects.set(freshKey("2026-05-01T14:05:00Z"), bytesObject(fresh("n-f")));

  await expect(take(readRequest(HOUR, { store }))).rejects.toMatchObject({
    kind: "object_not_found",
    message:
      `Cannot read object "${output.key}": it is missing, ` +
      `but the manifest of its hour names ${output.object.length} bytes`,
  });
  expect(store.calls.filter((call) => call.startsWith("list"))).toHaveLength(4);

  const skipped = await take(readRequest(HOUR, { store, onError: "skip" }));
  expect(skipped).toMatchObject({ itemCount: 1, unreadable: [output.key] });
});

test("readWindow() does not read an output that has another length than its manifest says", async () => {
  const [store, output] = await openCompacted();
  store.objects.set(output.key, bytesObject(output.object.subarray(0, -1)));

  await expect(take(readRequest(HOUR, { store }))).rejects.toMatchObject({
    kind: "corrupt_object",
    message:
      `Cannot read object "${output.key}": it has ${output.object.length - 1} bytes, ` +
      `but the manifest of its hour names ${output.object.length} bytes`,
  });
});

test("readWindow() does not take an hour of which all is lost for one without anything", async () => {
  const [store, output] = await openCompacted();
  store.objects.delete(output.key);
  const years = { start: "2020-01-01T00:00:00Z", end: "2030-01-01T00:00:00Z" };

  await expect(take(readRequest(years, { store }))).rejects.toMatchObject({ kind: "object_not_found" });
});

test("readWindow() reports what retention has removed, and that is no error", async () => {
  const [store, output] = await openCompacted();
  const { sha256Hex } = await publish(store, { outputs: [output] });
  await publish(store, { outputs: [{ ...output.output, retired: true }], generation: 2, parent: sha256Hex });
  store.objects.delete(output.key);
  const years = { start: "2020-01-01T00:00:00Z", end: "2030-01-01T00:00:00Z" };
  const events: ReadEvent[] = [];

  for await (const event of readWindow(readRequest(years, { store }))) events.push(event);

  expect(events).toEqual([
    { kind: "retired", hour: at("2026-05-01T14:00:00Z"), itemCount: 5 },
    expect.objectContaining({ kind: "end", next: null }),
  ]);
});

test("readWindow() lists no manifests for profiles", async () => {
  const store = openSyntheticStore();

  await take(readRequest(HOUR, { store, signal: "profiles" }));

  expect(store.calls).toEqual(["list p/year=2026/month=05/day=01/hour=14/"]);
});

const foreignName = (unique: number): string =>
  `p/year=2026/month=05/day=01/hour=14/minute=09/traces_${unique}.binpb.gz`;

test("readWindow() leaves out foreign objects that a manifest or its parts name, but not other versions", async () => {
  const store = openSyntheticStore();
  const objects = [1, 2, 3].map((unique) => ({ key: foreignName(unique), object: fresh(`n-${unique}`) }));
  for (const { key: name, object } of objects) store.objects.set(name, bytesObject(object));
  const named = ({ key: name, object }: (typeof objects)[number], more = 0): object => ({
    key: name,
    etag: null,
    size_bytes: object.length + more,
  });
  const foreign = [objects[1], objects[2]].flatMap((each, index) => (each === undefined ? [] : [named(each, index)]));
  const part = new TextEncoder().encode(`${JSON.stringify({ format: 1, foreign })}\n`);
  const partKey = "p/_firn/members/-/traces/year=2026/month=05/day=01/hour=14/part-foreign-0.json";
  store.objects.set(partKey, bytesObject(part));
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", part)).toHex();
  const [first] = objects;
  await publish(store, {
    outputs: [await openOutput()],
    foreign: [{ key: foreignName(1), etag: null, sizeBytes: (first?.object.length ?? 0) as never }],
    foreignSources: [{ key: partKey, sizeBytes: part.length as never, sha256, count: 2 }],
  });

  // The third stands there in another length than the part names.
  expect(namesIn(await take(readRequest(HOUR, { store })))).toEqual([...ALL, "n-3"]);
});

test("readWindow() gives sources that are still there no room", async () => {
  const store = openSyntheticStore();
  const sources = Array.from({ length: 9100 }, (_, index) => freshKey("2026-05-01T14:01:00Z", { sequence: index + 1 }));
  for (const key of sources) store.objects.set(key, bytesObject(fresh("n-source")));
  store.objects.set(freshKey("2026-05-01T14:30:00Z", { shard: 1 }), bytesObject(fresh("n-f")));
  await publish(store, { outputs: [await openOutput()], sources: sourcesOf(sources) });

  expect(namesIn(await take(readRequest(HOUR, { store })))).toEqual([...ALL, "n-f"]);
});
