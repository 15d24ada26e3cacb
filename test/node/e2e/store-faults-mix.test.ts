/**
 * Firn under load before a real S3 server that fails by chance, in every way of spec/reliability.md 5.4: faults, heal,
 * drain, judge. `FIRN_FAULT_SECONDS=1800` makes it long, `FIRN_SEED=…` repeats a run's choices, and vitest's
 * `--silent=false` shows the figures of a run that passes.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { flushAll, toWindow } from "../../../scripts/firn-client.ts";
import { SIGNALS } from "../../../scripts/otlp-items.ts";
import { checkHistory, formatVerdict, isClean, type ReplayedItem, type SentItem } from "../../oracle/checker.ts";
import {
  FAULT_KINDS,
  FAULTS,
  SLOW_FAULTS,
  type FaultKind,
  type PlannedFault,
  type S3Call,
} from "../../servers/fault-plan.ts";
import { listChangedKeys } from "../../servers/fault-proxy.ts";
import { startLoad, type Load } from "./clients.ts";
import {
  flushOnce,
  openAnonymousLane,
  readBacklog,
  readReplay,
  startFaultyFirn,
  type FaultyFirn,
} from "./faulty-firn.ts";
import { createRandomShare } from "../../../scripts/fuzz/random.ts";
import { toReplayed } from "./requests.ts";
import { readSequences } from "./sequences.ts";

const FILE = "test/node/e2e/store-faults-mix.test.ts";
const SEED = Number(process.env["FIRN_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const SECONDS = Number(process.env["FIRN_FAULT_SECONDS"] ?? 15);
/** A round of faults; the last one may be shorter. */
const ROUND_SECONDS = 30;
/** A round goes on until every fault was met, and so much longer at most. */
const EXTRA_SECONDS = 25;
const ROUNDS = Math.ceil(SECONDS / ROUND_SECONDS);
const CLIENTS = 4;
/** More objects a flush, and so more calls. */
const SHARDS = 3;
const MAX_PAUSE_MILLIS = 150;
const SERIALS_PER_ROUND = 1_000_000;
const TIME_LIMIT_MILLIS = 240_000;

/** Chance of each fault at a call that it applies to: a replay has many GETs, and some replays should get through. */
const CHANCES: readonly { readonly calls: readonly S3Call[]; readonly probability: number }[] = [
  { calls: ["put", "head"], probability: 0.008 },
  { calls: ["list"], probability: 0.008 },
  { calls: ["get"], probability: 0.001 },
];
/** Besides, each kind is met once, at a call up to this one, or the second one where only replays make such calls. */
const [MAX_NTH, MAX_NTH_OF_READS] = [40, 4];

const LANES = SIGNALS.map(openAnonymousLane);
const random = createRandomShare(SEED);
/** What earlier rounds sent and a replay of this one may still find. */
const earlier: { readonly endedAt: number; readonly sent: readonly SentItem[] }[] = [];
let firn: FaultyFirn;

beforeAll(async () => {
  const again = `FIRN_SEED=${SEED} FIRN_FAULT_SECONDS=${SECONDS} npm test -- --project node ${FILE}`;
  console.log(`store faults: seed ${SEED}; again: ${again}`);
  // Alarms flush beside the test: both meet the faults, and each other.
  firn = await startFaultyFirn([], { SHARDS: String(SHARDS), FLUSH_INTERVAL_SECONDS: "1" });
});

afterAll(async () => {
  await firn.stop();
});

