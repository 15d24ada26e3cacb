/** What browsers are allowed (otlp-http 2.3). */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCorsOrigins } from "../../src/config.ts";
import { answerOptions, toCorsHeaders } from "../../src/ingest/cors.ts";
import { call, digest, JSON_TYPE, makeLogs, readStatus } from "../app-kit.ts";

const ORIGIN = "https://app.example.com";
const ENDPOINTS = ["/v1/traces", "/v1/metrics", "/v1/logs", "/v1development/profiles"];

function preflight(
  headers: Record<string, string> = {},
  vars: Record<string, string> = {},
  path: string = "/v1/traces",
): Promise<Response> {
  const asked = { origin: ORIGIN, "access-control-request-method": "POST", ...headers };
  return call(path, { method: "OPTIONS", headers: asked }, vars);
}

function corsHeadersOf(response: Response): Record<string, string> {
  const entries = [...response.headers].filter(([name]) => name.startsWith("access-control-") || name === "vary");
  return Object.fromEntries(entries);
}

describe("otlp-http 2.3: OPTIONS with Origin and Access-Control-Request-Method", () => {
  it.each(ENDPOINTS)("a preflight on %s is answered 204, empty, with what is allowed", async (path) => {
    const response = await preflight({ "access-control-request-headers": "content-type,x-api-key" }, {}, path);

    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(corsHeadersOf(response)).toEqual({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "POST, OPTIONS",
      "access-control-allow-headers": "content-type, x-api-key",
      "access-control-max-age": "7200",
    });
  });

  it("a preflight needs no token", async () => {
    const response = await preflight({}, { ALLOW_ANONYMOUS: "false", INGEST_TOKEN_SHA256: await digest("writer") });

    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
  });

  it.each([
    ["X-A, traceparent,baggage", "X-A, traceparent, baggage"],
    [",a,,b ,", "a, b"],
    ["!#$%&'*+-.^_`|~09az", "!#$%&'*+-.^_`|~09az"],
    ["", "content-type, content-encoding, authorization"],
    [" , ", "content-type, content-encoding, authorization"],
    ["a b", "content-type, content-encoding, authorization"],
    ["x-a, <script>", "content-type, content-encoding, authorization"],
    ["x-a: 1", "content-type, content-encoding, authorization"],
  ])("requested headers are echoed only if each is a plain token: %j", async (requested, allowed) => {
    const response = await preflight({ "access-control-request-headers": requested });

    expect(response.headers.get("access-control-allow-headers")).toBe(allowed);
  });

  it("a preflight that requests no headers is told the usual ones", async () => {
    const allowed = (await preflight()).headers.get("access-control-allow-headers");

    expect(allowed).toBe("content-type, content-encoding, authorization");
  });
});

describe("otlp-http 2.3: OPTIONS otherwise", () => {
  it.each([
    ["without Origin", { "access-control-request-method": "POST" }, {}],
    ["without Access-Control-Request-Method", { origin: ORIGIN }, { "access-control-allow-origin": "*" }],
    ["without either", {}, {}],
  ])("204 with Allow answers OPTIONS %s, without a token", async (_name, headers, expected) => {
    const response = await call("/v1/logs", { method: "OPTIONS", headers }, { ALLOW_ANONYMOUS: "false" });

    expect([response.status, response.headers.get("allow"), await response.text()]).toEqual([204, "POST, OPTIONS", ""]);
    expect(corsHeadersOf(response)).toMatchObject(expected);
    expect(response.headers.has("access-control-allow-methods")).toBe(false);
  });
});

