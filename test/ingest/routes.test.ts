/** Paths, methods and the order of the checks (otlp-http 2, 2.1, 2.2). */
import { env, exports } from "cloudflare:workers";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openApp } from "../../src/app.ts";
import { readBindings } from "../../src/config.ts";
import { call, digest, JSON_TYPE, makeLogs, PROTOBUF, readStatus } from "../app-kit.ts";
import { makeLogs as makeProtobufLogs, openDeps, post, send } from "./ingest-kit.ts";

const ENDPOINTS = ["/v1/traces", "/v1/metrics", "/v1/logs", "/v1development/profiles"];
const ALLOW = "POST, OPTIONS";

function postJson(path: string, body: string = "{}"): Promise<Response> {
  return call(path, { method: "POST", headers: JSON_TYPE, body });
}

describe("otlp-http 2.2: paths", () => {
  it.each(ENDPOINTS)("POST on %s is taken", async (path) => {
    expect((await postJson(path)).status).toBe(200);
  });

  it.each(ENDPOINTS)("one trailing slash after %s is the same as none", async (path) => {
    expect((await postJson(`${path}/`)).status).toBe(200);
  });

  it.each(ENDPOINTS)("the query string of %s is ignored", async (path) => {
    for (const query of ["?", "?a=b&c", "?/v1/nowhere", "?%"]) {
      expect((await postJson(path + query)).status, query).toBe(200);
    }
  });

  it.each([
    "/",
    "/V1/traces",
    "/v1/Logs",
    "/v1Development/profiles",
    "//v1/logs",
    "/v1//logs",
    "/v1/logs//",
    "/v1/logs/x",
    "/x/v1/logs",
    "/v1/trace",
    "/v1/profiles",
    "/v1development/logs",
    "/v1",
    "/api/public/otel/v1/traces",
    "/favicon.ico",
  ])("404 with a Status answers any method on %s, and HEAD without body", async (path) => {
    for (const method of ["POST", "GET", "OPTIONS", "DELETE", "PROPFIND"]) {
      const response = await call(path, { method });
      expect(response.status, method).toBe(404);
      expect(await readStatus(response), method).toMatchObject({
        code: 5,
        message: expect.stringContaining(`Cannot find ${method} /`),
      });
    }
    const head = await call(path, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([404, ""]);
  });

  it("percent-encoded letters of a known path are handled or unknown, never redirected", async () => {
    for (const path of [
      "/v1/%6cogs",
      "/%76%31/logs",
      "/v1%2Flogs",
      "/v1/logs%2F",
      "/v1/logs%00",
      "/v1/%E0%A4%A",
      "/%",
    ]) {
      const { status } = await postJson(path);
      expect([200, 404], path).toContain(status);
    }
  });

  it("no path, method or header makes an answer 3xx", async () => {
    const segment = fc.constantFrom(
      "v1",
      "V1",
      "logs",
      "traces",
      "v1development",
      "profiles",
      "",
      ".",
      "..",
      "%2e",
      "x",
    );
    const slash = fc.constantFrom("/", "//", "\\", "/./");
    const path = fc.array(fc.tuple(slash, segment), { minLength: 1, maxLength: 6 });
    const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND");
    await fc.assert(
      fc.asyncProperty(path, method, fc.boolean(), async (parts, verb, isForwarded) => {
        const headers = isForwarded ? { "x-forwarded-proto": "http", "upgrade-insecure-requests": "1" } : {};
        const response = await call(`/${parts.flat().join("")}`.slice(1) || "/", { method: verb, headers });

        expect(response.status < 300 || response.status >= 400).toBe(true);
        expect(response.headers.get("location")).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  it("the worker's own entry knows the same routes", async () => {
    const response = await exports.default.fetch("http://firn/v1/logs", { method: "PUT" });

    expect([response.status, response.headers.get("allow")]).toEqual([405, ALLOW]);
  });
});

describe("otlp-http 2.2: methods", () => {
  it.each(["GET", "PUT", "PATCH", "DELETE", "PROPFIND", "MKCOL", "SEARCH"])(
    "405 with Allow and a Status answers %s on an endpoint",
    async (method) => {
      for (const path of ENDPOINTS) {
        const response = await call(path, { method });
        expect([response.status, response.headers.get("allow")], path).toEqual([405, ALLOW]);
        expect(await readStatus(response), path).toMatchObject({ code: 12, message: expect.stringContaining(method) });
      }
    },
  );

  it("405 with Allow and without a body answers HEAD on an endpoint", async () => {
    for (const path of ENDPOINTS) {
      const response = await call(path, { method: "HEAD" });
      expect([response.status, response.headers.get("allow"), await response.text()], path).toEqual([405, ALLOW, ""]);
    }
  });
});

/** A body that says whether it was read. */
function openWatched(): { readonly body: ReadableStream; readonly wasRead: () => boolean } {
  let wasRead = false;
  const pull = (controller: ReadableByteStreamController): void => {
    wasRead = true;
    controller.enqueue(new TextEncoder().encode("{ no JSON"));
    controller.close();
  };
  return { body: new ReadableStream({ type: "bytes", pull }, { highWaterMark: 0 }), wasRead: () => wasRead };
}

describe("otlp-http 2.1: the order of the checks", () => {
  /** Wrong in everything that a header can say. */
  const wrong = { "content-type": "text/plain", "content-encoding": "br", "content-length": "1000000000" };
  const typed = { ...wrong, "content-type": "application/json" };
  const decoded = { ...typed, "content-encoding": "gzip" };
  const steps: readonly [string, { path?: string; method?: string; token?: string; headers: object }, number][] = [
    ["1. the route", { path: "/v1/log", method: "PUT", headers: wrong }, 404],
    ["2. the method", { method: "PUT", headers: wrong }, 405],
    ["3. the token", { headers: wrong }, 401],
    ["3. the scope of the token", { token: "reader", headers: wrong }, 403],
    ["4. the media type", { token: "writer", headers: wrong }, 415],
    ["5. the content coding", { token: "writer", headers: typed }, 415],
    ["6. the declared length", { token: "writer", headers: decoded }, 413],
  ];
  it.each(steps)("%s is judged before all that follows, and the body is not read", async (step, request, status) => {
    const vars = { INGEST_TOKEN_SHA256: await digest("writer"), READ_TOKEN_SHA256: await digest("reader") };
    const { path = "/v1/logs", method = "POST", token = "unknown", headers } = request;
    const { body, wasRead } = openWatched();

    const response = await call(
      path,
      { method, headers: { ...headers, authorization: `Bearer ${token}` }, body },
      vars,
    );

    expect([response.status, wasRead()]).toEqual([status, false]);
    expect(response.headers.has("accept-post")).toBe(step === "4. the media type");
    expect(response.headers.has("accept-encoding")).toBe(step === "5. the content coding");
  });

  it("7. the codings of the body are undone before its message is decoded", async () => {
    const response = await call("/v1/logs", {
      method: "POST",
      headers: { ...JSON_TYPE, "content-encoding": "gzip" },
      body: "{",
    });

    expect(await readStatus(response)).toMatchObject({ code: 3, message: expect.stringContaining("gzip") });
  });

  it("8. and 9. a message that cannot be decoded is refused whole, whatever its items are", async () => {
    const { deps, appended } = openDeps();
    const spans = [{ traceId: "00", spanId: "00" }, { name: 1 }];
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

    await expect(send(post(body, JSON_TYPE), deps, "traces")).rejects.toMatchObject({ kind: "invalid_request" });
    expect(appended).toEqual([]);
  });

  it("9. items are judged before anything is stored", async () => {
    const { deps, appended } = openDeps(() => ({ kind: "unavailable", reason: "backlog", retryAfterSeconds: 5 }));
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: "00", spanId: "00" }] }] }] });

    const response = await send(post(body, JSON_TYPE), deps, "traces");

    expect([response.status, appended]).toEqual([200, []]);
    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedSpans: "1" } });
  });

  it("10. 200 is answered only once the shard has stored the request", async () => {
    const stored = Promise.withResolvers<{ kind: "stored" }>();
    const called = Promise.withResolvers<void>();
    const append = (): Promise<{ kind: "stored" }> => {
      called.resolve();
      return stored.promise;
    };
    const deps = { ...openDeps().deps, openShard: () => ({ append, appendStream: append }) };
    let isAnswered = false;

    const answer = send(post(makeProtobufLogs("waits")), deps).then((response) => {
      isAnswered = true;
      return response.status;
    });
    await called.promise;
    await scheduler.wait(10);

    expect(isAnswered).toBe(false);
    stored.resolve({ kind: "stored" });
    expect(await answer).toBe(200);
  });

  it("10. a storage failure is 503 with Retry-After, in the encoding of the request", async () => {
    const shardBuffer = new Proxy(env.SHARD_BUFFER, {
      get: () => () => {
        throw new Error("Internal error in storage");
      },
    });
    const bindings = { ...readBindings(env), shardBuffer };
    for (const [headers, body] of [
      [JSON_TYPE, makeLogs("a")],
      [PROTOBUF, makeProtobufLogs("a")],
    ] as const) {
      const response = await call("/v1/logs", { method: "POST", headers, body }, {}, bindings);
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
      expect(response.headers.get("content-type")).toBe(headers["content-type"]);
      expect(await readStatus(response)).toMatchObject({ code: 14, violations: [] });
    }
  });
});

describe("the framework's own answers", () => {
  it.each([
    ["an Error", new TypeError("Cannot read properties of undefined")],
    ["something that is no Error", "text"],
    ["nothing", undefined],
  ])("a route that throws %s answers 500 with a Status in the encoding of the request", async (_name, thrown) => {
    const app = openApp({ ALLOW_ANONYMOUS: "true" }, readBindings(env));
    app.post("/bug", () => Promise.reject(thrown));

    for (const headers of [JSON_TYPE, PROTOBUF]) {
      const response = await app.fetch(new Request("http://firn/bug", { method: "POST", headers, body: "x" }), env);
      expect([response.status, response.headers.get("content-type")]).toEqual([500, headers["content-type"]]);
      expect(await readStatus(response)).toMatchObject({ code: 13, message: expect.stringContaining("request id") });
    }
  });
});
