import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { StorageConfig } from "../../src/config/storage-config.ts";
import { openStore } from "../../src/object-store/open-store.ts";
import { millis } from "../../src/units.ts";
import { FAKE_CONFIG } from "./azure/fake-azure.ts";
import { PLAIN } from "./s3/s3-kit.ts";

const TIMEOUT = millis(100_000);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it.each<StorageConfig>([PLAIN, FAKE_CONFIG])("openStore() waits as long as it is told for %o", async (config) => {
  const signals: AbortSignal[] = [];
  vi.stubGlobal("fetch", (_url: string, { signal }: RequestInit) => {
    if (signal instanceof AbortSignal) signals.push(signal);
    return new Promise(() => undefined);
  });
  const group = { name: "ARCHIVE", prefix: "", write: config, read: config, compact: config } as const;
  const store = openStore(
    { ...group, isVerifiedByReading: false },
    { access: "read", bucket: undefined, timeout: TIMEOUT },
  );
  store.head("key").catch(() => undefined);

  while (signals.length === 0) await scheduler.wait(1);
  await vi.advanceTimersByTimeAsync(TIMEOUT - 1);
  expect(signals[0]?.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);

  expect(signals[0]?.aborted).toBe(true);
});
