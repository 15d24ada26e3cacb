import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openApp } from "../src/app.ts";
import { readBindings, type Bindings } from "../src/config.ts";
import { call, digest, JSON_TYPE, makeLogs, makeReplayPath } from "./app-kit.ts";

/** A bucket whose every call fails with the store's own words. */
function openBrokenBindings(message: string): Bindings {
  const ARCHIVE = new Proxy(env.ARCHIVE, { get: () => () => Promise.reject(new Error(message)) });
  return { ...readBindings(env), buckets: { ARCHIVE } };
}

/** Everything that is written to the console from now on. */
function captureConsole(): string[] {
  const lines: string[] = [];
  for (const method of ["debug", "log", "info", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => {
      lines.push(values.map(String).join(" "));
    });
  }
  return lines;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("what stays inside", () => {
  it("S9: a failing store is a sentence and an id to the client, and the rest is in the log", async () => {
    const lines = captureConsole();
    const bindings = openBrokenBindings("list: <Error>upstream said</Error> (10006)");

    const response = await call(makeReplayPath("logs"), {}, { ARCHIVE_BUCKET: "bucket-7" }, bindings);
    const text = await response.text();

    expect(response.status).toBe(503);
    for (const inner of ["bucket-7", "upstream", "R2", "10006"]) expect(text).not.toContain(inner);
    const id = /request id ([0-9a-f]{12})/.exec(text)?.[1] ?? "none";
    const logged = lines.filter((line) => line.includes(id));
    expect(logged.length).toBe(1);
    expect(JSON.parse(logged[0] ?? "")).toMatchObject({
      event: "request.failed",
      request_id: id,
      path: "/replay",
      kind: "store_refused",
      error: "Cannot list in R2: no such bucket (10006)",
    });
  });

  it("S9: a bug says nothing to the client but its id", async () => {
    const lines = captureConsole();
    const app = openApp({ ALLOW_ANONYMOUS: "true" }, readBindings(env));
    app.get("/bug", () => {
      throw new TypeError("Cannot read properties of undefined");
    });

    const response = await app.fetch(new Request("http://firn/bug"), env);

    const { message, code }: { message: string; code: number } = await response.json();
    expect([response.status, code, message.includes("Cannot read")]).toEqual([500, 13, false]);
    const id = /request id ([0-9a-f]{12})/.exec(message)?.[1] ?? "none";
    expect(lines.filter((line) => line.includes(id) && line.includes("Cannot read")).length).toBe(1);
  });

  it("S9: a token stands in no answer and in no line of the log", async () => {
    const canary = "firn_canary-4d2f";
    const lines = captureConsole();
    const sha256 = await digest(canary);
    const settings: readonly Record<string, string>[] = [
      { INGEST_TOKEN_SHA256: sha256, READ_TOKEN_SHA256: sha256, ADMIN_TOKEN_SHA256: sha256 },
      { INGEST_TOKEN_SHA256: await digest("another") },
      { ADMIN_TOKEN_SHA256: sha256 },
      { INGEST_TOKEN_SHA256: canary },
      { TENANTS: JSON.stringify({ acme: { tokens: [{ sha256: canary, scopes: ["read"] }] } }) },
      { TENANTS: JSON.stringify({ acme: { tokens: [{ sha256, scopes: [canary] }] } }) },
      { TENANTS: canary },
    ];
    const basic = btoa(`user:${canary}`);
    const headers = [`Bearer ${canary}`, canary, `Basic ${basic}`, `Bearer ${canary}, Bearer ${canary}`];
    const routes = [
      "POST /v1/logs",
      "POST /v1/traces",
      "GET /status",
      "GET /archive",
      "POST /admin/flush",
      "GET /nowhere",
    ];
    const seen: string[] = [];
    const statuses = new Set<number>();
    for (const vars of settings) {
      for (const authorization of headers) {
        for (const route of [...routes, `GET ${makeReplayPath("logs")}`]) {
          const [method = "", path = ""] = route.split(" ");
          const body = method === "POST" ? { body: path === "/v1/traces" ? "{" : makeLogs("canary") } : {};
          const init = { method, headers: { ...JSON_TYPE, authorization }, ...body };
          for (const bindings of [readBindings(env), openBrokenBindings("list: no (10001)")]) {
            const response = await call(path, init, vars, bindings);
            const text = new TextDecoder().decode(await response.bytes());
            seen.push(JSON.stringify([...response.headers]), text);
            statuses.add(response.status);
          }
        }
      }
    }

    expect([...statuses].toSorted((a, b) => a - b)).toEqual([200, 400, 401, 403, 404, 503]);
    expect(lines.length).toBeGreaterThan(0);
    for (const text of [...seen, ...lines]) {
      expect(text).not.toContain(canary);
      expect(text).not.toContain(basic);
      expect(text).not.toContain(sha256);
    }
  });
});
