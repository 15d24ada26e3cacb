/**
 * Compaction of real telemetry in a local Firn: whatever is read before, during and after it holds the same items, and
 * in the end the bucket holds hour objects and what Firn knows about them, and nothing else.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compactAll, flushAll, toWindow } from "../../../scripts/firn-client.ts";
import { findFreePort, startLocalFirn, type LocalFirn } from "../../../scripts/local-firn.ts";
import { SIGNALS } from "../../../scripts/otlp-items.ts";
import {
  chooseBodies,
  FIRN_KEY,
  FRESH_KEY,
  HOUR_KEY,
  listKeys as listKeysOf,
  readItems,
  sendBody,
  type Multiset,
} from "./compacted-items.ts";

const ROUNDS = 4;
/** Longer than the flush interval, so that each round is an object or more. */
const ROUND_MILLIS = 1_300;
const BODIES_A_ROUND = 2;
const GRACE_SECONDS = 3;
const HOUR = 3_600_000;

describe("compaction", () => {
  const began = Date.now();
  let directory: string;
  let firn: LocalFirn;

  async function send(round: number): Promise<void> {
    for (const signal of SIGNALS) {
      const bodies = chooseBodies(signal, ROUNDS * BODIES_A_ROUND);
      for (const body of bodies.slice(round * BODIES_A_ROUND, (round + 1) * BODIES_A_ROUND)) {
        await sendBody(firn.url, signal, body);
      }
    }
  }

  const readAll = (): Promise<readonly Multiset[]> => readItems(firn.url, toWindow(began, Date.now()));
  const listKeys = (): Promise<readonly string[]> => listKeysOf(firn.url);

  /** The alarms of the Compactors delete what the grace has passed. */
  async function untilNoFreshObject(): Promise<readonly string[]> {
    await expect.poll(async () => (await listKeys()).filter((key) => FRESH_KEY.test(key)), POLL).toEqual([]);
    return listKeys();
  }

  const POLL = { timeout: 60_000, interval: 500 };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "firn-compaction-"));
    const vars = {
      FLUSH_INTERVAL_SECONDS: "1",
      COMPACT_DELAY_SECONDS: "0",
      COMPACT_GRACE_SECONDS: String(GRACE_SECONDS),
    };
    firn = await startLocalFirn({ port: await findFreePort(), persistTo: directory, vars });
    for (let round = 0; round < ROUNDS; round += 1) {
      await send(round);
      await delay(ROUND_MILLIS);
    }
    await flushAll(firn.url);
  });

  afterAll(async () => {
    await firn.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test("neither loses, doubles nor changes an item, and leaves hour objects only", async () => {
    const before = await readAll();
    const keys = await listKeys();
    expect(keys.filter((key) => FRESH_KEY.test(key)).length).toBeGreaterThanOrEqual(SIGNALS.length * ROUNDS);
    for (const items of before) expect(items.size).toBeGreaterThan(0);

    const during: (readonly Multiset[])[] = [];
    const state = { isOver: false };
    const compacting = compactAll(firn.url, { force: true }).finally(() => {
      state.isOver = true;
    });
    do during.push(await readAll());
    while (!state.isOver);
    const answer = await compacting;

    expect(answer).toMatchObject({ complete: true });
    for (const items of during) expect(items).toEqual(before);
    for (const signal of SIGNALS) {
      const document = answer.signals.find((each) => each.signal === signal);
      expect(document).toMatchObject({ complete: true, errors: [], set_aside_hours: 0, unreadable_objects: 0 });
      expect(document?.items).toBeGreaterThan(0);
      expect(document?.stored_bytes_after).toBeLessThan(document?.stored_bytes_before ?? 0);
    }
    expect(await readAll()).toEqual(before);
    for (const key of await untilNoFreshObject()) expect(key).toMatch(FIRN_KEY.test(key) ? FIRN_KEY : HOUR_KEY);
    expect(await readAll()).toEqual(before);
  });

  test("takes what comes later into the same hour, and a second compaction finds nothing to do", async () => {
    await send(0);
    await send(ROUNDS - 1);
    await flushAll(firn.url);
    const before = await readAll();

    const first = await compactAll(firn.url, { force: true });
    const second = await compactAll(firn.url, { force: true });

    expect(first).toMatchObject({ complete: true });
    expect(second.signals.map(({ generations, sources }) => [generations, sources])).toEqual(SIGNALS.map(() => [0, 0]));
    expect(await readAll()).toEqual(before);
    await untilNoFreshObject();
    expect(await readAll()).toEqual(before);
  });

  test("the cron of a later hour closes nothing that is not over", async () => {
    await send(1);
    await flushAll(firn.url);
    const [before, keys] = [await readAll(), await listKeys()];
    const time = Date.now() + 2 * HOUR;

    const response = await fetch(`${firn.url}/cdn-cgi/local/scheduled?cron=7+*+*+*+*&time=${time}`);
    expect(response.status).toBe(200);
    await delay(2_000);

    // An hour that ended meanwhile is compacted, as it should be.
    const isSameHour = Math.floor(Date.now() / HOUR) === Math.floor((time - 2 * HOUR) / HOUR);
    expect(await listKeys()).toEqual(isSameHour ? keys : expect.arrayContaining([]));
    expect(await readAll()).toEqual(before);
  });

  test("shows what it did in /status", async () => {
    const status = (await (await fetch(`${firn.url}/status`)).json()) as {
      readonly compaction: readonly { readonly signal: string; readonly counters: { readonly items: number } }[];
    };

    expect(status.compaction.map(({ signal }) => signal)).toEqual(SIGNALS);
    expect(status.compaction).toEqual(
      SIGNALS.map(() => expect.objectContaining({ refusal: null, set_aside_hours: 0, last_error: null })),
    );
    for (const { counters } of status.compaction) expect(counters.items).toBeGreaterThan(0);
  });
});
