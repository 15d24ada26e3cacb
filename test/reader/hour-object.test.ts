import { expect, test } from "vitest";
import { openHourObject, type HourObject } from "../../src/reader/hour-object.ts";
import { openUsage } from "../../src/reader/usage.ts";
import { bytes, HOUR, MIB, millis, MINUTE, type Millis } from "../../src/units.ts";
import { HOUR_START, makeOutput, ZSTD, type SampleOutput } from "./hour-kit.ts";
import { concat, request } from "./otlp-sample.ts";
import { openSyntheticStore } from "./synthetic-store.ts";

const at = (minute: number): Millis => millis(HOUR_START + minute * MINUTE);
const openSample = (): Promise<SampleOutput> =>
  makeOutput([
    [
      [1, ["n-a"]],
      [2, ["n-b"]],
      [3, ["n-c"]],
    ],
    [[3, ["n-d"]]],
  ]);

function open(sample: SampleOutput, window: { start?: Millis; end?: Millis } = {}): HourObject {
  const { start = HOUR_START, end = millis(HOUR_START + HOUR) } = window;
  return openHourObject({
    store: openSyntheticStore({ [sample.key]: sample.object }),
    output: sample.output,
    form: ZSTD,
    etag: null,
    members: sample.members,
    hour: HOUR_START,
    start,
    end,
    chunkMaxBytes: MIB,
    usage: openUsage(),
    onClose: () => undefined,
  });
}

async function readMinute(object: HourObject, minute: number): Promise<Uint8Array[]> {
  const runs: Uint8Array[] = [];
  for (let run = await object.nextRun(at(minute)); run !== null; run = await object.nextRun(at(minute))) {
    const pieces: Uint8Array[] = [];
    for await (const piece of run.pieces) pieces.push(piece.slice());
    runs.push(concat(pieces));
  }
  return runs;
}

const traces = (...names: readonly string[]): Uint8Array => request("traces", names);

test("openHourObject() gives the runs of one minute after the other, each whole", async () => {
  const object = open(await openSample());

  expect(await readMinute(object, 0)).toEqual([]);
  expect(await readMinute(object, 1)).toEqual([traces("n-a")]);
  expect(await readMinute(object, 2)).toEqual([traces("n-b")]);
  expect(await readMinute(object, 3)).toEqual([traces("n-c"), traces("n-d")]);
  expect(await readMinute(object, 4)).toEqual([]);
});

test("openHourObject() passes over minutes that were not asked for, and over what was left of a run", async () => {
  const object = open(await openSample());

  const first = await object.nextRun(at(1));
  expect(first?.itemCount).toBe(1);
  expect(await readMinute(object, 3)).toEqual([traces("n-c"), traces("n-d")]);
});

test("openHourObject() says what each minute of the window takes", async () => {
  const sample = await openSample();
  const length = traces("n-a").length;
  const stored = sample.members.map(({ storedBytes }) => storedBytes);

  expect([...open(sample).minutes]).toEqual([
    [at(1), { storeCalls: 1, rawBytes: length, itemCount: 1, storedBytes: stored[0] }],
    [at(2), { storeCalls: 0, rawBytes: length, itemCount: 1, storedBytes: 0 }],
    [at(3), { storeCalls: 0, rawBytes: 2 * length, itemCount: 2, storedBytes: stored[1] }],
  ]);
  expect([...open(sample, { start: at(2), end: at(3) }).minutes]).toEqual([
    [at(2), { storeCalls: 1, rawBytes: length, itemCount: 1, storedBytes: stored[0] }],
  ]);
});

test("openHourObject() goes on with the next member after one that was left", async () => {
  const object = open(await openSample());

  await object.nextRun(at(1));
  await object.skipMember();

  expect(await readMinute(object, 3)).toEqual([traces("n-d")]);
});

test.each([
  ["shorter", -1],
  ["longer", 1],
])("openHourObject() refuses a member that is %s than its entry says, wherever the window ends", async (_, by) => {
  const sample = await openSample();
  const [first, ...others] = sample.members;
  if (first === undefined) throw new Error("the sample has no member");
  const lies = { ...first, rawBytes: bytes(first.rawBytes - by) };
  const object = open({ ...sample, members: [lies, ...others] }, { end: at(2) });

  await expect(readMinute(object, 1)).rejects.toMatchObject({
    kind: "corrupt_object",
    message: expect.stringContaining("in the member at byte 0: Cannot read member: it has ") as unknown,
  });
});

test("openHourObject() gives nothing any more once it is closed", async () => {
  const object = open(await openSample());
  await object.nextRun(at(1));

  await object.close();

  expect(await readMinute(object, 3)).toEqual([]);
});
