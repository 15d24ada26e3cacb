/** What was asked for early and is not what counts changes calls alone, all of which are counted. */
import { expect, test, vi } from "vitest";
import { FirnError } from "../../src/errors.ts";
import { countCalls, openSurvey, surveyWindow } from "../../src/reader/survey.ts";
import { at, LIMITS, readRequest, take } from "./archive-sample.ts";
import { HOUR, MANIFESTS, membersOf, NAMES, namesIn, openHour, putOrphan, type EarlyHour } from "./early-hour.ts";
import { makeOutput, publish } from "./hour-kit.ts";
import { bytesObject, openSyntheticStore } from "./synthetic-store.ts";

type Prepare = (hour: EarlyHour) => Promise<unknown>;

const STANDING: readonly (readonly [string, Prepare, number])[] = [
  ["an output that nobody published and that begins earlier", (hour) => putOrphan(hour, 2, [0, 1]), 2],
  ["one that begins likewise", (hour) => putOrphan(hour, 2, [1]), 2],
  ["one that begins later", (hour) => putOrphan(hour, 2, [2]), 1],
  [
    "one without a table",
    async (hour) => {
      const { table } = await putOrphan(hour, 2, [0]);
      hour.store.objects.delete(table.key);
    },
    1,
  ],
  [
    "one with the table of another",
    async (hour) => {
      const { table } = await putOrphan(hour, 2, [0]);
      hour.store.objects.set(table.key, bytesObject(hour.output.table.file));
    },
    1,
  ],
  [
    "one with a table that is none",
    async (hour) => {
      const { table } = await putOrphan(hour, 2, [0]);
      hour.store.objects.set(table.key, bytesObject(new Uint8Array(100)));
    },
    1,
  ],
  [
    "those of two attempts",
    async (hour) => {
      await putOrphan(hour, 2, [0, 1]);
      await putOrphan(hour, 7, [0, 4]);
    },
    4,
  ],
  [
    "those of more attempts than are asked for",
    (hour) => Promise.all([2, 3, 4, 5].map((attempt) => putOrphan(hour, attempt, [0]))),
    0,
  ],
];

test.each(STANDING)("readWindow() gives the same beside %s, and counts each call", async (_, prepare, more) => {
  const usual = await openHour();
  await take(readRequest(HOUR, { store: usual.store }));
  const hour = await openHour();
  await prepare(hour);

  const taken = await take(readRequest(HOUR, { store: hour.store }));

  expect(namesIn(taken.bytes)).toEqual(NAMES);
  expect(hour.store.calls.length).toBe(usual.store.calls.length + more);
  expect(taken.end.usage.storeCalls).toBe(hour.store.calls.length);
  expect(hour.store.openBodies()).toBe(0);
});

test.each(STANDING)("surveyWindow() names the calls of a read beside %s", async (_, prepare) => {
  const hour = await openHour();
  await prepare(hour);
  const survey = openSurvey();

  await surveyWindow(readRequest(HOUR, { store: hour.store }), survey, LIMITS.maxStoreCalls);

  expect(hour.store.calls.filter((call) => call.startsWith("get p/year"))).toEqual([]);
  hour.store.calls.length = 0;
  await take(readRequest(HOUR, { store: hour.store }));
  const lists = hour.store.calls.filter((call) => call.startsWith("list ")).length;
  expect(countCalls(survey)).toEqual({ list: lists, get: hour.store.calls.length - lists });
});

test("readWindow() counts early chunks of a minute before which it ends itself", async () => {
  const { store, output, sha256Hex } = await openHour();
  const other = await makeOutput(membersOf([1], "b"), { attempt: 2 });
  await publish(store, { outputs: [output, other], generation: 2, parent: sha256Hex });
  // Both tables fit, and both chunks do not.
  const limits = { ...LIMITS, maxStoreCalls: 6 };

  const { end, itemCount } = await take(readRequest(HOUR, { store, limits }));

  expect([itemCount, end.next]).toEqual([0, at("2026-05-01T14:01:00Z")]);
  expect(store.calls.filter((call) => call.startsWith("get p/year"))).toHaveLength(2);
  expect(end.usage.storeCalls).toBe(store.calls.length);
});

