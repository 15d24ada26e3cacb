/** What a reader holds, opens and asks for while it reads hour objects. */
import { expect, test } from "vitest";
import { encodeMemberTable, type TableMember } from "../../src/archive/member-table.ts";
import type { ReadEvent } from "../../src/reader/contract.ts";
import { readWindow } from "../../src/reader/read-window.ts";
import { bytes, MIB } from "../../src/units.ts";
import { LIMITS, readRequest, take } from "./archive-sample.ts";
import { makeOutput, publish, sha256Of, type SampleOutput } from "./hour-kit.ts";
import { concat } from "./otlp-sample.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const NAMES = Array.from({ length: 4000 }, (_, index) => `n-${index}-${Math.sin(index)}`);

/** An output whose one member stands there many times, in minutes that ascend. */
async function repeatMember(sample: SampleOutput, count: number, lastMinute: number): Promise<SampleOutput> {
  const [member] = sample.members;
  const [run] = member?.runs ?? [];
  if (member === undefined || run === undefined) throw new Error("the sample has no member");
  const members: TableMember[] = Array.from({ length: count }, (_, index) => ({
    ...member,
    offset: bytes(index * member.storedBytes),
    runs: [{ ...run, minute: Math.floor((index * (lastMinute + 1)) / count) }],
  }));
  const object = concat(members.map(() => sample.object));
  const file = encodeMemberTable({ output: sample.key, members });
  const output = {
    ...sample.output,
    sizeBytes: bytes(object.length),
    sha256: await sha256Of(object),
    rawBytes: bytes(count * member.rawBytes),
    itemCount: count * member.itemCount,
    firstMinute: 0,
    lastMinute,
    members: { ...sample.output.members, sizeBytes: bytes(file.length), sha256: await sha256Of(file), count },
  };
  const samples = members.map(({ runs }) => runs.map(({ minute }) => [minute, NAMES] as const));
  return { ...sample, object, table: { ...sample.table, file }, output, members, samples };
}

async function openLarge(outputCount: number, memberCount: number): Promise<SyntheticStore> {
  const store = openSyntheticStore();
  const outputs: SampleOutput[] = [];
  for (let number = 1; number <= outputCount; number++) {
    outputs.push(await repeatMember(await makeOutput([[[0, NAMES]]], { number }), memberCount, 9));
  }
  await publish(store, { outputs });
  for (const { key, object } of outputs) store.objects.set(key, bytesObject(object, 65_536));
  return store;
}

test.each([
  [1, 600, 10],
  [9, 160, 26],
])(
  "readWindow() holds a bounded number of bytes of %i outputs side by side",
  { timeout: 60_000 },
  async (outputCount, memberCount, maxMebibytes) => {
    const store = await openLarge(outputCount, memberCount);
    const storedBytes = [...store.objects.values()].reduce((sum, object) => sum + object.length, 0);
    let itemCount = 0;
    let maxOutstandingBytes = 0;
    const total = outputCount * memberCount * NAMES.length;

    for await (const event of readWindow(readRequest(HOUR, { store }))) {
      if (event.kind !== "fields") continue;
      itemCount += event.itemCount;
      maxOutstandingBytes = Math.max(maxOutstandingBytes, store.bytesGiven() - (itemCount / total) * storedBytes);
    }

    expect(itemCount).toBe(total);
    expect(storedBytes).toBeGreaterThan(2 * maxMebibytes * MIB);
    expect(maxOutstandingBytes).toBeLessThan(maxMebibytes * MIB);
    expect(store.maxOpenBodies()).toBeLessThanOrEqual(6);
    expect(store.openBodies()).toBe(0);
  },
);

test("readWindow() fetches a large output in chunks of 4 MiB, each once", { timeout: 60_000 }, async () => {
  const store = await openLarge(1, 200);

  const taken = await take(readRequest(HOUR, { store }));

  const ranges = store.calls.flatMap((call) => {
    const match = /(\d+)\+(\d+)$/.exec(call);
    return match === null ? [] : [{ offset: Number(match[1]), length: Number(match[2]) }];
  });
  ranges.forEach(({ offset, length }, index) => {
    expect(length).toBeLessThanOrEqual(4 * MIB);
    const before = ranges[index - 1];
    if (before !== undefined) expect(offset).toBe(before.offset + before.length);
  });
  expect(ranges.length).toBeGreaterThan(2);
  expect(taken.end.usage.storeCalls).toBe(store.calls.length);
});

test("readWindow() ends itself at a minute before the raw bytes of outputs are used up", async () => {
  const store = await openLarge(1, 20);
  const [first] = await collect(store);
  const rawBytes = first?.kind === "end" ? first.usage.rawBytes : 0;

  const taken = await take(readRequest(HOUR, { store, limits: { ...LIMITS, maxRawBytes: bytes(rawBytes / 3) } }));

  expect(taken).toMatchObject({ itemCount: 6 * NAMES.length });
  expect(taken.end.usage.rawBytes).toBeLessThanOrEqual(rawBytes / 3);
  expect(taken.next).not.toBeNull();
});

async function collect(store: SyntheticStore): Promise<readonly ReadEvent[]> {
  const ends: ReadEvent[] = [];
  for await (const event of readWindow(readRequest(HOUR, { store }))) if (event.kind === "end") ends.push(event);
  return ends;
}

test("readWindow() closes every chunk when its consumer stops", async () => {
  const store = await openLarge(2, 100);
  const events = readWindow(readRequest(HOUR, { store }));

  await events.next();
  await events.return();

  expect(store.openBodies()).toBe(0);
});
