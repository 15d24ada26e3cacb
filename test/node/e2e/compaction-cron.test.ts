/**
 * An hour of real telemetry, compacted by the cron alone, as it is in production. No hour can be closed before it is
 * over, and no test waits for that: what was flushed is moved back, object by object, over the minutes of the hour
 * before, as if it had been sent then.
 */
import { AwsClient } from "aws4fetch";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeKey, openLocalBucket } from "../../../scripts/demo/bucket.ts";
import { flushAll } from "../../../scripts/firn-client.ts";
import { findFreePort, startLocalFirn, type LocalFirn } from "../../../scripts/local-firn.ts";
import { SIGNALS } from "../../../scripts/otlp-items.ts";
import {
  chooseBodies,
  FIRN_KEY,
  FRESH_KEY,
  HOUR_KEY,
  listKeys,
  readItems,
  sendBody,
  type Multiset,
} from "./compacted-items.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const ROUNDS = 6;
const BODIES_A_ROUND = 2;
/** Longer than the flush interval, so that each round is an object or more. */
const ROUND_MILLIS = 1_200;
const DEADLINE_MILLIS = 60_000;
const VARS = { FLUSH_INTERVAL_SECONDS: "1", COMPACT_DELAY_SECONDS: "0", COMPACT_GRACE_SECONDS: "3" };

const window = { start: new Date(0), end: new Date(0) };
let directory: string;
let firn: LocalFirn;

/** Gives an object the key that it would have if it had been sealed at another time. */
function moveKey(key: string, time: Date): string {
  const [year = "", month = "", day = "", hour = "", minute = ""] = time.toISOString().split(/[-T:]/);
  const id = time.toISOString().replaceAll(/[-:.]/g, "");
  return key.replace(
    /year=.*\/minute=\d\d\/([a-z]+)_\d{8}T\d{9}Z/,
    `year=${year}/month=${month}/day=${day}/hour=${hour}/minute=${minute}/$1_${id}`,
  );
}

async function moveAll(keys: readonly string[]): Promise<void> {
  const bucket = openLocalBucket(firn.url);
  const client = new AwsClient({ accessKeyId: "test", secretAccessKey: "testtest", region: "auto", service: "s3" });
  for (const [index, key] of keys.entries()) {
    const time = new Date(window.start.getTime() + Math.floor((index * 60) / keys.length) * MINUTE + index);
    const body = new Uint8Array(await bucket.get(key));
    const put = await client.fetch(`${bucket.url}/${encodeKey(moveKey(key, time))}`, { method: "PUT", body });
    expect(put.status).toBe(200);
    const gone = await client.fetch(`${bucket.url}/${encodeKey(key)}`, { method: "DELETE" });
    expect(gone.status).toBe(204);
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "firn-compaction-cron-"));
  firn = await startLocalFirn({ port: await findFreePort(), persistTo: directory, vars: VARS });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const signal of SIGNALS) {
      const bodies = chooseBodies(signal, ROUNDS * BODIES_A_ROUND);
      for (const body of bodies.slice(round * BODIES_A_ROUND, (round + 1) * BODIES_A_ROUND)) {
        await sendBody(firn.url, signal, body);
      }
    }
    await delay(ROUND_MILLIS);
  }
  await flushAll(firn.url);
  const start = Math.floor(Date.now() / HOUR) * HOUR - HOUR;
  window.start = new Date(start);
  window.end = new Date(start + HOUR);
  await moveAll((await listKeys(firn.url)).filter((key) => FRESH_KEY.test(key)));
});

afterAll(async () => {
  await firn.stop();
  await rm(directory, { recursive: true, force: true });
});

test("the cron compacts an hour that is over, and whoever reads meanwhile sees the same items", async () => {
  const before = await readItems(firn.url, window);
  const keys = await listKeys(firn.url);
  for (const items of before) expect(items.size).toBeGreaterThan(0);
  expect(keys.length).toBeGreaterThanOrEqual(SIGNALS.length * ROUNDS);
  expect(keys.filter((key) => !FRESH_KEY.test(key))).toEqual([]);

  const cron = `${firn.url}/cdn-cgi/local/scheduled?cron=7+*+*+*+*&time=${window.end.getTime() + 7 * MINUTE}`;
  expect((await fetch(cron)).status).toBe(200);

  const deadline = Date.now() + DEADLINE_MILLIS;
  const during: (readonly Multiset[])[] = [];
  let found = keys;
  for (; found.some((key) => FRESH_KEY.test(key)) && Date.now() < deadline; found = await listKeys(firn.url)) {
    during.push(await readItems(firn.url, window));
  }

  for (const items of during) expect(items).toEqual(before);
  expect(during.length).toBeGreaterThan(1);
  for (const key of found) expect(key).toMatch(FIRN_KEY.test(key) ? FIRN_KEY : HOUR_KEY);
  for (const signal of SIGNALS) {
    expect(found.filter((key) => HOUR_KEY.test(key) && key.includes(`/${signal}_`))).toHaveLength(1);
    expect(found.filter((key) => key.includes(`/manifests/-/${signal}/`) && key.endsWith(".json"))).toHaveLength(1);
  }
  expect(await readItems(firn.url, window)).toEqual(before);
});
