/**
 * The kill loop of spec/reliability.md 5.5: the local product under load, killed again and again with requests in
 * flight. Nothing that was acknowledged may be missing, nothing may be there twice. `FIRN_KILLS=200` makes it long,
 * `FIRN_SEED=…` repeats a run's choices, and vitest's `--silent=false` shows the figures of a run that passes.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { openLocalBucket } from "../../../scripts/demo/bucket.ts";
import { flushAll, replay, toWindow } from "../../../scripts/firn-client.ts";
import {
  findFreePort,
  spawnLocalFirn,
  startLocalFirn,
  type LocalFirn,
  type LocalFirnOptions,
} from "../../../scripts/local-firn.ts";
import { SIGNALS } from "../../../scripts/otlp-items.ts";
import { checkHistory, formatVerdict, isClean, type ReplayedItem, type SentItem } from "../../oracle/checker.ts";
import { startLoad, type Load } from "./clients.ts";
import { createRandomShare, type RandomShare } from "../../../scripts/fuzz/random.ts";
import { toReplayed } from "./requests.ts";
import { readSequences } from "./sequences.ts";

const KILLS = Number(process.env["FIRN_KILLS"] ?? 20);
const SEED = Number(process.env["FIRN_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const CLIENTS = 9;
/** Requests sent at once just before a kill, so that it meets some in flight. */
const BURST = 24;
const MAX_RUN_MILLIS = 1_500;
/** A burst is on its way within a few milliseconds, and answered within a few dozen. */
const MAX_BURST_MILLIS = 25;
/** Each so-manieth restart is killed while it starts. */
const START_UP_KILL_EVERY = 4;
const MAX_START_UP_MILLIS = 2_000;
const TIME_LIMIT_MILLIS = 120_000 + KILLS * 15_000;

interface Kill {
  readonly number: number;
  readonly inFlight: number;
}

test(
  `kill loop: ${KILLS} kills lose, double and change nothing`,
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "firn-kill-loop-"));
    const options = { port: await findFreePort(), persistTo: directory, vars: { FLUSH_INTERVAL_SECONDS: "1" } };
    const again = `FIRN_SEED=${SEED} FIRN_KILLS=${KILLS} npm test -- --project node test/node/e2e/kill-loop.test.ts`;
    console.log(`kill loop: seed ${SEED}; again: ${again}`);
    const random = createRandomShare(SEED);
    const began = Date.now();
    let firn = await startLocalFirn(options);
    let epoch = 0;
    const load = startLoad({ url: firn.url, random, clients: CLIENTS, epoch: () => epoch });
    const kills: Kill[] = [];
    try {
      while (kills.length < KILLS) {
        await delay(random() * MAX_RUN_MILLIS);
        kills.push(await killInBurst(firn, load, { number: epoch, random }));
        epoch += 1;
        if (kills.length % START_UP_KILL_EVERY === 0) await killDuringStart(options, random);
        firn = await startLocalFirn(options);
        await sweep(firn.url);
      }
      await load.finish();
      const drained = await flushAll(firn.url);
      const [sent, replayed] = [toSent(load), await replayAll(firn.url, began)];

      const verdict = checkHistory(sent, replayed);
      const retried = load.deliveries.filter(({ attempts }) => attempts > 1).length;
      console.log(
        `kill loop: ${kills.length} kills met ${kills.map(({ inFlight }) => inFlight).join(" ")} requests in flight; ` +
          `${load.deliveries.length} requests, ${retried} retried; ${sent.length} items sent, ` +
          `${replayed.length} back, ${drained.remaining_batches} batches left; ` +
          `${formatVerdict(verdict)}; ${Date.now() - began} ms`,
      );
      expect(formatVerdict(verdict)).toBe(formatVerdict(NOTHING_WRONG));
      expect(isClean(verdict)).toBe(true);
      expect(load.refusals).toEqual([]);
      expect(kills.filter(({ inFlight }) => inFlight === 0)).toEqual([]);
      expect(kills.filter(({ number }) => !load.broken.has(number))).toEqual([]);
      const keys = (await openLocalBucket(firn.url).list()).map(({ key }) => key);
      expect(readSequences(keys)).toEqual({ shardCount: SIGNALS.length, faults: [] });
    } finally {
      load.abandon();
      await firn.killTree();
      await rm(directory, { recursive: true, force: true });
    }
  },
  TIME_LIMIT_MILLIS,
);

const NOTHING_WRONG = { lost: [], duplicate: [], phantom: [], corrupt: [], leaked: [], vanished: [], empty: false };

interface KillOptions {
  readonly number: number;
  readonly random: RandomShare;
}

async function killInBurst(firn: LocalFirn, load: Load, { number, random }: KillOptions): Promise<Kill> {
  load.burst(BURST);
  await delay(random() * MAX_BURST_MILLIS);
  const inFlight = load.inFlight();
  expect(await firn.killTree()).toBeGreaterThan(2);
  return { number, inFlight };
}

async function killDuringStart(options: LocalFirnOptions, random: RandomShare): Promise<void> {
  const firn = spawnLocalFirn(options);
  await delay(random() * MAX_START_UP_MILLIS);
  expect(await firn.killTree()).toBeGreaterThan(0);
}

/** The cron that wakes sleeping shards; it must do no harm at any time. */
async function sweep(url: string): Promise<void> {
  const response = await fetch(`${url}/cdn-cgi/local/scheduled?cron=*%2F5+*+*+*+*`, {
    signal: AbortSignal.timeout(10_000),
  });
  expect([response.status, await response.text()]).toEqual([200, "ok"]);
}

function toSent(load: Load): readonly SentItem[] {
  return load.deliveries.flatMap(({ request, outcome }) =>
    request.items.map((item) => ({ ...toReplayed(request.signal, item), outcome })),
  );
}

async function replayAll(url: string, began: number): Promise<readonly ReplayedItem[]> {
  const window = toWindow(began, Date.now());
  const replayed: ReplayedItem[] = [];
  for (const signal of SIGNALS) {
    const { items, mark } = await replay(url, signal, window);
    expect(mark["items"]).toBe(items.length);
    for (const item of items) replayed.push(toReplayed(signal, item));
  }
  return replayed;
}