/** Runs a change once, before a call that begins so. */
function changeBefore({ store }: EarlyHour, text: string, change: () => void): void {
  let isChanged = false;
  store.before = (call) => {
    if (isChanged || !call.startsWith(text)) return;
    isChanged = true;
    change();
  };
}

const CHANGED: readonly (readonly [string, (hour: EarlyHour) => string])[] = [
  ["before manifests are listed", () => `list ${MANIFESTS}`],
  ["before its table is asked for", ({ output }) => `get ${output.table.key}`],
];

test.each([0, 1, 2, 3, 4])("readWindow() gives what replaces an output before call %d", async (number) => {
  const { store, output, sha256Hex } = await openHour();
  const newer = openSyntheticStore();
  const rewritten = await makeOutput(membersOf([1, 2, 3]), { attempt: 2 });
  await publish(newer, { outputs: [rewritten], generation: 2, parent: sha256Hex });
  store.before = () => {
    if (store.calls.length !== number + 1) return;
    for (const [key, object] of newer.objects) store.objects.set(key, object);
    for (const key of [output.key, output.table.key]) store.objects.delete(key);
  };

  const taken = await take(readRequest(HOUR, { store }));

  expect(namesIn(taken.bytes)).toEqual(NAMES);
  expect(taken.end.usage.storeCalls).toBe(store.calls.length);
  expect(store.openBodies()).toBe(0);
});

test.each(CHANGED)("readWindow() gives nothing of an output that is retired %s", async (_, callOf) => {
  const hour = await openHour();
  const { store, output, sha256Hex } = hour;
  const newer = openSyntheticStore();
  const retired = { ...output.output, retired: true };
  await publish(newer, { outputs: [retired], generation: 2, parent: sha256Hex });
  changeBefore(hour, callOf(hour), () => {
    for (const [key, object] of newer.objects) store.objects.set(key, object);
  });

  const taken = await take(readRequest(HOUR, { store }));

  expect(taken.itemCount).toBe(0);
  expect(taken.end.usage).toMatchObject({ storeCalls: store.calls.length, objectCount: 0, storedBytes: 0 });
  expect(store.openBodies()).toBe(0);
});

test.each(["object_not_found", "store_unavailable", "object_changed"] as const)(
  "readWindow() makes an early call again that fails with %s",
  async (kind) => {
    for (const target of ["table", "chunk"]) {
      const hour = await openHour();
      const { store, output } = hour;
      const fail = (): never => {
        throw new FirnError(kind, "Cannot get");
      };
      changeBefore(hour, `get ${target === "table" ? output.table.key : output.key}`, fail);

      const taken = await take(readRequest(HOUR, { store }));

      expect(namesIn(taken.bytes)).toEqual(NAMES);
      expect(taken.end.usage.storeCalls).toBe(6);
      expect(store.calls).toHaveLength(6);
    }
  },
);

test("readWindow() reads a table again whose body broke off early", async () => {
  const { store, output } = await openHour();
  const whole = store.objects.get(output.table.key);
  let opened = 0;
  store.objects.set(output.table.key, {
    length: output.table.file.length,
    *open() {
      if (opened++ === 0) throw new Error("reset");
      yield* { [Symbol.iterator]: () => whole?.open() as Iterator<Uint8Array> };
    },
  });

  const taken = await take(readRequest(HOUR, { store }));

  expect(namesIn(taken.bytes)).toEqual(NAMES);
  expect(opened).toBe(2);
});

test("readWindow() believes no early table that is not the one that the manifest names", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  // By the one that was there first, the read would begin at the second member.
  const hour = await openHour({ spoil: (members) => members.slice(0, 1) });

  const taken = await take(readRequest(HOUR, { store: hour.store }));

  expect(namesIn(taken.bytes)).toEqual(NAMES);
  expect(warned).toHaveBeenCalledOnce();
  expect(hour.store.openBodies()).toBe(0);
  expect(taken.end.usage.storeCalls).toBe(hour.store.calls.length);
  warned.mockRestore();
});
