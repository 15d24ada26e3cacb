/**
 * Firn before a real S3 server that fails: every fault of spec/reliability.md 5.4 at every store call of a flush, of
 * its recovery and of a replay. `FIRN_FAULT_POSITIONS=20` makes the sweep long.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toWindow } from "../../../scripts/firn-client.ts";
import { checkHistory, formatVerdict, isClean, type ReplayedItem } from "../../oracle/checker.ts";
import { FAULT_KINDS, FAULTS, type FaultKind, type S3Call } from "../../servers/fault-plan.ts";
import { planFlushCases, runFlushCase, type FaultCase } from "./fault-cases.ts";
import {
  flushOnce,
  judgeBucket,
  openLanes,
  readReplay,
  sendLarge,
  sendOne,
  startFaultyFirn,
  type FaultyFirn,
  type Lane,
  type ReplayEnd,
} from "./faulty-firn.ts";

const POSITIONS = Number(process.env["FIRN_FAULT_POSITIONS"] ?? 2);
const TIME_LIMIT_MILLIS = 120_000 + POSITIONS * 90_000;
/** Most of a sweep is waiting for a store that stalls. */
const LANES = 8;
/** Objects of each lane that the replays under faults read. */
const OBJECTS = 4;
/** More than what the kernel and the runtime take in while nobody reads. */
const LARGE_BYTES = 6_000_000;
const LONG_REPLAY_MILLIS = 120_000;
const REPLAY_TRIES = 3;
const NOTHING_WRONG = "0 lost, 0 duplicate, 0 phantom, 0 corrupt, 0 leaked, 0 vanished";

const lanes = openLanes(LANES);
const began = Date.now();
let firn: FaultyFirn;

beforeAll(async () => {
  firn = await startFaultyFirn(lanes);
  for (const lane of lanes) {
    for (let i = 0; i < OBJECTS; i++) {
      await sendOne(firn, lane);
      expect(await flushOnce(firn, lane)).toBe(true);
    }
    expect(await judgeBucket(firn, lane, lane.sent)).toEqual([]);
  }
});

afterAll(async () => {
  await firn.stop();
}, TIME_LIMIT_MILLIS);

describe("a replay whose store fails", () => {
  /** A page that lacks objects and agrees with itself is a store that does not list consistently: nothing shows it. */
  const UNDETECTABLE: ReadonlySet<FaultKind> = new Set(["partial-list", "stale-list"]);
  /** What costs time and changes nothing must not end a replay. */
  const HARMLESS: ReadonlySet<FaultKind> = new Set(["latency", "trickle", "missing-etag"]);
  const CALLS: readonly (readonly [call: S3Call, nth: number])[] = [
    ["list", 1],
    ["get", 1],
    ["get", 3],
  ];
  const cases = CALLS.flatMap(([call, nth]) =>
    FAULT_KINDS.filter((kind) => FAULTS[kind].includes(call)).map((kind) => ({ kind, call, nth })),
  );

  test(`at each call, ${cases.length} cases: ends with a mark and every item, or breaks`, async () => {
    const problems = await spread(cases, async (lane, { kind, call, nth }) => {
      const fault = firn.proxy.arm({ kind, when: { nth }, calls: [call], keyPart: `${lane.tenant}/` });
      const end = await readReplay(firn, lane, toWindow(began, Date.now()));
      firn.proxy.disarm(fault);
      const problem =
        fault.fired === 1 ? judgeReplay(kind, end, lane) : `fired ${fault.fired} times, ${JSON.stringify(end)}`;
      return problem === null ? [] : [`${kind} of ${call} ${nth}: ${problem}`];
    });

    expect(problems).toEqual([]);
    expect(await replayAll()).toBe(NOTHING_WRONG);
  });

  function judgeReplay(kind: FaultKind, end: ReplayEnd, { sent }: Lane): string | null {
    if (end.kind === "hanging" || end.kind === "without-mark") return end.kind;
    if (end.kind !== "mark") return HARMLESS.has(kind) ? `${end.kind}, and nothing was wrong` : null;
    const canMiss = UNDETECTABLE.has(kind);
    const verdict = checkHistory(canMiss ? sent.map((item) => ({ ...item, outcome: "unknown" })) : sent, end.items);
    const isRight = isClean(canMiss ? { ...verdict, empty: false } : verdict);
    return isRight && !end.isSkipping ? null : `a mark, and ${formatVerdict(verdict)}`;
  }
});

