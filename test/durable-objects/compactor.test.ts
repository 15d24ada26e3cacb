import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { formatKey, toLayout } from "../../src/archive/key.ts";
import { formatShardName } from "../../src/buffer/shard-name.ts";
import { readBindings, readConfig } from "../../src/config.ts";
import { openShardClient } from "../../src/durable-objects/clients.ts";
import { formatCompactorName } from "../../src/durable-objects/compactor-name.ts";
import { runCron } from "../../src/schedule.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { millis } from "../../src/units.ts";
import { call, JSON_TYPE, makeLogs, makeReplayPath } from "../app-kit.ts";
import { ownObject } from "../reader/archive-forms.ts";

const HOUR = 3_600_000;
/** The machine may be busy with other tests. */
const POLL = { timeout: 20_000 };
const LATE_HOUR = Date.UTC(2026, 4, 1, 14);

type CompactorStub = DurableObjectStub<import("../../src/index.ts").Compactor>;

function openStub(signal: ItemSignal): CompactorStub {
  return env.COMPACTOR.get(env.COMPACTOR.idFromName(formatCompactorName({ tenant: "", signal })));
}

function statusOf(signal: ItemSignal): ReturnType<CompactorStub["status"]> {
  return openStub(signal).status({ tenant: "", signal });
}

async function register(signal: ItemSignal): Promise<void> {
  await openShardClient(readBindings(env), readConfig({})).directory().register({ tenant: "", signal, shard: 0 });
}

async function sendLogs(text: string): Promise<void> {
  const response = await call("/v1/logs", { method: "POST", headers: JSON_TYPE, body: makeLogs(text) });
  expect(response.status).toBe(200);
  await (await call("/admin/flush?signal=logs", { method: "POST" })).text();
}

async function countInReplay(text: string): Promise<number> {
  return (await (await call(makeReplayPath("logs"))).text()).split(text).length - 1;
}

describe("Compactor", { timeout: 30_000 }, () => {
  it("compacts what shards stored, when an operator asks", async () => {
    await sendLogs("compacted one");
    await sendLogs("compacted two");

    const response = await call("/admin/compact?signal=logs&force=true", { method: "POST" });

    expect(await response.json()).toMatchObject({
      complete: true,
      signals: [{ signal: "logs", generations: 1, sources: 2, outputs: 1, items: 2, errors: [] }],
    });
    expect(await countInReplay("compacted ")).toBe(2);
    const keys = (await env.ARCHIVE.list()).objects.map(({ key }) => key);
    expect(keys.filter((key) => /\/logs_[^/]*Z-c[^/]*$/.test(key))).toHaveLength(1);
    expect(keys.filter((key) => key.startsWith("_firn/manifests/-/logs/"))).not.toEqual([]);
    expect(await env.ARCHIVE.get("_firn/owner").then((owner) => owner?.json())).toMatchObject({ epoch: 1 });
  });

  it("looks after a late hour by its alarm", async () => {
    await openStub("traces").reportLate({ tenant: "", signal: "traces" }, LATE_HOUR);

    await expect.poll(() => statusOf("traces"), POLL).toMatchObject({ waitingHours: 0, epoch: 1, lastError: null });
  });

  it("hears of the late hours of a shard", async () => {
    const name = formatShardName({ tenant: "", signal: "metrics", shard: 0 });
    const shard = env.SHARD_BUFFER.get(env.SHARD_BUFFER.idFromName(name));
    await runInDurableObject(shard, (_instance, state) => {
      const self = JSON.stringify({ format: 1, incarnation: "9f2c4e7a", name });
      state.storage.sql.exec("INSERT INTO meta VALUES ('shard', ?)", self);
      state.storage.sql.exec("INSERT INTO late_hours VALUES (?, 7)", LATE_HOUR);
    });
    await evictDurableObject(shard);

    expect(await shard.wake()).toEqual({ hasData: true, wasAsleep: true });

    // The note is gone once the Compactor has answered, which then looked for its owner.
    await expect.poll(() => shard.wake(), POLL).toEqual({ hasData: false, wasAsleep: false });
    await expect.poll(() => statusOf("metrics"), POLL).toMatchObject({ waitingHours: 0, epoch: 1, lastError: null });
  });
});

describe("runCron()", { timeout: 30_000 }, () => {
  const event = { cron: "7 * * * *", scheduledTime: Date.now() };

  it("wakes the Compactors, whose alarms do the work", async () => {
    await register("logs");
    await sendLogs("waits for its hour");
    await runInDurableObject(openStub("logs"), (_instance, state) => state.storage.deleteAlarm());

    await runCron({ ...event, scheduledTime: event.scheduledTime + 2 * HOUR }, readBindings(env), readConfig({}));
    await runDurableObjectAlarm(openStub("logs"));

    // The hour is not over by the shards' clock, whatever the event says.
    expect(await statusOf("logs")).toMatchObject({ lastError: null, activeHour: null });
    expect(await countInReplay("waits for its hour")).toBe(1);
  });

  it("closes an hour that is over with the promises of its shards, and compacts it", async () => {
    const hour = Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR;
    const config = readConfig({});
    const layout = toLayout(config.archive, "");
    const form = { marshaler: "otlp_proto", compression: "gzip" } as const;
    const sealTime = millis(hour + 60_000);
    const own = { kind: "fresh", signal: "metrics", shard: 0, incarnation: "9f2c4e7a", sequence: 1 } as const;
    const key = formatKey({ ...own, form, sealTime }, layout);
    await env.ARCHIVE.put(key, ownObject("metrics", form, [["item-1"]]));
    await register("metrics");

    await runCron(event, readBindings(env), config);

    const prefix = `${key.slice(0, key.indexOf("minute="))}metrics_`;
    await expect.poll(async () => (await env.ARCHIVE.list({ prefix })).objects.length, POLL).toBe(1);
    const name = formatShardName({ tenant: "", signal: "metrics", shard: 0 });
    const shard = env.SHARD_BUFFER.get(env.SHARD_BUFFER.idFromName(name));
    const status = await shard.status({ tenant: "", signal: "metrics", shard: 0 });
    expect(status.closedUntil).toBe(hour + HOUR);
  });

  it("does nothing where compaction is off", async () => {
    await register("traces");
    await runInDurableObject(openStub("traces"), (_instance, state) => state.storage.deleteAlarm());

    await runCron(event, readBindings(env), readConfig({ COMPACT_ENABLED: "false" }));

    expect(await runInDurableObject(openStub("traces"), (_instance, state) => state.storage.getAlarm())).toBeNull();
  });

  it("passes over a cron that it does not know", async () => {
    await expect(runCron({ ...event, cron: "1 2 3 4 5" }, readBindings(env), readConfig({}))).resolves.toBeUndefined();
  });
});
