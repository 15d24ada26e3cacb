import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, digest, JSON_TYPE, makeLogs, makeReplayPath } from "./app-kit.ts";

describe("authentication", () => {
  const routes: readonly [string, string, "ingest" | "read" | "admin"][] = [
    ["POST", "/v1/traces", "ingest"],
    ["POST", "/v1/metrics", "ingest"],
    ["POST", "/v1/logs", "ingest"],
    ["POST", "/v1development/profiles", "ingest"],
    ["GET", "/replay?signal=traces&start=2026-01-01&end=2026-01-02", "read"],
    ["GET", "/status", "read"],
    ["GET", "/archive?start=2026-01-01&end=2026-01-02", "read"],
    ["POST", "/admin/flush", "admin"],
    ["GET", "/admin/doctor", "admin"],
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

  it.each([
    ["otlp_proto", "gzip", ".binpb.gz"],
    ["otlp_proto", "zstd", ".binpb.zst"],
    ["otlp_proto", "none", ".binpb"],
    ["otlp_json", "gzip", ".json.gz"],
    ["otlp_json", "zstd", ".json.zst"],
    ["otlp_json", "none", ".json"],
  ])("passes through an object of %s and %s, whose name ends in %s", async (marshaler, compression, extension) => {
    const vars = { ARCHIVE_MARSHALER: marshaler, ARCHIVE_COMPRESSION: compression };
    const texts = [`first as ${extension} object`, `second as ${extension} object`];
    for (const text of texts) {
      const sent = await call("/v1/logs", { method: "POST", headers: JSON_TYPE, body: makeLogs(text) }, vars);
      expect(sent.status).toBe(200);
    }
    await (await call("/admin/flush?signal=logs", { method: "POST" }, vars)).text();

    const { objects } = await env.ARCHIVE.list();
    const replayed = await (await call(makeReplayPath("logs"), {}, vars)).text();

    // Names sort by time.
    expect(objects.at(-1)?.key.replace(/^[^.]*/, "")).toBe(extension);
    for (const text of texts) expect(replayed.split(text).length - 1, text).toBe(1);
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
      const archive: unknown = await (
        await callAs(`token-${tenant[0]}`, "/archive?start=2026-01-01&end=2100-01-01")
      ).json();
      expect(archive).toMatchObject({
        partitions: [{ signal: "logs", objects: [{ key: objects[0]?.key }] }],
        next: null,
      });
    }
  });
});
