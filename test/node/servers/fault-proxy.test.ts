import { AwsClient } from "aws4fetch";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FAULT_KINDS, FAULTS, type FaultKind } from "../../servers/fault-plan.ts";
import { listChangedKeys, startFaultProxy, type FaultProxy } from "../../servers/fault-proxy.ts";
import { startVersitygw } from "../../servers/versitygw.ts";
import { startPlainStore, type PlainStore } from "./plain-store.ts";

const BODY = "a body of some length, to be cut in the middle";
/** More than thrice what the slowest answer takes: a loaded machine is slow. */
const PATIENCE_MILLIS = 1_000;

/** What a client saw: a status and a body, or how it failed. */
type Seen = { readonly status: number; readonly body: string } | "broken" | "cut" | "gave up";

describe("startFaultProxy()", () => {
  let store: PlainStore;
  let proxy: FaultProxy;

  beforeEach(async () => {
    store = await startPlainStore();
    proxy = await startFaultProxy(store.server);
  });

  afterEach(async () => {
    await proxy.stop();
    await store.stop();
  });

  async function call(method: string, path: string = "/bucket/key"): Promise<Seen> {
    const signal = AbortSignal.timeout(PATIENCE_MILLIS);
    const put = { body: BODY, headers: { "if-none-match": "*" } };
    try {
      const response = await fetch(`${proxy.server.endpoint}${path}`, {
        method,
        signal,
        ...(method === "PUT" ? put : {}),
      });
      return await response.text().then(
        (body) => ({ status: response.status, body }),
        () => (signal.aborted ? "gave up" : "cut"),
      );
    } catch {
      return signal.aborted ? "gave up" : "broken";
    }
  }

  test("passes everything on unchanged, Host included, and logs it", async () => {
    const seen = [await call("PUT"), await call("PUT"), await call("GET"), await call("HEAD")];

    expect(seen).toEqual([200, 412, 200, 200].map((status, i) => ({ status, body: i === 2 ? BODY : "" })));
    expect(new Set(store.hosts)).toEqual(new Set([new URL(proxy.server.endpoint).host]));
    const sha256Hex = createHash("sha256").update(BODY).digest("hex");
    const put = { call: "put", key: "key", fault: null, sha256Hex };
    expect(proxy.calls.slice(0, 2)).toEqual([
      { ...put, status: 200 },
      { ...put, status: 412 },
    ]);
    expect(listChangedKeys(proxy.calls)).toEqual([]);
  });

  /** What a PUT of a new key meets, and how often the true store took it. */
  const OF_PUT: Partial<Readonly<Record<FaultKind, { readonly seen: number | string; readonly isStored: boolean }>>> = {
    "error-500": { seen: 500, isStored: false },
    "slow-down": { seen: 503, isStored: false },
    "early-error": { seen: 503, isStored: false },
    "too-many-requests": { seen: 429, isStored: false },
    "bad-gateway": { seen: 502, isStored: false },
    forbidden: { seen: 403, isStored: false },
    "expired-token": { seen: 400, isStored: false },
    "clock-skew": { seen: 403, isStored: false },
    "shifted-clock": { seen: 403, isStored: false },
    "reset-before": { seen: "broken", isStored: false },
    "reset-during-upload": { seen: "broken", isStored: false },
    "applied-then-reset": { seen: "broken", isStored: true },
    "applied-then-500": { seen: 500, isStored: true },
    "applied-twice": { seen: 412, isStored: true },
    stall: { seen: "gave up", isStored: false },
    "stall-upload": { seen: "gave up", isStored: false },
    "endless-reply": { seen: "gave up", isStored: true },
    "stall-reply": { seen: "gave up", isStored: true },
    "truncated-reply": { seen: "cut", isStored: true },
    "error-in-200": { seen: 200, isStored: false },
    "empty-200": { seen: 200, isStored: false },
    "wrong-etag": { seen: 200, isStored: true },
    "missing-etag": { seen: 200, isStored: true },
    latency: { seen: 200, isStored: true },
    trickle: { seen: 200, isStored: true },
    "precondition-failed": { seen: 412, isStored: false },
    conflict: { seen: 409, isStored: false },
    "flipped-byte-up": { seen: 200, isStored: true },
  };

  test("knows a fault of PUT for each kind that applies to it", () => {
    const kinds = FAULT_KINDS.filter((kind) => FAULTS[kind].includes("put"));

    expect(Object.keys(OF_PUT).toSorted()).toEqual(kinds.toSorted());
  });

  test.each(Object.entries(OF_PUT))("%s of a PUT, then heals", async (kind, { seen, isStored }) => {
    const fault = proxy.arm({ kind: kind as FaultKind, when: { nth: 1 } });

    const first = await call("PUT");
    const stored = store.objects.has("key");
    const second = await call("PUT");

    expect(typeof first === "string" ? first : first.status).toBe(seen);
    expect(stored).toBe(isStored);
    expect(second).toEqual({ status: isStored ? 412 : 200, body: "" });
    expect([fault.seen, fault.fired]).toEqual([2, 1]);
    expect(store.objects.get("key")?.toString() === BODY).toBe(kind !== "flipped-byte-up");
    expect(listChangedKeys(proxy.calls)).toEqual([]);
  });

  test("stops the other side in the middle of a broken upload", async () => {
    proxy.arm({ kind: "reset-during-upload", when: { nth: 1 } });

    await call("PUT");
    await expect.poll(() => store.hosts.length).toBe(1);

    expect(store.objects.size).toBe(0);
  });

  test.each(["latency", "trickle"] as const)("%s takes its time and changes nothing", async (kind) => {
    store.objects.set("key", Buffer.from(BODY));
    proxy.arm({ kind, when: { nth: 1 }, calls: ["get"] });
    const began = performance.now();

    const seen = await call("GET");

    expect(seen).toEqual({ status: 200, body: BODY });
    expect(performance.now() - began).toBeGreaterThan(200);
  });

  test.each([
    ["truncated-reply", "GET", "cut"],
    ["truncated-reply", "HEAD", "broken"],
    ["endless-reply", "GET", "gave up"],
    ["stall-reply", "GET", "gave up"],
    ["not-found", "GET", { status: 404 }],
    ["error-in-200", "HEAD", { status: 200, body: "" }],
  ] as const)("%s of a %s", async (kind, method, expected) => {
    store.objects.set("key", Buffer.from(BODY));
    proxy.arm({ kind, when: { nth: 1 } });

    const seen = await call(method);

    if (typeof expected === "string") expect(seen).toBe(expected);
    else expect(seen).toMatchObject(expected);
  });

  test("flipped-byte-down of a GET changes one byte", async () => {
    store.objects.set("key", Buffer.from(BODY));
    proxy.arm({ kind: "flipped-byte-down", when: { nth: 1 } });

    const seen = await call("GET");

    const body = typeof seen === "string" ? "" : seen.body;
    expect(Array.from(BODY).filter((char, i) => char !== body[i]).length).toBe(1);
  });

  test.each([
    ["partial-list", ["a", "b"], "<KeyCount>2</KeyCount><IsTruncated>false"],
    ["stale-list", ["a", "b", "c"], "<KeyCount>3</KeyCount><IsTruncated>false"],
    ["cut-list", ["a", "b", "c", "d"], "<IsTruncated>true</IsTruncated>"],
    ["repeated-token", ["a", "b", "c", "d"], "<NextContinuationToken>again</NextContinuationToken>"],
  ] as const)("%s of a LIST", async (kind, keys, expected) => {
    for (const key of ["a", "b", "c"]) store.objects.set(key, Buffer.from(key));
    await call("GET", "/bucket?list-type=2");
    store.objects.set("d", Buffer.from("d"));
    proxy.arm({ kind, when: { nth: 1 } });

    const seen = await call("GET", "/bucket?list-type=2");

    const body = typeof seen === "string" ? seen : seen.body;
    expect([...body.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key)).toEqual(keys);
    expect(body).toContain(expected);
  });

  test("a stale listing that was never asked for is empty", async () => {
    store.objects.set("a", Buffer.from("a"));
    proxy.arm({ kind: "stale-list", when: { nth: 1 } });

    const seen = await call("GET", "/bucket?list-type=2");

    expect(seen).toMatchObject({ body: expect.not.stringContaining("<Key>") as string });
  });

  test("disarm() heals, of one fault or of all", async () => {
    const first = proxy.arm({ kind: "error-500", when: { every: 1 } });
    proxy.arm({ kind: "forbidden", when: { every: 1 } });

    const seen = [await call("GET")];
    proxy.disarm(first);
    seen.push(await call("GET"));
    proxy.disarm();
    seen.push(await call("GET"));

    expect(seen.map((one) => (typeof one === "string" ? one : one.status))).toEqual([500, 403, 404]);
  });
});

