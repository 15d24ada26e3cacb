import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { compressGzip } from "../src/compression/gzip-member.ts";
import { call, digest, JSON_TYPE, makeLogs, makeReplayPath, PROTOBUF } from "./app-kit.ts";

describe("POST /v1/logs", () => {
  it("answers JSON with {} and protobuf with no bytes, each in its own exact type", async () => {
    const json = await call("/v1/logs", { method: "POST", headers: JSON_TYPE, body: makeLogs("a") });
    const empty = await call("/v1/logs", { method: "POST", headers: PROTOBUF, body: new Uint8Array() });

    expect([json.status, json.headers.get("content-type"), await json.text()]).toEqual([200, "application/json", "{}"]);
    expect([empty.status, empty.headers.get("content-type")]).toEqual([200, "application/x-protobuf"]);
    expect((await empty.arrayBuffer()).byteLength).toBe(0);
  });

  it("ignores parameters and case of the media type, and a trailing slash", async () => {
    const headers = { "content-type": "Application/JSON; charset=utf-8" };

    expect((await call("/v1/logs/", { method: "POST", headers, body: makeLogs("b") })).status).toBe(200);
  });

  it("takes gzip in any spelling, and a body without bytes whatever its coding", async () => {
    const body = compressGzip(new TextEncoder().encode(makeLogs("c")));
    for (const coding of ["gzip", "x-gzip", "GZIP", " identity , gzip,"]) {
      const headers = { ...JSON_TYPE, "content-encoding": coding };
      expect((await call("/v1/logs", { method: "POST", headers, body })).status, coding).toBe(200);
      expect((await call("/v1/logs", { method: "POST", headers, body: "" })).status, coding).toBe(200);
    }
  });

  const refusals: readonly [string, RequestInit, number, number, RegExp][] = [
    ["a missing media type", { body: new Uint8Array([1]) }, 415, 3, /media type/],
    ["an unknown media type", { headers: { "content-type": "text/plain" }, body: "x" }, 415, 3, /application\/json/],
    ["an unknown coding", { headers: { ...JSON_TYPE, "content-encoding": "br" }, body: "x" }, 415, 3, /"br"/],
    ["a body that is not JSON", { headers: JSON_TYPE, body: "{" }, 400, 3, /./],
    ["a body that is not gzip", { headers: { ...JSON_TYPE, "content-encoding": "gzip" }, body: "{}" }, 400, 3, /gzip/],
  ];
  it.each(refusals)("refuses %s with a Status body", async (_name, init, status, code, message) => {
    const response = await call("/v1/logs", { method: "POST", ...init });

    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/json");
    const body: { code: number; message: string; details?: { fieldViolations: unknown[] }[] } = await response.json();
    expect(body.code).toBe(code);
    expect(body.message).toMatch(message);
    if (status === 400) expect(body.details?.[0]?.fieldViolations.length).toBe(1);
  });

  it("refuses truncated protobuf with a Status in protobuf", async () => {
    const response = await call("/v1/logs", { method: "POST", headers: PROTOBUF, body: new Uint8Array([0x0a, 9, 1]) });

    expect([response.status, response.headers.get("content-type")]).toEqual([400, "application/x-protobuf"]);
    expect(new Uint8Array(await response.arrayBuffer()).slice(0, 2)).toEqual(new Uint8Array([0x08, 3]));
  });

  it("refuses what is too large, declared, chunked or unpacked, with 413", async () => {
    const limit = { MAX_REQUEST_BYTES: String(4 * 1024 * 1024) };
    const large = new Uint8Array(4 * 1024 * 1024 + 1);
    const stream = new Blob([large]).stream();
    const bomb = compressGzip(large);

    for (const [name, init] of Object.entries({
      declared: { headers: { ...PROTOBUF, "content-length": String(large.length) }, body: large },
      chunked: { headers: PROTOBUF, body: stream },
      unpacked: { headers: { ...PROTOBUF, "content-encoding": "gzip" }, body: bomb },
    })) {
      expect((await call("/v1/logs", { method: "POST", ...init }, limit)).status, name).toBe(413);
    }
  });

  it("says 405 with Allow to any other method, and nothing in the body of HEAD", async () => {
    for (const method of ["GET", "PUT", "DELETE", "PATCH"]) {
      const response = await call("/v1/logs", { method });
      expect([response.status, response.headers.get("allow")], method).toEqual([405, "POST"]);
      expect(await response.json(), method).toMatchObject({ code: 12 });
    }
    const head = await call("/v1/logs", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([405, ""]);
  });
});

describe("any other route", () => {
  it.each(["/", "/v1/profiles", "/v1/trace", "/V1/logs", "/v1/logs/x", "/api/public/otel/v1/traces", "/archive"])(
    "%s answers 404 with a Status body",
    async (path) => {
      const response = await call(path, { method: "POST", headers: JSON_TYPE, body: "{}" });

      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 5 });
    },
  );
});

