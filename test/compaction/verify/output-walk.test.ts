import { describe, expect, it } from "vitest";
import type { TableMember } from "../../../src/archive/member-table.ts";
import { openFindings } from "../../../src/compaction/verify/findings.ts";
import type { HourContext, RunningCounts } from "../../../src/compaction/verify/hour-context.ts";
import { walkOutput } from "../../../src/compaction/verify/output-walk.ts";
import { openUsage } from "../../../src/reader/usage.ts";
import { bytes, HOUR, KIB, MIB, millis } from "../../../src/units.ts";
import { layoutOf } from "../../reader/archive-sample.ts";
import { HOUR_FORMS, HOUR_START, makeOutput, sha256Of, ZSTD } from "../../reader/hour-kit.ts";
import { concat } from "../../reader/otlp-sample.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "../../reader/synthetic-store.ts";
import { DAY_ORDER } from "./verify-kit.ts";

const PIECE_BYTES = 64 * KIB;

function contextOf(store: SyntheticStore, counts: RunningCounts): HourContext {
  const place = { signal: "traces", hour: HOUR_START } as const;
  return {
    ...place,
    order: DAY_ORDER,
    deps: {
      store,
      layout: layoutOf(),
      now: () => HOUR_START,
      grace: HOUR,
      foreign: "keep",
      bucketExpiration: null,
      bodyTimeout: millis(30_000),
      maxStoreCalls: 8000,
      client: new AbortController().signal,
      deployment: async () => "",
      askCompactor: async () => null,
      mirror: async () => undefined,
    },
    source: { store, layout: layoutOf(), usage: openUsage() },
    findings: openFindings(place, false),
    counts,
    knowledge: async () => null,
  };
}

const noCounts = (): RunningCounts => ({ hours: 0, objects: 0, members: 0, items: 0, bytes: 0 });

describe("walkOutput()", () => {
  it.each(HOUR_FORMS)("reads $marshaler in $compression, whose entries say what it holds", async (form) => {
    const sample = await makeOutput(
      [
        [[3, ["a", "b"]]],
        [
          [3, ["c"]],
          [9, ["d"]],
        ],
      ],
      { form },
    );
    const store = openSyntheticStore({ [sample.key]: sample.object });

    const { output, members } = sample;
    const result = await walkOutput(contextOf(store, noCounts()), { output, form, signal: "traces", members });

    expect(result).toMatchObject({ sha256Hex: output.sha256, rawBytes: output.rawBytes, services: [] });
    expect([...result.minutes].map(([minute, { itemCount }]) => [minute, itemCount])).toEqual([
      [3, 3],
      [9, 1],
    ]);
    expect(store.openBodies()).toBe(0);
  });

  it.each([
    ["another raw length", { rawBytes: bytes(7), runs: [{ minute: 3, itemCount: 2, rawBytes: bytes(7) }] }],
    ["another number of items", { itemCount: 3, runs: [{ minute: 3, itemCount: 3, rawBytes: bytes(0) }] }],
    ["other event times", { minTimeUnixNano: 1n, maxTimeUnixNano: 2n }],
    ["bytes that it does not have", { storedBytes: bytes(100_000) }],
    ["fewer bytes than it has", { storedBytes: bytes(40) }],
  ])("refuses a member whose table says %s", async (_what, wrong) => {
    const sample = await makeOutput([[[3, ["a", "b"]]]]);
    const store = openSyntheticStore({ [sample.key]: sample.object });
    const members = sample.members.map((member): TableMember => ({ ...member, ...wrong }));

    const walk = walkOutput(contextOf(store, noCounts()), {
      output: sample.output,
      form: ZSTD,
      signal: "traces",
      members,
    });

    await expect(walk).rejects.toMatchObject({ kind: "corrupt_object" });
    expect(store.openBodies()).toBe(0);
  });

  it("refuses a table whose entry is not the one in the object, though the bytes fit", async () => {
    const sample = await makeOutput([[[3, ["a", "b"]]]]);
    const store = openSyntheticStore({ [sample.key]: sample.object });
    const members = sample.members.map((member) => ({
      ...member,
      runs: member.runs.map((run) => ({ ...run, minute: 4 })),
    }));

    const walk = walkOutput(contextOf(store, noCounts()), {
      output: sample.output,
      form: ZSTD,
      signal: "traces",
      members,
    });

    await expect(walk).rejects.toThrow("the entry in the object is not the one of the member table");
  });

  it("holds one member, whatever the length of the output", { timeout: 60_000 }, async () => {
    const names = Array.from({ length: 4000 }, (_, index) => `n-${index}-${Math.sin(index)}`);
    const sample = await makeOutput([[[0, names]]]);
    const [member] = sample.members;
    if (member === undefined) throw new Error("the sample has no member");
    const { storedBytes } = member;
    const members = Array.from({ length: 200 }, (_, index) => ({ ...member, offset: bytes(index * storedBytes) }));
    const object = concat(members.map(() => sample.object));
    const output = { key: sample.key, sizeBytes: bytes(object.length) };
    const store = openSyntheticStore();
    store.objects.set(sample.key, bytesObject(object, PIECE_BYTES));
    let read = 0;
    let maxHeldBytes = 0;
    const counts = {
      ...noCounts(),
      get members() {
        return read;
      },
      set members(value: number) {
        read = value;
        maxHeldBytes = Math.max(maxHeldBytes, store.bytesGiven() - read * storedBytes);
      },
    };

    const result = await walkOutput(contextOf(store, counts), { output, form: ZSTD, signal: "traces", members });

    expect(result.sha256Hex).toBe(await sha256Of(object));
    expect(read).toBe(200);
    expect(object.length).toBeGreaterThan(4 * MIB);
    expect(maxHeldBytes).toBeLessThan(storedBytes + 4 * PIECE_BYTES);
  });
});