describe("a flush whose store fails", () => {
  const cases = planFlushCases(POSITIONS);

  test(
    `at each call, ${cases.length} cases: loses, doubles and changes nothing`,
    async () => {
      const problems = await spread(cases, (lane, plan) => runFlushCase(firn, lane, plan));

      expect(problems).toEqual([]);
      expect(cases.length).toBeGreaterThan(150);
    },
    TIME_LIMIT_MILLIS,
  );

  test(`in the middle of ${LARGE_BYTES} bytes: loses, doubles and changes nothing`, async () => {
    const kinds = ["early-error", "reset-during-upload", "stall-upload", "flipped-byte-up", "applied-twice"] as const;
    const plans = kinds.map((kind): FaultCase => ({ kind, position: 1, times: 1, isRecovery: false }));

    const problems = await spread(
      plans,
      (lane, plan) => runFlushCase(firn, lane, plan, (...to) => sendLarge(...to, LARGE_BYTES)),
      lanes.filter(({ signal }) => signal === "logs"),
    );

    expect(problems).toEqual([]);
  });

  test("by the clock of the store, and then no more, gives it requests of its time", async () => {
    const [lane] = lanes;
    if (lane === undefined) throw new Error("No lane");
    const fault = firn.proxy.arm({ kind: "shifted-clock", when: { every: 1 } });
    const early = await sendOne(firn, lane);
    const flushedEarly = [await flushOnce(firn, lane), await flushOnce(firn, lane)];
    const earlyProblems = await judgeBucket(firn, lane, early);
    firn.proxy.disarm(fault);
    const late = await sendOne(firn, lane);
    const flushedLate = [await flushOnce(firn, lane), await flushOnce(firn, lane)];
    const lateProblems = await judgeBucket(firn, lane, late);

    expect(fault.fired).toBeGreaterThan(2);
    expect([flushedEarly[1], flushedLate[1]]).toEqual([true, true]);
    expect([...earlyProblems, ...lateProblems]).toEqual([]);
  });

  test(
    "lets a replay of everything be whole afterwards, each tenant's own",
    async () => {
      expect(await replayAll()).toBe(NOTHING_WRONG);
    },
    TIME_LIMIT_MILLIS,
  );
});

/** Carries cases out, those of a lane one after another, and gathers what is wrong. */
async function spread<T>(
  cases: readonly T[],
  run: (lane: Lane, one: T) => Promise<readonly string[]>,
  among: readonly Lane[] = lanes,
): Promise<readonly string[]> {
  const queue = [...cases];
  const problems: string[] = [];
  const work = async (lane: Lane): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) problems.push(...(await run(lane, one)));
  };
  await Promise.all(among.map(work));
  return problems;
}

/** A healthy replay of a lane: a long one after a long sweep, and its listing may take longer than a store may. */
async function replayHealthy(lane: Lane): Promise<readonly ReplayedItem[]> {
  let end: ReplayEnd = { kind: "broken" };
  for (let tries = 0; tries < REPLAY_TRIES && end.kind !== "mark"; tries++)
    end = await readReplay(firn, lane, toWindow(began, Date.now()), LONG_REPLAY_MILLIS);
  if (end.kind !== "mark") throw new Error(`Cannot replay ${lane.tenant} from a healthy store: ${JSON.stringify(end)}`);
  return end.items;
}

async function replayAll(): Promise<string> {
  const replayed: ReplayedItem[] = [];
  for (const lane of lanes) for (const item of await replayHealthy(lane)) replayed.push(item);
  return formatVerdict(
    checkHistory(
      lanes.flatMap(({ sent }) => sent),
      replayed,
    ),
  );
}