describe("authentication", () => {
  const routes: readonly [string, string, "ingest" | "read" | "admin"][] = [
    ["POST", "/v1/traces", "ingest"],
    ["POST", "/v1/metrics", "ingest"],
    ["POST", "/v1/logs", "ingest"],
    ["GET", "/replay?signal=traces&start=2026-01-01&end=2026-01-02", "read"],
    ["GET", "/status", "read"],
    ["POST", "/admin/flush", "admin"],
  ];
  it.each(routes)("S2: %s %s is open to the scope it names and to no other", async (method, path, scope) => {
    const vars = {
      INGEST_TOKEN_SHA256: await digest("ingest"),
      READ_TOKEN_SHA256: await digest("read"),
      ADMIN_TOKEN_SHA256: await digest("admin"),
    };
    const ask = (token: string | null): Promise<Response> => {
      const headers: Record<string, string> = token === null ? JSON_TYPE : { ...JSON_TYPE, authorization: token };
      return call(path, { method, headers, ...(method === "POST" ? { body: "{}" } : {}) }, vars);
    };

    for (const token of ["ingest", "read", "admin"]) {
      expect((await ask(`Bearer ${token}`)).status, token).toBe(token === scope ? 200 : 403);
    }
    const anonymous = await ask(null);
    expect([anonymous.status, anonymous.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect((await ask("Bearer wrong")).status).toBe(401);
  });

  it("S1: a deployment without tokens refuses everything but /healthz", async () => {
    const closed = { ALLOW_ANONYMOUS: "false" };
    for (const [method, path] of routes) {
      const init = method === "POST" ? { method, headers: JSON_TYPE, body: "{}" } : { method };
      expect((await call(path, init, closed)).status, path).toBe(401);
    }
    expect((await call("/healthz", {}, closed)).status).toBe(200);
  });
});

describe("a wrong setting", () => {
  it("answers every route but /healthz with 503, Retry-After and the sentence that names it", async () => {
    const wrong = { FLUSH_INTERVAL_SECONDS: "soon" };
    const response = await call("/v1/logs", { method: "POST", headers: JSON_TYPE, body: "{}" }, wrong);

    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await response.text()).toContain("FLUSH_INTERVAL_SECONDS");
    expect((await call("/healthz", {}, wrong)).status).toBe(200);
  });
});

describe("the way of a request", () => {
  it("ends in the archive, once, and comes back after a flush", async () => {
    const body = makeLogs("there and back");
    for (let send = 0; send < 3; send += 1) {
      expect((await call("/v1/logs", { method: "POST", headers: JSON_TYPE, body })).status).toBe(200);
    }
    const flushed = await call("/admin/flush?signal=logs", { method: "POST" });
    expect(await flushed.json()).toMatchObject({ complete: true, remaining_batches: 0 });

    const response = await call(makeReplayPath("logs"));
    const text = await response.text();

    expect(response.status).toBe(200);
    expect(text.split("there and back").length - 1).toBe(1);
    expect(text.trimEnd().split("\n").at(-1)).toContain('"firn"');
  });

  it("is the same through the worker's own entry, whose settings are those of wrangler.toml", async () => {
    const response = await exports.default.fetch("http://firn/healthz");

    expect(await response.text()).toBe("ok\n");
  });
});

describe("tenants", () => {
  it("S3: each one's requests lie under its own prefix and come back to nobody else", async () => {
    const scopes = ["ingest", "read", "admin"];
    const vars = {
      INGEST_TOKEN_SHA256: await digest("unnamed"),
      READ_TOKEN_SHA256: await digest("unnamed"),
      ADMIN_TOKEN_SHA256: await digest("unnamed"),
      TENANTS: JSON.stringify({
        alpha: { tokens: [{ sha256: await digest("token-a"), scopes }] },
        beta: { tokens: [{ sha256: await digest("token-b"), scopes }] },
      }),
    };
    const callAs = (token: string, path: string, init: RequestInit = {}): Promise<Response> =>
      call(path, { ...init, headers: { ...JSON_TYPE, authorization: `Bearer ${token}` } }, vars);
    const replayAs = async (token: string): Promise<string> => {
      const response = await callAs(token, makeReplayPath("logs"));
      return new TextDecoder().decode(await response.bytes());
    };

    for (const token of ["token-a", "token-b"]) {
      const sent = await callAs(token, "/v1/logs", { method: "POST", body: makeLogs(`secret of ${token}`) });
      const flushed = await callAs(token, "/admin/flush", { method: "POST" });
      expect([sent.status, await flushed.json()]).toMatchObject([200, { complete: true, stored_objects: 1 }]);
    }

    const [alpha, beta, unnamed] = [await replayAs("token-a"), await replayAs("token-b"), await replayAs("unnamed")];
    expect([alpha.includes("secret of token-a"), alpha.includes("secret of token-b")]).toEqual([true, false]);
    expect([beta.includes("secret of token-a"), beta.includes("secret of token-b")]).toEqual([false, true]);
    expect([unnamed.includes("secret of"), unnamed.includes('"firn"')]).toEqual([false, true]);
    for (const tenant of ["alpha", "beta"]) {
      const { objects } = await env.ARCHIVE.list({ prefix: `${tenant}/` });
      expect(objects.length, tenant).toBe(1);
      const status: unknown = await (await callAs(`token-${tenant[0]}`, "/status")).json();
      expect(status).toMatchObject({ tenant, shards: [{ last_object_key: objects[0]?.key }] });
    }
  });
});