test("listChangedKeys() names a key that was put with two digests", () => {
  const puts = [
    ["a", "1"],
    ["b", "1"],
    ["a", "1"],
    ["b", "2"],
    ["a", null],
  ] as const;
  const calls = puts.map(([key, sha256Hex]) => ({ call: "put" as const, key, fault: null, sha256Hex, status: 200 }));

  expect(listChangedKeys(calls)).toEqual(["b"]);
});

test("startFaultProxy() keeps signatures whole for a real S3 server, and has a clock of its own", async () => {
  const versitygw = await startVersitygw();
  if (versitygw === null) return;
  const proxy = await startFaultProxy(versitygw.server);
  const { endpoint, bucket, ...keys } = proxy.server;
  const client = new AwsClient({ ...keys, service: "s3", retries: 0 });
  const sha256 = createHash("sha256").update(BODY).digest("hex");
  const headers = { "x-amz-content-sha256": sha256, "x-amz-meta-note": "two  spaces" };
  const put = async (key: string, aws: object = {}): Promise<readonly [number, string]> => {
    const url = `${endpoint}/${bucket}/${key}`;
    const response = await client.fetch(url, { method: "PUT", body: BODY, headers, aws });
    return [response.status, await response.text()];
  };

  const unchanged = await put("year=2026/a key");
  proxy.arm({ kind: "flipped-byte-up", when: { nth: 1 } });
  const altered = await put("b");
  proxy.disarm();
  proxy.arm({ kind: "shifted-clock", when: { every: 1 } });
  const early = await put("c");
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const shifted = await put("d/e f", { datetime: inAnHour });
  proxy.disarm();
  const listing = await (await client.fetch(`${endpoint}/${bucket}?list-type=2&prefix=`)).text();
  await proxy.stop();
  await versitygw.stop();

  expect(unchanged).toEqual([200, ""]);
  expect(altered).toEqual([400, expect.stringContaining("XAmzContentSHA256Mismatch")]);
  expect(early).toEqual([403, expect.stringContaining("RequestTimeTooSkewed")]);
  expect(shifted).toEqual([200, ""]);
  expect([...listing.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key)).toEqual(["d/e f", "year=2026/a key"]);
});