interface SentInit {
  readonly method: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

describe("otlp-http 2.3: any other request with Origin", () => {
  const token = { INGEST_TOKEN_SHA256: "ab".repeat(32) };
  const json = { ...JSON_TYPE };
  const answers: readonly [string, number, string, SentInit, Record<string, string>][] = [
    ["a success", 200, "/v1/logs", { method: "POST", headers: json, body: makeLogs("cors") }, {}],
    ["400", 400, "/v1/logs", { method: "POST", headers: json, body: "{" }, {}],
    ["401", 401, "/v1/logs", { method: "POST", headers: json, body: "{}" }, token],
    ["404", 404, "/v1/log", { method: "POST", headers: json, body: "{}" }, {}],
    ["405", 405, "/v1/logs", { method: "GET" }, {}],
    ["405 to HEAD", 405, "/v1/logs", { method: "HEAD" }, {}],
    ["413", 413, "/v1/logs", { method: "POST", headers: { ...json, "content-length": "99999999" }, body: "{}" }, {}],
    ["415", 415, "/v1/logs", { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" }, {}],
    ["503 for wrong settings", 503, "/v1/logs", { method: "POST", headers: json, body: "{}" }, { SHARDS: "no" }],
  ];
  it.each(answers)("%s can be read by the page, Retry-After included", async (_name, status, path, init, vars) => {
    const response = await call(path, { ...init, headers: { ...init.headers, origin: ORIGIN } }, vars);

    expect(response.status).toBe(status);
    expect(corsHeadersOf(response)).toEqual({
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "Retry-After",
    });
  });

  it("403 can be read by the page", async () => {
    const headers = { ...JSON_TYPE, origin: ORIGIN, authorization: "Bearer reader" };
    const response = await call(
      "/v1/logs",
      { method: "POST", headers, body: "{}" },
      { READ_TOKEN_SHA256: await digest("reader") },
    );

    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([403, "*"]);
  });

  it("no headers of the kind stand in an answer to a request without Origin", async () => {
    const response = await call("/v1/logs", { method: "POST", headers: JSON_TYPE, body: "{}" });

    expect(corsHeadersOf(response)).toEqual({});
  });

  it.each(["/healthz", "/status", "/replay?signal=logs&start=2026-01-01&end=2026-01-02", "/replay"])(
    "%s is no route for browsers",
    async (path) => {
      const response = await call(path, { headers: { origin: ORIGIN } });
      const asked = await preflight({}, {}, path);

      expect([200, 400]).toContain(response.status);
      expect(response.headers.has("access-control-allow-origin")).toBe(false);
      expect(asked.status).toBeGreaterThanOrEqual(400);
    },
  );

  it("POST /admin/flush is no route for browsers", async () => {
    const response = await call("/admin/flush", { method: "POST", headers: { origin: ORIGIN } });

    expect([response.status, corsHeadersOf(response)]).toEqual([200, {}]);
  });
});

describe("CORS_ORIGINS", () => {
  const listed = { CORS_ORIGINS: "https://app.example.com, https://*.example.org,http://localhost:5173" };

  it.each([ORIGIN, "https://a.example.org", "https://a.b.example.org", "http://localhost:5173"])(
    "a list admits %s, whose name is echoed with Vary",
    async (origin) => {
      const asked = await preflight({ origin }, listed);
      const response = await call("/v1/logs", { method: "GET", headers: { origin } }, listed);

      expect(corsHeadersOf(asked)).toMatchObject({
        "access-control-allow-origin": origin,
        vary: "Origin",
        "access-control-max-age": "7200",
      });
      expect(corsHeadersOf(response)).toEqual({
        "access-control-allow-origin": origin,
        "access-control-expose-headers": "Retry-After",
        vary: "Origin",
      });
    },
  );

  it.each([
    "https://evil.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.com",
    "https://example.org",
    "https://.example.org",
    "https://evil.com/.example.org",
    "https://evil.com:1.example.org",
    "https://user@a.example.org",
    "http://localhost:51730",
    "null",
  ])("a list does not admit %s, which is told nothing but Vary", async (origin) => {
    const asked = await preflight({ origin }, listed);
    const response = await call("/v1/logs", { method: "GET", headers: { origin } }, listed);

    expect([asked.status, corsHeadersOf(asked)]).toEqual([204, { vary: "Origin" }]);
    expect([response.status, corsHeadersOf(response)]).toEqual([405, { vary: "Origin" }]);
  });

  it("a request without Origin is told by Vary that the answer depends on it", async () => {
    expect(corsHeadersOf(await call("/v1/logs", { method: "GET" }, listed))).toEqual({ vary: "Origin" });
  });

  it('"none" turns it off', async () => {
    const off = { CORS_ORIGINS: "none" };
    const asked = await preflight({}, off);
    const response = await call("/v1/logs", { method: "GET", headers: { origin: ORIGIN } }, off);

    expect([asked.status, asked.headers.get("allow"), corsHeadersOf(asked)]).toEqual([204, "POST, OPTIONS", {}]);
    expect(corsHeadersOf(response)).toEqual({});
  });

  it("holds while another setting is wrong", async () => {
    const vars = { ...listed, SHARDS: "no" };
    const respond = (origin: string): Promise<Response> =>
      call("/v1/logs", { method: "POST", headers: { ...JSON_TYPE, origin }, body: "{}" }, vars);

    expect((await preflight({}, vars)).status).toBe(204);
    expect(corsHeadersOf(await respond(ORIGIN))).toMatchObject({ "access-control-allow-origin": ORIGIN });
    expect(corsHeadersOf(await respond("https://evil.com"))).toEqual({ vary: "Origin" });
  });

  it("can be read by any page what a wrong value of it is", async () => {
    const headers = { ...JSON_TYPE, origin: ORIGIN };
    const vars = { CORS_ORIGINS: "app.example.com" };
    const response = await call("/v1/logs", { method: "POST", headers, body: "{}" }, vars);

    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([503, "*"]);
    expect((await readStatus(response)).message).toContain("CORS_ORIGINS");
  });

  it("credentials are never allowed, and an origin that is not listed never is, whatever it looks like", () => {
    const origins = readCorsOrigins(listed);
    const isListed =
      /^(https:\/\/app\.example\.com|https:\/\/[\w-]+(\.[\w-]+)*\.example\.org|http:\/\/localhost:5173)$/i;
    const piece = fc.constantFrom(
      "https://",
      "http://",
      "app.",
      "*.",
      "a",
      "..",
      ".example.org",
      "example.com",
      ":5173",
      "@",
      "/",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const origin = pieces.join("");
        const asked = new Headers({ origin, "access-control-request-method": "POST" });
        for (const headers of [new Headers(toCorsHeaders(asked, origins)), answerOptions(asked, origins).headers]) {
          expect(headers.get("access-control-allow-origin")).toBe(isListed.test(origin) ? origin : null);
          expect(headers.has("access-control-allow-credentials")).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
