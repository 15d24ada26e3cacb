import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { formatShardName } from "../../src/buffer/shard-name.ts";
import { readBindings, readConfig } from "../../src/config.ts";
import { openShardClient } from "../../src/durable-objects/clients.ts";
import { runCron } from "../../src/schedule.ts";
import type { Signal } from "../../src/signal.ts";
import { call, JSON_TYPE, makeLogs, makeReplayPath } from "../app-kit.ts";

const SWEEP = { cron: "*/5 * * * *", scheduledTime: 0 };

function openStub(signal: Signal): DurableObjectStub<import("../../src/index.ts").ShardBuffer> {
  const name = formatShardName({ tenant: "", signal, shard: 0 });
  return env.SHARD_BUFFER.get(env.SHARD_BUFFER.idFromName(name));
}

function readAlarm(_instance: unknown, state: DurableObjectState): Promise<number | null> {
  return state.storage.getAlarm();
}

async function sendLogs(text: string): Promise<void> {
  const response = await call("/v1/logs", { method: "POST", headers: JSON_TYPE, body: makeLogs(text) });
  expect(response.status).toBe(200);
}

async function countInReplay(text: string): Promise<number> {
  return (await (await call(makeReplayPath("logs"))).text()).split(text).length - 1;
}

describe("ShardBuffer", () => {
  it("keeps what it acknowledged when it is evicted, and stores it when its alarm comes", async () => {
    await sendLogs("kept over an eviction");
    await evictDurableObject(openStub("logs"));

    expect(await runDurableObjectAlarm(openStub("logs"))).toBe(true);
    // The flush interval has not passed in real time: the alarm set itself again and left the batch open.
    expect(await countInReplay("kept over an eviction")).toBe(0);
    await (await call("/admin/flush?signal=logs", { method: "POST" })).text();
    expect(await countInReplay("kept over an eviction")).toBe(1);
  });

  it("knows a copy after an eviction", async () => {
    await sendLogs("copied over an eviction");
    await evictDurableObject(openStub("logs"));
    await sendLogs("copied over an eviction");
    await (await call("/admin/flush?signal=logs", { method: "POST" })).text();

    expect(await countInReplay("copied over an eviction")).toBe(1);
  });

  it("takes a member above 1 MiB as a stream, once", async () => {
    const noise = Array.from({ length: 50 }, () => crypto.getRandomValues(new Uint8Array(60_000)).toHex()).join("");
    await Promise.all([sendLogs(`large ${noise}`), sendLogs(`large ${noise}`)]);
    await (await call("/admin/flush?signal=logs", { method: "POST" })).text();

    expect(await countInReplay("large ")).toBe(1);
  });
});

describe("runCron()", () => {
  it("wakes a shard that has data and lost its alarm, and leaves one without data asleep", async () => {
    const client = openShardClient(readBindings(env), readConfig({}));
    await client.directory().register({ tenant: "", signal: "metrics", shard: 0 });
    await sendLogs("asleep");
    await runInDurableObject(openStub("logs"), (_instance, state) => state.storage.deleteAlarm());

    await runCron(SWEEP, readBindings(env), readConfig({}));

    expect(await runInDurableObject(openStub("logs"), readAlarm)).not.toBeNull();
    expect(await runInDurableObject(openStub("metrics"), readAlarm)).toBeNull();
  });
});