test.each(Array.from({ length: ROUNDS }, (_, i) => i + 1))(
  `store faults by chance under load, round %i of ${ROUNDS}: nothing is lost, doubled or changed`,
  async (round) => {
    const since = Date.now();
    const [callsBefore, before] = [firn.proxy.calls.length, listEarlier(since)];
    const faults = planMix(SEED + round * 1_000).map((plan) => firn.proxy.arm(plan));
    const load = startLoad({
      url: firn.url,
      random,
      clients: CLIENTS,
      epoch: () => 0,
      firstSerial: round * SERIALS_PER_ROUND,
    });
    const listMissing = (): readonly FaultKind[] =>
      FAULT_KINDS.filter((kind) => faults.every(({ plan, fired }) => plan.kind !== kind || fired === 0));
    const until = since + Math.min(ROUND_SECONDS, SECONDS) * 1_000;
    const ends = new Map<string, number>();
    try {
      const isOver = (): boolean =>
        Date.now() > until && (listMissing().length === 0 || Date.now() > until + EXTRA_SECONDS * 1_000);
      const repeat = async (work: () => Promise<unknown>): Promise<void> => {
        for (; !isOver(); await delay(random() * MAX_PAUSE_MILLIS)) await work();
      };
      await Promise.all([
        ...LANES.map((lane) => repeat(() => flushOnce(firn, lane))),
        repeat(async () => {
          const end = await replayUnderFaults(since, () => [...before, ...listSent(load)]);
          ends.set(end, (ends.get(end) ?? 0) + 1);
        }),
      ]);
      firn.proxy.disarm();
      const healedAt = Date.now();
      await load.finish();
      await flushAll(firn.url);
      const sent = listSent(load);
      const replayed = await replayAll(since);

      const verdict = formatVerdict(checkHistory([...before, ...sent], replayed));
      const fired = faults.reduce((sum, fault) => sum + fault.fired, 0);
      console.log(
        `store faults, round ${round}: ${fired} faults in ${firn.proxy.calls.length - callsBefore} calls; ` +
          `${sent.length} items sent, ${replayed.length} back; replays under faults: ` +
          `${[...ends].map(([end, count]) => `${count} ${end}`).join(", ")}; ${verdict}; ` +
          `${healedAt - since} ms, drained in ${Date.now() - healedAt} ms`,
      );
      earlier.push({ endedAt: Date.now(), sent });
      expect(verdict).toBe("0 lost, 0 duplicate, 0 phantom, 0 corrupt, 0 leaked, 0 vanished");
      expect(load.refusals).toEqual([]);
      expect(listMissing()).toEqual([]);
      expect(listChangedKeys(firn.proxy.calls)).toEqual([]);
      const keys = (await firn.bucket.list()).map(({ key }) => key);
      expect(readSequences(keys)).toEqual({ shardCount: SIGNALS.length * SHARDS, faults: [] });
      for (const lane of LANES) expect(await readBacklog(firn, lane)).toBe(0);
    } finally {
      firn.proxy.disarm();
      load.abandon();
    }
  },
  TIME_LIMIT_MILLIS,
);

/** Every kind once somewhere, and most of them by chance at every call that they apply to. */
function planMix(seed: number): readonly PlannedFault[] {
  const once = FAULT_KINDS.map((kind) => {
    const most = FAULTS[kind].includes("put") || FAULTS[kind].includes("head") ? MAX_NTH : MAX_NTH_OF_READS;
    return { kind, when: { nth: 1 + Math.floor(random() * most) } };
  });
  const byChance = FAULT_KINDS.filter((kind) => !SLOW_FAULTS.has(kind)).flatMap((kind, i) =>
    CHANCES.map(({ calls, probability }, j) => ({ kind, calls, when: { probability, seed: seed + i * 10 + j } })),
  );
  return [...once, ...byChance];
}

/** A replay under faults ends with a mark or breaks; what it gives was sent, once. @returns how it ended */
async function replayUnderFaults(since: number, listKnown: () => readonly SentItem[]): Promise<string> {
  const lane = LANES[Math.floor(random() * LANES.length)] ?? openAnonymousLane("logs");
  const end = await readReplay(firn, lane, toWindow(since, Date.now()));
  expect(["mark", "refused", "broken"]).toContain(end.kind);
  if (end.kind !== "mark") return end.kind;
  const known = listKnown().map((item) => ({ ...item, outcome: "unknown" as const }));
  const verdict = checkHistory(known, end.items);
  expect(isClean({ ...verdict, empty: false }) ? "" : formatVerdict(verdict)).toBe("");
  return end.kind;
}

async function replayAll(since: number): Promise<readonly ReplayedItem[]> {
  const replayed: ReplayedItem[] = [];
  for (const lane of LANES) {
    const end = await readReplay(firn, lane, toWindow(since, Date.now()));
    if (end.kind !== "mark")
      throw new Error(`Cannot replay ${lane.signal} from a store that healed: it is ${end.kind}`);
    for (const item of end.items) replayed.push(item);
  }
  return replayed;
}

function listSent(load: Load): readonly SentItem[] {
  return load.deliveries.flatMap(({ request, outcome }) =>
    request.items.map((item) => ({ ...toReplayed(request.signal, item), outcome })),
  );
}

/** Items of rounds that ended so late that they may lie in a window which begins now. */
function listEarlier(now: number): readonly SentItem[] {
  const recent = earlier.filter(({ endedAt }) => endedAt > toWindow(now, now).start.getTime());
  return recent.flatMap(({ sent }) => sent.map((item) => ({ ...item, outcome: "unknown" as const })));
}
