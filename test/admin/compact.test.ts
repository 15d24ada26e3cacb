import { describe, expect, it } from "vitest";
import type { CompactOrder } from "../../src/admin/compact-order.ts";
import { compactWindow } from "../../src/admin/compact.ts";
import type { WorkOrder, WorkReport } from "../../src/compaction/contract.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { openFakeShards } from "./fake-shards.ts";

const NOTHING: WorkReport = {
  done: true,
  hours: 0,
  generations: 0,
  items: 0,
  sources: 0,
  outputs: 0,
  sourceBytes: 0,
  outputBytes: 0,
  rawBytes: 0,
  deletedObjects: 0,
  unreadable: 0,
  setAside: 0,
  openHours: 0,
  refusal: null,
  lastError: null,
};
const WORK: WorkReport = {
  ...NOTHING,
  done: false,
  hours: 1,
  generations: 1,
  items: 100,
  sources: 10,
  outputs: 1,
  sourceBytes: 3000,
  outputBytes: 1000,
  rawBytes: 9000,
  deletedObjects: 2,
};
const WINDOW = { kind: "window", start: 0, end: 3_600_000, force: true, foreign: false } as const;
const ORDER: CompactOrder = { signals: ["logs"], work: WINDOW, takeOver: false };

interface Asked {
  readonly orders: (readonly [ItemSignal, WorkOrder | null])[];
  readonly takenOver: ItemSignal[];
}

function openScripted(reports: readonly (WorkReport | Error)[]): {
  access: ReturnType<typeof openFakeShards>;
  asked: Asked;
} {
  const asked: Asked = { orders: [], takenOver: [] };
  const left = new Map<ItemSignal, (WorkReport | Error)[]>();
  const access = openFakeShards({
    shards: [],
    compact: ({ signal }) => ({
      takeOver: async () => {
        asked.takenOver.push(signal);
      },
      work: async (_identity, order) => {
        asked.orders.push([signal, order]);
        const own = left.get(signal) ?? [...reports];
        left.set(signal, own);
        const report = own.shift();
        if (report === undefined || report instanceof Error) throw report ?? new Error("asked too often");
        return report;
      },
    }),
  });
  return { access, asked };
}

function toContext(client: AbortSignal = new AbortController().signal): Parameters<typeof compactWindow>[2] {
  return { tenant: "acme", now: () => Date.now(), client };
}

describe("compactWindow()", () => {
  it("gives the order once, goes on until all is done, and sums what was done", async () => {
    const { access, asked } = openScripted([WORK, WORK, { ...NOTHING, unreadable: 3 }]);

    const document = await compactWindow(access, ORDER, toContext());

    expect(asked.orders).toEqual([
      ["logs", WINDOW],
      ["logs", null],
      ["logs", null],
    ]);
    expect(asked.takenOver).toEqual([]);
    expect(document).toEqual({
      complete: true,
      start: "1970-01-01T00:00:00.000Z",
      end: "1970-01-01T01:00:00.000Z",
      signals: [
        {
          signal: "logs",
          complete: true,
          hours: 2,
          generations: 2,
          sources: 20,
          outputs: 2,
          items: 200,
          raw_bytes: 18_000,
          stored_bytes_before: 6000,
          stored_bytes_after: 2000,
          deleted_objects: 4,
          unreadable_objects: 3,
          set_aside_hours: 0,
          open_hours: 0,
          errors: [],
        },
      ],
    });
  });

  it.each<[string, WorkReport, readonly string[]]>([
    ["hours that are not closed", { ...NOTHING, openHours: 1 }, []],
    ["hours that are set aside", { ...NOTHING, setAside: 1 }, []],
    ["a refusal", { ...NOTHING, refusal: "Cannot compact" }, ["Cannot compact"]],
    ["a failure", { ...NOTHING, lastError: "Cannot list" }, ["Cannot list"]],
  ])("is not complete with %s", async (_what, report, errors) => {
    const { access } = openScripted([report]);

    expect(await compactWindow(access, ORDER, toContext())).toMatchObject({
      complete: false,
      signals: [{ complete: false, errors }],
    });
  });

  it("shows a Compactor that fails with what was done before, and the others", async () => {
    const { access } = openScripted([WORK, new Error("Network connection lost.")]);
    const both = { ...ORDER, signals: ["traces", "logs"] } as const;

    const { complete, signals } = await compactWindow(access, both, toContext());

    expect(complete).toBe(false);
    expect(signals.map(({ signal, items, errors }) => [signal, items, errors])).toEqual([
      ["traces", 100, ["Network connection lost."]],
      ["logs", 100, ["Network connection lost."]],
    ]);
  });

  it("takes the archive over before the work, when it is told to", async () => {
    const { access, asked } = openScripted([NOTHING]);

    await compactWindow(access, { ...ORDER, takeOver: true }, toContext());

    expect(asked.takenOver).toEqual(["logs"]);
  });

  it("stops asking when the client has left, and gives the order all the same", async () => {
    const client = new AbortController();
    const { access, asked } = openScripted([WORK, WORK]);
    const running = compactWindow(access, ORDER, toContext(client.signal));
    client.abort();

    const document = await running;

    expect(asked.orders).toHaveLength(1);
    expect(document).toMatchObject({ complete: false, signals: [{ items: 100 }] });
    expect(document.signals[0]?.errors[0]).toContain("goes on without this request");
  });
});
